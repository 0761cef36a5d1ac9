"""The embedders."""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import EmbedderSpec


def embedders() -> Iterator[EmbedderSpec]:
    """Yield the records."""
    yield EmbedderSpec(
        name="ae",
        target="dnabench_metrics.ae.embedder:Autoencoder",
        summary="convolutional autoencoder trained on promoters of 15 species, in eight position bins",
        dimension=64,
        min_length=64,
    )
    yield EmbedderSpec(
        name="kmer",
        target="dnabench_metrics.kmer:KmerFrequencies",
        summary="frequencies of the 256 4-mers",
        dimension=256,
        min_length=4,
    )
