"""The faults of ``sim-broken``: each does what its name says, measured from its draws, and nothing else."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args, get_type_hints

import numpy as np
import pytest
from scipy.stats import chisquare

from dnabench_promoters.faults import FAULTS
from dnabench_promoters.likelihood import log_likelihood
from dnabench_promoters.motifs import INITIATOR, TATA_BOX
from dnabench_promoters.options import BrokenOptions
from dnabench_promoters.process import promoter_process
from dnabench_promoters.sampling import draw
from dnabench_promoters.species import SPECIES

N = 20_000
CHANGED = {
    "no-tata": "presence",
    "tata-shift": "tata_distances",
    "spacing": "tata_distances",
    "no-cpg": "weights",
    "no-species": "weights",
}
BOX_WIDTHS = np.array([14, 14, 12, 12])  # gc+, gc-, ccaat+, ccaat-


@pytest.fixture(scope="module")
def process():
    return promoter_process(256)


@pytest.fixture(scope="module")
def true_draw(process):
    return draw(process, N, seed=3)


def faulty_draw(process, fault, n=N):
    """With the uniforms of ``true_draw``."""
    return draw(FAULTS[fault](process), n, seed=3)


def near(value, truth, n):
    """Within four standard deviations of a frequency over n."""
    return abs(value - truth) < 4 * (truth * (1 - truth) / n) ** 0.5 + 1e-4


def same(one, other):
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


def test_every_value_of_the_option_has_its_fault():
    values = get_args(get_type_hints(BrokenOptions)["what"])
    assert set(values) == {*FAULTS, "half-diversity"}
    assert set(CHANGED) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_field_of_the_process_changes(process, fault):
    faulty = FAULTS[fault](process)
    changed = [f.name for f in fields(process) if not same(getattr(process, f.name), getattr(faulty, f.name))]
    assert changed == [CHANGED[fault]]
    assert process.weights.sum() == faulty.weights.sum() == 65_536
    assert (faulty.presence.sum(1) == 65_536).all()
    assert sum(faulty.tata_distances.values()) == 65_536


@pytest.mark.parametrize("fault", FAULTS)
def test_the_true_process_is_left_as_it_was(process, fault):
    FAULTS[fault](process)
    untouched = promoter_process(256)
    assert all(same(getattr(process, f.name), getattr(untouched, f.name)) for f in fields(process) if f.name != "boxes")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_process_explains_its_own_draws_better_than_the_true_one(process, fault):
    codes = faulty_draw(process, fault, 500).codes
    with np.errstate(divide="ignore"):  # what is missing has weight 0
        own = log_likelihood(FAULTS[fault](process), codes)
    gain = own - log_likelihood(process, codes)
    assert gain.mean() > 3 * gain.std() / 500**0.5


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("length", [96, 256, 400])
def test_elements_lie_inside_and_apart_at_any_length(length, fault):
    drawn = draw(FAULTS[fault](promoter_process(length)), 5000, seed=1)
    with_tata = drawn.tata >= 0
    assert with_tata.any() == (fault != "no-tata")
    both = with_tata & (drawn.initiator >= 0)
    assert (drawn.tata[both] + TATA_BOX.width <= drawn.initiator[both]).all()
    sequence, kind, start = drawn.boxes.T
    behind = with_tata[sequence]
    assert ((start + BOX_WIDTHS[kind])[behind] <= drawn.tata[sequence[behind]]).all()


def test_no_tata(process, true_draw):
    drawn = faulty_draw(process, "no-tata")
    assert (drawn.tata == -1).all()
    assert (true_draw.tata >= 0).mean() > 0.2
    assert np.array_equal(drawn.regime, true_draw.regime)
    assert np.array_equal(drawn.boxes, true_draw.boxes)
    # The TATA-box raised the Initiator's frequency, and that share of Initiators stays.
    truth = {
        (species.name, kind.name): kind.tata * species.initiator_with_tata
        + (1 - kind.tata) * species.initiator_without_tata
        for species in SPECIES
        for kind in species.classes
    }
    assert truth["sim-insect", "cpg"] == pytest.approx(0.15 * 0.80 + 0.85 * 0.55)
    for index, regime in enumerate(process.regimes):
        member = drawn.regime == index
        assert near((drawn.initiator[member] >= 0).mean(), truth[regime], member.sum())


def test_tata_shift(process, true_draw):
    drawn = faulty_draw(process, "tata-shift")
    assert np.array_equal(drawn.tata, np.where(true_draw.tata >= 0, true_draw.tata - 5, -1))
    assert np.array_equal(drawn.initiator, true_draw.initiator)
    assert np.array_equal(drawn.boxes, true_draw.boxes)
    histogram, before = (np.bincount(d.tata[d.tata >= 0], minlength=256) for d in (drawn, true_draw))
    assert np.array_equal(histogram[:-5], before[5:])
    assert before.argmax() in (171, 172, 173)  # position 0 of the box, its fourth base, at -30 of 205


def test_spacing(process, true_draw):
    drawn = faulty_draw(process, "spacing")
    assert np.array_equal(drawn.tata >= 0, true_draw.tata >= 0)
    assert np.array_equal(drawn.initiator, true_draw.initiator)
    both = (drawn.tata >= 0) & (drawn.initiator >= 0)
    distances = (drawn.tata + TATA_BOX.origin)[both] - (drawn.initiator + INITIATOR.origin)[both]
    values, counts = np.unique(distances, return_counts=True)
    assert values.tolist() == list(range(-38, -21))
    assert chisquare(counts).pvalue > 0.001
    assert abs(distances.mean() + 30) < 4 * distances.std() / len(distances) ** 0.5


@pytest.mark.parametrize("fault", ["tata-shift", "spacing"])
def test_a_displaced_tata_box_is_an_intact_one(process, fault):
    drawn = faulty_draw(process, fault)
    rows = np.flatnonzero(drawn.tata >= 0)
    instances = drawn.codes[rows[:, None], drawn.tata[rows, None] + np.arange(TATA_BOX.width)]
    frequencies = np.stack([(instances == base).mean(0) for base in range(4)], axis=1)
    counts = np.array(TATA_BOX.counts)
    assert np.abs(frequencies - counts / counts.sum(1, keepdims=True)).max() < 4 * 0.5 / len(rows) ** 0.5


def test_no_cpg(process):
    labels = np.array(process.regimes)[faulty_draw(process, "no-cpg").regime]
    assert set(labels[:, 1]) == {"nocpg"}
    for species in SPECIES:
        assert near((labels[:, 0] == species.name).mean(), species.share, N)


def test_no_species(process):
    labels = np.array(process.regimes)[faulty_draw(process, "no-species").regime]
    richest = max(SPECIES, key=lambda s: sum(kind.share * kind.tata for kind in s.classes))
    assert richest.name == "sim-plant"
    for species in SPECIES:
        truth = 0.0 if species is richest else species.share / (1 - 0.15)
        member = labels[:, 0] == species.name
        assert near(member.mean(), truth, N)
        if truth:
            assert near((labels[member, 1] == "cpg").mean(), species.classes[0].share, member.sum())
