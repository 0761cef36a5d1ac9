"""Models that predict activity or chromatin from sequence: the metric `oracle` and their embeddings."""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import EmbedderSpec, MetricSpec


def metrics() -> Iterator[MetricSpec]:
    """Yield the records."""
    yield from ()


def embedders() -> Iterator[EmbedderSpec]:
    """Yield the records of the embedders."""
    yield from ()
