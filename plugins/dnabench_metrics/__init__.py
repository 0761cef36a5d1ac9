"""dnabench plugin: metrics that compare generated DNA with real DNA, and the embedders they work on.

This module and those under ``records`` hold the records alone and import nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import EmbedderSpec, MetricSpec, hookimpl
from dnabench_metrics.records import EMBEDDERS, METRICS


@hookimpl
def dnabench_metrics() -> Iterator[MetricSpec]:
    """Yield the records of all metrics."""
    for family in METRICS:
        yield from family.metrics()


@hookimpl
def dnabench_embedders() -> Iterator[EmbedderSpec]:
    """Yield the records of all embedders."""
    for family in EMBEDDERS:
        yield from family.embedders()
