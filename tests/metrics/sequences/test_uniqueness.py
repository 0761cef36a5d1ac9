"""`uniqueness` by hand, against the occupancy problem's closed forms, and its interval over replicates."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnabench import SequenceSet, UserError
from dnabench_metrics.sequences.uniqueness import Uniqueness, distinct_share, distinct_variance, multiplicities


def draw(chances: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Multiplicities of what came up at all in ``n`` draws."""
    counts = rng.multinomial(n, chances)
    return counts[counts > 0]


def expected_distinct(chances: np.ndarray, n: int) -> float:
    return float((1 - (1 - chances) ** n).sum())


def test_by_hand(scorer):
    generated = SequenceSet.from_strings(["ACA", "ACA", "ACN", "AAA", "CAA", "AAA", "AAA", "TTT"])
    score = scorer(Uniqueness())(generated, SequenceSet.from_strings(["AAA", "AAA", "CCC"]))
    assert sorted(multiplicities(generated).tolist()) == [1, 1, 1, 2, 3]
    assert score.value == 5 / 8
    assert score.parts["reference"].value == 2 / 3


@pytest.mark.parametrize("length", [1, 7, 8, 9, 40, 256])
def test_equals_counting_the_texts(length):
    rng = np.random.default_rng(length)
    few = rng.integers(0, 5, (60, length), dtype=np.uint8)
    few[30:] = few[:30]
    few[30:, -1] = 0  # equal but for the last base
    sequences = SequenceSet(few[rng.integers(0, 60, 500)])
    assert sorted(multiplicities(sequences).tolist()) == sorted(Counter(sequences.strings()).values())


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.text("ACGTN", min_size=4, max_size=4), min_size=2, max_size=40), st.randoms())
def test_it_counts_different_texts_in_any_order(texts, random):
    shuffled = random.sample(texts, len(texts))
    one, other = (distinct_share(multiplicities(SequenceSet.from_strings(x))) for x in (texts, shuffled))
    assert one == other
    assert one[0] == len(set(texts)) / len(texts)
    assert 0 < one[1] <= one[0] <= one[2] <= 1


@pytest.mark.parametrize(
    ("kinds", "n", "most"), [(20_000, 200, 1.1), (500, 500, 1.3), (400, 800, 1.4), (30, 50, 1.7), (10, 20, 2.2)]
)
def test_the_variance_is_that_of_the_occupancy_problem_or_somewhat_larger(kinds, n, most):
    # n balls into `kinds` urns (Feller 1968, volume 1, problem IX.18): the variance of the number of empty ones.
    one, two = (1 - 1 / kinds) ** n, (1 - 2 / kinds) ** n
    exact = kinds * (kinds - 1) * two + kinds * one - (kinds * one) ** 2
    rng = np.random.default_rng(0)
    chances = np.full(kinds, 1 / kinds)
    estimates = [distinct_variance(draw(chances, n, rng)) for _ in range(600)]
    assert 0.9 * exact < np.mean(estimates) < most * exact


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_the_variance_is_at_most_the_number_of_repeats(counts):
    assert 0 <= distinct_variance(np.array(counts)) <= sum(counts) - len(counts)


POPULATIONS = {
    "one pair expected in 1.4 draws": (np.full(28_000, 1 / 28_000), 200),
    "some ten pairs": (np.full(2_000, 1 / 2_000), 200),
    "a train set of the sample's size, drawn again": (np.full(300, 1 / 300), 300),
    "a tenth of the mass on five sequences": (np.r_[np.full(5, 0.02), np.full(50_000, 0.9 / 50_000)], 300),
    "a long tail": ((1 / np.arange(1, 5001)) / (1 / np.arange(1, 5001)).sum(), 400),
    "half of the mass on ten sequences": (np.r_[np.full(10, 0.05), np.full(20_000, 0.5 / 20_000)], 100),
}

SMALL = {
    **{f"a pool of {k}, {n} drawn": (np.full(k, 1 / k), n) for k in (10, 30, 100) for n in (20, 50, 100, 300)},
    "one sequence and a rare rest": (np.r_[0.99, np.full(20_000, 0.01 / 20_000)], 300),
    "one sequence and a very rare rest": (np.r_[0.997, np.full(20_000, 0.003 / 20_000)], 300),
    "falling by 30 % each": (0.7 ** np.arange(40) / (0.7 ** np.arange(40)).sum(), 100),
    "a short tail": ((1 / np.arange(1, 31)) / (1 / np.arange(1, 31)).sum(), 100),
}


@pytest.mark.parametrize("name", POPULATIONS)
def test_intervals_hold_the_mean_over_draws(name):
    chances, n = POPULATIONS[name]
    rng = np.random.default_rng(1)
    mean = expected_distinct(chances, n) / n
    runs = np.array([distinct_share(draw(chances, n, rng)) for _ in range(1000)])
    assert runs[:, 0].mean() == pytest.approx(mean, abs=4 * runs[:, 0].std() / np.sqrt(1000) + 1e-9)
    covered = ((runs[:, 1] <= mean) & (mean <= runs[:, 2])).mean()
    assert covered > 0.92
    # Not wider than needed: two and a half times the normal width at most, where hardly anything repeats.
    if (1 - mean) * n > 5:
        assert (runs[:, 2] - runs[:, 1]).mean() < 1.35 * 2 * 1.96 * runs[:, 0].std()


@pytest.mark.parametrize("name", SMALL)
def test_intervals_of_collapsed_generators_hold_the_mean_over_draws(name):
    chances, n = SMALL[name]
    rng = np.random.default_rng(2)
    mean = expected_distinct(chances, n)
    runs = n * np.array([distinct_share(draw(chances, n, rng)) for _ in range(1000)])
    # What is expected and what was found differ by less than any rounding where the pool is exhausted.
    assert ((runs[:, 1] <= mean + 1e-9) & (mean <= runs[:, 2] + 1e-9)).mean() > 0.95
    # Two and a half times as wide as a normal interval at most, or 5.5, the width for a Poisson number that is 1.
    assert (runs[:, 2] - runs[:, 1]).mean() < max(5.5, 2.5 * 2 * 1.96 * runs[:, 0].std())


def test_the_ordinary_bootstrap_misses_what_these_intervals_hold():
    # A resample of n distinct rows keeps 1 - 1/e of them.
    rng = np.random.default_rng(2)
    resampled = [len(np.unique(rng.integers(0, 1000, 1000))) / 1000 for _ in range(50)]
    assert max(resampled) < 0.68
    assert distinct_share(np.ones(1000, int)) == (1.0, pytest.approx(1 - 3.689 / 1000, abs=1e-6), 1.0)


@pytest.mark.parametrize("kinds", [1, 10])
def test_the_same_sequences_over_and_over_leave_room_for_what_was_not_drawn(kinds):
    # New sequences that come up 3.69 times on average are not drawn with a chance of 1 / 40; fewer there cannot be.
    value, low, high = distinct_share(np.full(kinds, 500))
    assert (value, low) == (1 / 500, pytest.approx(1 / 500, rel=1e-9))
    assert high == pytest.approx((kinds + 3.689) / (kinds * 500), abs=1e-6)


def test_one_sequence_is_refused(scorer):
    with pytest.raises(UserError, match="1 reference sequences; it needs at least 2"):
        scorer(Uniqueness())(SequenceSet.from_strings(["AC", "CA"]), SequenceSet.from_strings(["AC"]))
