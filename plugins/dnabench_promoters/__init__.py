"""dnabench plugin: promoter datasets, and what the truth of the simulated one is good for.

``sim-truth``, ``sim-broken`` and ``sim-nll`` are for ``promoters-sim`` alone; on other data they would mean nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import DatasetSpec, GeneratorSpec, MetricSpec, hookimpl
from dnabench_promoters.options import SHORTEST, BrokenOptions, EpdGenDnaOptions, EpdNewOptions, SimulatorOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

SIMULATED = "promoters-sim"
LONGEST = 100_000  # bp; the process takes memory in proportion


@hookimpl
def dnabench_datasets() -> Iterator[DatasetSpec]:
    """The promoter datasets."""
    yield DatasetSpec(
        name=SIMULATED,
        target="dnabench_promoters.simulator:PromoterSimulator",
        summary="simulated promoters of six species with known truth and an exact log-likelihood",
        options=SimulatorOptions,
        citation="Bucher 1990, J Mol Biol 212:563-578 (motif count matrices)",
    )
    yield DatasetSpec(
        name="epd-gendna",
        target="dnabench_promoters.epd.gendna:EpdGenDna",
        summary="promoters of 15 species, 256 and 2048 bp, as the authors of DiscDiff published them",
        options=EpdGenDnaOptions,
        citation="Li et al. 2024, arXiv:2402.06079",
        sets=("epd-gendna-256", "epd-gendna-2048"),
    )
    yield DatasetSpec(
        name="epdnew",
        target="dnabench_promoters.epd.epdnew:EpdNew",
        summary="promoters of up to 15 species, any window around the TSS, cut from genomes that you have",
        options=EpdNewOptions,
        citation="Meylan et al. 2020, Nucleic Acids Res 48:D65-D69",
        sets=("epdnew",),
    )


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The controls that know the truth of ``promoters-sim``."""
    yield GeneratorSpec(
        name="sim-truth",
        target="dnabench_promoters.truth:Truth",
        summary="fresh draws from the process of promoters-sim: the perfect generator of that data set",
        kind="control",
        lengths=(SHORTEST, LONGEST),
        uses_labels=True,
        needs_training=False,
        datasets=(SIMULATED,),
    )
    yield GeneratorSpec(
        name="sim-broken",
        target="dnabench_promoters.truth:BrokenTruth",
        summary="the process of promoters-sim with one known fault, such as no TATA-box",
        options=BrokenOptions,
        variant="what",
        kind="control",
        lengths=(SHORTEST, LONGEST),
        uses_labels=True,
        needs_training=False,
        datasets=(SIMULATED,),
    )


@hookimpl
def dnabench_metrics() -> Iterator[MetricSpec]:
    """The metric that knows the truth of ``promoters-sim``."""
    yield MetricSpec(
        name="sim-nll",
        target="dnabench_promoters.nll:TrueLikelihood",
        summary="distance (nats per base) of the mean log-likelihoods under the process of promoters-sim",
        direction="lower",
        datasets=(SIMULATED,),
    )
