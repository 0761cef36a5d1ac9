"""`novelty`: whether a generator repeats what it was trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dnabench import MetricSpec, option


@dataclass(frozen=True)
class NoveltyOptions:
    """Options of `novelty`."""

    identity: float = option(
        0.8,
        "a training sequence is a relative from this identity on, matches per base of the overlap",
        minimum=0.7,
        maximum=1.0,
    )
    kmer: int = option(
        0,
        "length in bp, 8 to 16, of the seeds that relatives are found by; 0: the shortest without many chance matches",
        minimum=0,
        maximum=16,
    )

    def __post_init__(self) -> None:
        if 0 < self.kmer < 8:
            raise ValueError(f"kmer is {self.kmer}; seeds have 8 to 16 bp, 0 lets the sizes decide")


def metrics() -> Iterator[MetricSpec]:
    """Yield the record; higher is better."""
    yield MetricSpec(
        name="novelty",
        target="dnabench_metrics.novelty.metric:Novelty",
        summary="share of the generated sequences without a relative among the training sequences, on either strand",
        direction="higher",
        family="sequence",
        needs_train=True,
        options=NoveltyOptions,
        citation="Ondov et al. 2016, Genome Biol 17:132; Sosic and Sikic 2017, Bioinformatics 33:1394",
    )
