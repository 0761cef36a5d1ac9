"""dnabench plugin: metrics that compare generated DNA with real DNA, the embedders they work on, and their weights.

This module and those under ``records`` hold the records alone and import nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import DatasetSpec, EmbedderSpec, MetricSpec, hookimpl
from dnabench_metrics.records import DATASETS, EMBEDDERS, METRICS


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


@hookimpl
def dnabench_datasets() -> Iterator[DatasetSpec]:
    """Yield the records of all published weights."""
    for family in DATASETS:
        yield from family.datasets()
