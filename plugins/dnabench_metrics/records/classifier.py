"""c2st: whether a classifier can tell generated from real sequences."""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import MetricSpec


def metrics() -> Iterator[MetricSpec]:
    """Yield the records."""
    yield from ()
