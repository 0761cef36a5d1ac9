"""Metrics on the sequences themselves: k-mers, GC content, diversity, uniqueness."""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import MetricSpec


def metrics() -> Iterator[MetricSpec]:
    """Yield the records."""
    yield from ()
