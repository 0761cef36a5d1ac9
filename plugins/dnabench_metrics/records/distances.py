"""`fred`, `swd`, `mmd`: distances between two sets of embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dnabench import MetricSpec, option


@dataclass(frozen=True)
class FredOptions:
    """Options of `fred`."""

    encoder: Literal["shipped", "fit"] = option(
        "shipped", "the shipped encoder `ae`, or `ae-fit`, trained on the training sequences: another instrument"
    )
    extrapolate: bool = option(False, "also extrapolate to infinitely many sequences: the part fred.extrapolated")


@dataclass(frozen=True)
class SWDOptions:
    """Options of `swd`."""

    projections: int = option(500, "random directions onto which the embeddings are projected", minimum=1)
    seed: int = option(0, "seed of the directions, the same for every generator", minimum=0)


@dataclass(frozen=True)
class MMDOptions:
    """Options of `mmd`."""

    bandwidths: int = option(
        5,
        "number of RBF kernels; their bandwidths are the reference's median distance times powers of the root of 2, "
        "so that their squares double",
        minimum=1,
        maximum=15,
    )
    kernel: Literal["rbf", "cubic"] = option("rbf", "RBF kernels of several bandwidths, or the cubic kernel of KID")
    most: int = option(10_000, "sequences a side; of more, this many are drawn", minimum=2)


def metrics() -> Iterator[MetricSpec]:
    """Yield the records; lower is better in all."""
    yield MetricSpec(
        name="fred",
        target="dnabench_metrics.distances.frechet:FrechetDistance",
        summary="Fréchet distance between Gaussians fitted to the embeddings (FReD on the embedder `ae`)",
        direction="lower",
        embedder="ae",
        encoders={"shipped": "ae", "fit": "ae-fit"},
        samples_exceed_dimension=True,
        options=FredOptions,
        citation="Dowson and Landau 1982, J Multivar Anal 12:450; Li et al. 2023, arXiv 2310.06150",
    )
    yield MetricSpec(
        name="swd",
        target="dnabench_metrics.distances.swd:SlicedWasserstein",
        summary="sliced 2-Wasserstein distance between the embeddings, over fixed random projections",
        direction="lower",
        embedder="ae",
        options=SWDOptions,
        citation="Bonneel et al. 2015, J Math Imaging Vis 51:22",
    )
    yield MetricSpec(
        name="mmd",
        target="dnabench_metrics.distances.mmd:MaximumMeanDiscrepancy",
        summary="unbiased squared maximum mean discrepancy of the embeddings, RBF kernels of several bandwidths",
        direction="lower",
        version=2,  # 2: a bandwidth where most of the reference coincides, and embeddings of any magnitude
        embedder="ae",
        options=MMDOptions,
        citation="Gretton et al. 2012, JMLR 13:723",
    )
