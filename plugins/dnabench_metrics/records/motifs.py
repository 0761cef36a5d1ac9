"""Metrics of motifs: where they lie, how often, in what company."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dnabench import MetricSpec, option


@dataclass(frozen=True)
class MotifKLOptions:
    """Options of `motif-kl`."""

    motifs: str = option("epd", "`epd`: TATA-box, Initiator, CCAAT-box, GC-box; or the path of a MEME file")
    bin_width: int = option(8, "bp per position bin", minimum=1)
    pseudocount: float = option(0.5, "added to the count of every bin, on both sides", minimum=1e-6)
    p_value: float = option(
        1e-4,
        "MEME files only: a hit scores as a random window does with at most this probability",
        minimum=1e-9,
        maximum=1,
    )


def metrics() -> Iterator[MetricSpec]:
    """Yield the records."""
    yield MetricSpec(
        name="motif-kl",
        target="dnabench_metrics.motifs.divergence:MotifKL",
        summary="KL divergence (nats) of where the best hit of each core-promoter motif lies, real from generated",
        direction="lower",
        options=MotifKLOptions,
        citation="matrices: Bucher 1990, J Mol Biol 212:563",
    )
