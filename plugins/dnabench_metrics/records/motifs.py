"""Metrics of motifs: where they lie, how often, in what company."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dnabench import MetricSpec, option

BUCHER = "matrices: Bucher 1990, J Mol Biol 212:563"


def _motifs() -> Any:
    return option(
        "epd",
        "`epd`: TATA-box, Initiator, CCAAT-box, GC-box; or the path of a MEME, JASPAR or TRANSFAC file of motifs",
    )


def _p_value() -> Any:
    return option(
        1e-4,
        "motif files only: a hit scores as a random window does with at most this probability",
        minimum=1e-9,
        maximum=1,
    )


@dataclass(frozen=True)
class MotifKLOptions:
    """Options of `motif-kl`."""

    motifs: str = _motifs()
    bin_width: int = option(8, "bp per position bin", minimum=1)
    pseudocount: float = option(0.5, "added to the count of every bin, on both sides", minimum=1e-6, maximum=1e6)
    p_value: float = _p_value()


@dataclass(frozen=True)
class MotifProfileOptions:
    """Options of `motif-profile`."""

    motifs: str = _motifs()
    bin_width: int = option(8, "bp per point of a curve", minimum=1)
    p_value: float = _p_value()


@dataclass(frozen=True)
class MotifFrequencyOptions:
    """Options of `motif-frequency`."""

    motifs: str = _motifs()
    p_value: float = _p_value()


@dataclass(frozen=True)
class MotifCooccurrenceOptions:
    """Options of `motif-cooccurrence`."""

    motifs: str = _motifs()
    p_value: float = _p_value()


@dataclass(frozen=True)
class MotifSpacingOptions:
    """Options of `motif-spacing`."""

    motifs: str = _motifs()
    bin_width: int = option(2, "bp per bin of distances", minimum=1)
    reach: int = option(50, "largest distance between two hits, in bp", minimum=1)
    most: int = option(10, "number of motifs, of a larger set, that are paired", minimum=2)
    minimum: int = option(50, "fewest distances in the reference for a pair to count", minimum=1)
    p_value: float = _p_value()


def metrics() -> Iterator[MetricSpec]:
    """Yield the records."""
    yield MetricSpec(
        name="motif-kl",
        target="dnabench_metrics.motifs.divergence:MotifKL",
        summary="KL divergence (nats) of where the best hit of each core-promoter motif lies, real from generated",
        direction="lower",
        family="compositional",
        options=MotifKLOptions,
        citation=BUCHER,
    )
    yield MetricSpec(
        name="motif-profile",
        target="dnabench_metrics.motifs.profile:MotifProfile",
        summary="correlation of the position-frequency curves of core-promoter motifs, with a part for each motif",
        direction="higher",
        family="compositional",
        options=MotifProfileOptions,
        citation=f"Li et al. 2023, arXiv 2310.06150; {BUCHER}",
    )
    yield MetricSpec(
        name="motif-frequency",
        target="dnabench_metrics.motifs.frequency:MotifFrequency",
        summary="correlation over motifs of the roots of their hits per sequence; give it a file of many motifs",
        direction="higher",
        family="compositional",
        options=MotifFrequencyOptions,
        citation="Gupta et al. 2023, bioRxiv 2023.11.27.568764",
    )
    yield MetricSpec(
        name="motif-cooccurrence",
        target="dnabench_metrics.motifs.cooccurrence:MotifCooccurrence",
        summary="root mean square difference of the scaled covariances of motif counts",
        direction="lower",
        family="compositional",
        options=MotifCooccurrenceOptions,
        citation="Sarkar et al. 2024, bioRxiv 2024.05.23.595630",
    )
    yield MetricSpec(
        name="motif-spacing",
        target="dnabench_metrics.motifs.spacing:MotifSpacing",
        summary="Jensen-Shannon divergence (bits) of the distances between motifs: TATA-box to Initiator by default",
        direction="lower",
        family="compositional",
        options=MotifSpacingOptions,
        citation=f"Lin 1991, IEEE Trans Inf Theory 37:145; {BUCHER}",
    )
