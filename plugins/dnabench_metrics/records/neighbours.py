"""`precision`, `recall`, `density`, `coverage`, `authenticity`: nearest neighbours among embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dnabench import MetricSpec, option


@dataclass(frozen=True)
class NeighbourOptions:
    """Options of `precision`, `recall`, `density` and `coverage`."""

    k: int = option(5, "a ball reaches to the k-th nearest neighbour of its centre", minimum=1)
    most: int = option(10_000, "sequences of each side, at most; of larger sets as many are drawn", minimum=2)
    seed: int = option(0, "seed of that draw, the same for every generator", minimum=0)

    def __post_init__(self) -> None:
        if self.most <= self.k:
            raise ValueError(f"most is {self.most}; it must exceed k, {self.k}")


@dataclass(frozen=True)
class AuthenticityOptions:
    """Options of `authenticity`."""

    most: int = option(
        5_000, "generated and reference sequences, at most; training sequences are all compared with", minimum=2
    )
    seed: int = option(0, "seed of the draw from larger sets, the same for every generator", minimum=0)


def metrics() -> Iterator[MetricSpec]:
    """Yield the records; higher is better in all."""
    improved = "Kynkäänniemi et al. 2019, NeurIPS 32, arXiv 1904.06991"
    reliable = "Naeem et al. 2020, ICML, arXiv 2002.09797"
    for name, module, citation, summary in (
        ("precision", "precision_recall:Precision", improved, "share of generated embeddings among the real ones"),
        ("recall", "precision_recall:Recall", improved, "share of real embeddings among the generated ones"),
        (
            "density",
            "density_coverage:Density",
            reliable,
            "how densely real embeddings surround the generated ones: 1 as among themselves, more in their core",
        ),
        (
            "coverage",
            "density_coverage:Coverage",
            reliable,
            "share of real embeddings with a generated one in their neighbourhood",
        ),
    ):
        yield MetricSpec(
            name=name,
            target=f"dnabench_metrics.neighbours.{module}",
            summary=summary,
            direction="higher",
            embedder="ae",
            options=NeighbourOptions,
            citation=citation,
        )
    yield MetricSpec(
        name="authenticity",
        target="dnabench_metrics.neighbours.authenticity:Authenticity",
        summary="share of generated embeddings that are no closer to a training one than its own nearest is",
        direction="higher",
        embedder="ae",
        needs_train=True,
        options=AuthenticityOptions,
        citation="Alaa et al. 2022, ICML, arXiv 2102.08921",
    )
