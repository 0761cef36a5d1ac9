"""`gc` against SciPy, closed forms and replicates."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import wasserstein_distance

from dnabench import SequenceSet, UserError
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.sequences.gc import GCContent, wasserstein

CONTENTS = hnp.arrays(np.float64, st.integers(2, 40), elements=st.integers(0, 16).map(lambda i: i / 16))


def test_two_sequences_a_side_by_hand(scorer):
    # Contents 1/2, 1 against 0 (of two known bases), 1/4: the sorted pairs are 1/2 and 3/4 apart.
    score = scorer(GCContent())(SequenceSet.from_strings(["ACGT", "GGCC"]), SequenceSet.from_strings(["NATN", "ATGT"]))
    assert score.value == pytest.approx(5 / 8, rel=1e-12)
    assert score.parts["generated-mean"].value == pytest.approx(3 / 4)
    assert score.parts["reference-mean"].value == pytest.approx(1 / 8)


@given(generated=CONTENTS, reference=CONTENTS)
def test_equals_scipy_and_is_symmetric(generated, reference):
    forth = wasserstein(generated=generated, reference=reference)
    back = wasserstein(generated=reference, reference=generated)
    assert forth.value == pytest.approx(wasserstein_distance(generated, reference), abs=1e-12)
    assert back.value == pytest.approx(forth.value, abs=1e-12)
    np.testing.assert_allclose(back.influence_reference, forth.influence_generated, atol=1e-12)


def test_equals_scipy_on_real_promoters(real_promoters, scorer):
    human, yeast = real_promoters("hs"), real_promoters("sc")
    contents = [np.isin(side.codes, (1, 2)).mean(1) for side in (human, yeast)]
    assert scorer(GCContent())(human, yeast).value == pytest.approx(wasserstein_distance(*contents), abs=1e-12)


@given(generated=CONTENTS, reference=CONTENTS)
def test_the_influence_is_the_slope_in_an_observations_weight(generated, reference):
    # W is piecewise linear in the weights: exact, where F and G differ at every point.
    points = np.unique(np.concatenate([generated, reference]))[:-1]
    excess = [(generated <= point).mean() - (reference <= point).mean() for point in points]
    assume(np.abs(excess).min(initial=1) >= 0.01)
    step = 1e-4
    influence = wasserstein(generated=generated, reference=reference).influence_generated
    slopes = []
    for i in range(len(generated)):
        weights = np.full(len(generated), (1 - step) / len(generated))
        weights[i] += step
        moved = wasserstein_distance(generated, reference, u_weights=weights)
        slopes.append((moved - wasserstein_distance(generated, reference)) / step)
    np.testing.assert_allclose(influence - influence.mean(), slopes, atol=1e-9)


@pytest.mark.parametrize(
    ("shift", "scale", "least", "most"), [(0.0, 1.0, 1.2, 1.7), (0.0, 1.6, 0.9, 1.15), (0.05, 1.0, 0.9, 1.1)]
)
def test_the_standard_error_against_the_spread_over_replicates(shift, scale, least, most):
    rng = np.random.default_rng(0)
    runs = [
        wasserstein(
            generated=rng.normal(0.5 + shift, 0.1 * scale, 300).round(3), reference=rng.normal(0.5, 0.1, 200).round(3)
        )
        for _ in range(400)
    ]
    values = np.array([run.value for run in runs])
    errors = np.array([standard_error(run.influence_generated, run.influence_reference) for run in runs])
    assert least < np.sqrt((errors**2).mean()) / values.std(ddof=1) < most
    assert (np.abs(values - values.mean()) <= Z95 * errors).mean() > 0.92


def test_the_floor_is_the_documented_one(real_promoters, scorer):
    human = real_promoters("hs")
    rng = np.random.default_rng(1)
    contents = np.sort(np.isin(human.codes, (1, 2)).mean(1))
    below = np.arange(1, len(contents)) / len(contents)
    # A Brownian bridge at F is normal with variance F (1 - F), so its mean size is sqrt(2 / pi) times the root.
    expected = np.sqrt(2 / np.pi * 2 / 1000) * (np.sqrt(below * (1 - below)) @ np.diff(contents))
    values = []
    for _ in range(30):
        order = rng.permutation(len(human))
        values.append(scorer(GCContent())(human.codes[order[:1000]], human.codes[order[1000:2000]]).value)
    assert np.mean(values) == pytest.approx(expected, abs=3 * np.std(values) / np.sqrt(30))
    assert np.mean(values) == pytest.approx(0.006, abs=0.001)


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_mutants_differ_in_the_share_of_bases_that_is_asked_for(mutated, rate):
    codes = np.random.default_rng(0).integers(0, 4, (200, 500), dtype=np.uint8)
    assert (mutated(codes, rate) != codes).mean() == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / 100_000))


def test_it_grows_with_the_share_of_mutated_bases(real_promoters, scorer, mutated):
    human = real_promoters("hs").codes
    values = [scorer(GCContent())(mutated(human[::2], rate), human[1::2]) for rate in (0, 0.01, 0.03, 0.1, 0.3, 1)]
    # Below 3 % the loss of GC is smaller than the chance difference of the two halves, and may even undo it.
    assert all(low.value < high.value for low, high in itertools.pairwise(values[1:]))
    assert values[-1].ci_low > values[-2].ci_high


@given(seed=st.integers(0, 99))
def test_the_order_of_the_sequences_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 17, (2, 30)) / 16
    one, other = (wasserstein(generated=side, reference=y) for side in (x, rng.permutation(x)))
    assert one.value == pytest.approx(other.value, abs=1e-14)
    assert np.std(one.influence_generated) == pytest.approx(np.std(other.influence_generated), abs=1e-14)


def test_equal_contents_are_at_zero(scorer):
    score = scorer(GCContent())(SequenceSet.from_strings(["AC"] * 4), SequenceSet.from_strings(["GT"] * 3))
    assert (score.value, score.ci_low, score.ci_high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("texts", "message"),
    [(["NN", "AC", "NN"], "2 of 3 generated sequences hold no base but N"), (["AC"], "at least 2")],
)
def test_what_is_refused(texts, message, scorer):
    with pytest.raises(UserError, match=message):
        scorer(GCContent())(SequenceSet.from_strings(texts), SequenceSet.from_strings(["AC", "GT"]))
