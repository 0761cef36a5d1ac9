"""dnabench plugin: baselines, which are ranked, and controls, which are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import GeneratorSpec, hookimpl
from dnabench_baselines.options import FrequencyOptions, MarkovOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The baselines, from the simplest on, and the controls."""
    yield GeneratorSpec(
        name="random",
        target="dnabench_baselines.uniform:Random",
        summary="every base A, C, G or T with probability 1/4",
        kind="baseline",
        needs_training=False,
    )
    yield GeneratorSpec(
        name="composition",
        target="dnabench_baselines.frequencies:composition",
        summary="independent bases with the frequencies of the training sequences",
        options=FrequencyOptions,
        kind="baseline",
        uses_labels=True,
        label_option="by",
    )
    yield GeneratorSpec(
        name="position",
        target="dnabench_baselines.frequencies:position",
        summary="independent bases with the frequencies of the training sequences at each position",
        options=FrequencyOptions,
        kind="baseline",
        uses_labels=True,
        label_option="by",
    )
    yield GeneratorSpec(
        name="markov",
        target="dnabench_baselines.markov:markov",
        summary="a Markov chain of the given order",
        options=MarkovOptions,
        kind="baseline",
        uses_labels=True,
        label_option="by",
        variant="order",
    )
    yield GeneratorSpec(
        name="holdout",
        target="dnabench_baselines.controls:Holdout",
        summary="real sequences that no generator has seen: the best possible score",
        kind="control",
        uses_labels=True,
    )
    yield GeneratorSpec(
        name="bootstrap",
        target="dnabench_baselines.controls:Bootstrap",
        summary="training sequences again, drawn with replacement: the memoriser",
        kind="control",
        uses_labels=True,
    )
    yield GeneratorSpec(
        name="dinucleotide-shuffle",
        target="dnabench_baselines.controls:DinucleotideShuffle",
        summary="training sequences shuffled with their dinucleotide counts kept",
        kind="control",
        uses_labels=True,
        citation="Altschul & Erickson 1985, Mol Biol Evol 2:526-538",
    )
