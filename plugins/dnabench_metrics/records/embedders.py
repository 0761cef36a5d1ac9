"""The embedders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dnabench import EmbedderSpec, option


@dataclass(frozen=True)
class FittedAutoencoderOptions:
    """Options of `ae-fit`."""

    steps: int = option(2000, "training steps of 128 sequences; the shipped encoder has had 6000", minimum=1)


def embedders() -> Iterator[EmbedderSpec]:
    """Yield the records."""
    yield EmbedderSpec(
        name="ae",
        target="dnabench_metrics.ae.embedder:Autoencoder",
        summary="convolutional autoencoder trained on promoters of 15 species, and its readings of damage",
        dimension=64,
        min_length=64,
    )
    yield EmbedderSpec(
        name="ae-fit",
        target="dnabench_metrics.ae.fitted:FittedAutoencoder",
        summary="the same autoencoder trained on the training sequences: fred.encoder=fit",
        options=FittedAutoencoderOptions,
        dimension=64,
        min_length=64,
        needs_training=True,
        min_training=500,
    )
    yield EmbedderSpec(
        name="kmer",
        target="dnabench_metrics.kmer:KmerFrequencies",
        summary="frequencies of the 256 4-mers",
        dimension=256,
        min_length=4,
        family="sequence",
    )
