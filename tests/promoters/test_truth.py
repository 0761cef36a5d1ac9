"""The controls ``sim-truth`` and ``sim-broken`` as generators, and their records."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from scipy.stats import chisquare

import dnabench_promoters
from dnabench import SequenceSet, UserError
from dnabench.options import build
from dnabench_promoters.options import BrokenOptions, SimulatorOptions
from dnabench_promoters.simulator import PromoterSimulator
from dnabench_promoters.species import SPECIES
from dnabench_promoters.truth import BrokenTruth, Truth

# Species -> background GC over its classes, worked out by hand from the table of species.
GC = {"sim-mammal": 0.612, "sim-bird": 0.664, "sim-insect": 0.418, "sim-nematode": 0.3725, "sim-plant": 0.360}
EVERY_GENERATOR = pytest.mark.parametrize(
    "make",
    [Truth, *(lambda what=what: BrokenTruth(BrokenOptions(what)) for what in ("no-tata", "half-diversity"))],
    ids=["truth", "no-tata", "half-diversity"],
)


def rows_of(sequences):
    return {row.tobytes() for row in sequences.codes}


def test_the_records():
    truth, broken = dnabench_promoters.dnabench_generators()
    assert (truth.name, truth.kind, truth.uses_labels, truth.needs_training) == ("sim-truth", "control", True, False)
    assert (broken.name, broken.kind, broken.variant) == ("sim-broken", "control", "what")
    assert truth.lengths[0] == broken.lengths[0] == 96
    for record in (truth, broken, *dnabench_promoters.dnabench_metrics()):
        module, _, name = record.target.partition(":")
        assert isinstance(getattr(importlib.import_module(module), name), type)


def test_an_unknown_fault_is_the_users_error():
    with pytest.raises(
        UserError, match=r"sim-broken\.what is 'no-tat'.*no-tata, tata-shift, spacing, no-cpg, no-species, half-div"
    ):
        build(BrokenOptions, "sim-broken", {"what": "no-tat"})


@EVERY_GENERATOR
@pytest.mark.parametrize("length", [96, 256])
def test_what_a_generator_must_hold_to(make, length, make_context, tmp_path):
    generator, other = make(), make()
    train = SequenceSet(np.zeros((3, length), np.uint8))
    generator.fit(train, context=make_context(length=length))
    one = generator.sample(41, context=make_context(length=length, seed=5))
    assert one.codes.shape == (41, length)
    assert one.codes.max() == 3
    assert one.labels.columns.tolist() == ["species", "class"]
    directory = tmp_path / "model"
    directory.mkdir()
    generator.save(directory)
    assert not list(directory.iterdir())
    other.load(directory)
    assert other.sample(41, context=make_context(length=length, seed=5)).digest == one.digest
    assert not rows_of(one) & rows_of(other.sample(41, context=make_context(length=length, seed=6)))


@EVERY_GENERATOR
def test_one_context_gives_a_new_sample_every_time(make, make_context):
    context = make_context(seed=1)
    assert not rows_of(make().sample(20, context=context)) & rows_of(make().sample(20, context=context))


@EVERY_GENERATOR
def test_a_promoter_too_short_for_its_core_is_the_users_error(make, make_context):
    with pytest.raises(UserError, match="95 bp; they have at least 96 bp"):
        make().sample(10, context=make_context(length=95))


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_no_sample_is_the_data_sets_own_draw(seed, make_context):
    own = PromoterSimulator(SimulatorOptions(n=500, seed=seed)).load(context=make_context())
    fresh = Truth().sample(500, context=make_context(seed=seed))
    assert not rows_of(own) & rows_of(fresh)


def test_the_labels_are_those_of_their_sequences(make_context):
    drawn = Truth().sample(10_000, context=make_context(seed=2))
    for species in SPECIES:
        member = (drawn.labels["species"] == species.name).to_numpy()
        assert abs(member.mean() - species.share) < 4 * 0.5 / 100
        if species.name in GC:
            # Elements take a few per cent of the bases and lean towards G and C, above all in AT-rich species.
            gc = np.isin(drawn.codes[member], [1, 2]).mean()
            assert GC[species.name] - 0.01 < gc < GC[species.name] + 0.02


def test_species_and_class_are_as_frequent_together_as_in_the_data(make_context):
    n = 20_000
    counts = Truth().sample(n, context=make_context(length=96)).labels.value_counts()
    shares = {(species.name, kind.name): species.share * kind.share for species in SPECIES for kind in species.classes}
    assert shares["sim-plant", "nocpg"] == pytest.approx(0.15 * 0.80)
    assert set(counts.index) == set(shares)
    assert chisquare([counts[regime] for regime in shares], [n * share for share in shares.values()]).pvalue > 0.001


def test_the_fault_is_that_of_the_option(make_context):
    def labels(what):
        return BrokenTruth(BrokenOptions(what)).sample(2000, context=make_context(seed=3)).labels

    assert "cpg" not in set(labels("no-cpg")["class"])
    assert "sim-plant" not in set(labels("no-species")["species"])
    assert set(labels("spacing")["species"]) == {species.name for species in SPECIES}


@pytest.mark.parametrize(("n", "distinct"), [(2000, 1000), (1001, 501), (1, 1)])
def test_half_diversity(n, distinct, make_context):
    drawn = BrokenTruth(BrokenOptions("half-diversity")).sample(n, context=make_context(seed=4))
    counts = np.unique(drawn.codes, axis=0, return_counts=True)[1]
    assert len(drawn) == n
    assert len(counts) == distinct
    assert rows_of(drawn) == rows_of(Truth().sample(distinct, context=make_context(seed=4)))
    assert sorted(counts.tolist(), reverse=True) == [2] * (n // 2) + [1] * (n % 2)
    # A sequence brings its labels along both times.
    both = drawn.labels.assign(bases=drawn.strings()).drop_duplicates()
    assert len(both) == distinct
    # Pairs lie apart: neither next to each other nor half the set away.
    neighbours = (drawn.codes[1:] == drawn.codes[:-1]).all(1).sum()
    halves = (drawn.codes[: n // 2] == drawn.codes[n - n // 2 :]).all(1).sum()
    assert neighbours + halves < 15
