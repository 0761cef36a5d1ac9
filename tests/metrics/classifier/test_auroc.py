"""The AUROC, DeLong's standard error and the interval against scikit-learn, double sums, a root and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from dnabench_metrics.classifier.auroc import (
    auroc_estimate,
    auroc_interval,
    midranks,
    newcombe_interval,
    null_standard_error,
)
from dnabench_metrics.features import Z95, Estimate

scores = st.lists(st.integers(-4, 4), min_size=2, max_size=30).map(lambda values: np.array(values, float))


def test_ranks_of_ties_by_hand():
    assert midranks(np.array([3.0, 1.0, 3.0, 2.0, 3.0])).tolist() == [4.0, 1.0, 4.0, 2.0, 4.0]


@given(scores, scores)
def test_the_area_is_that_of_scikit_learn(generated, reference):
    labels = np.repeat([1, 0], [len(generated), len(reference)])
    expected = roc_auc_score(labels, np.concatenate([generated, reference]))
    assert auroc_estimate(generated=generated, reference=reference).value == pytest.approx(expected, abs=1e-12)


@given(scores, scores)
def test_the_standard_error_is_delongs_double_sum(generated, reference):
    difference = generated[:, None] - reference
    kernel = (difference > 0) + 0.5 * (difference == 0)  # psi(X_i, Y_j) of the paper
    expected = kernel.mean(1).var(ddof=1) / len(generated) + kernel.mean(0).var(ddof=1) / len(reference)
    estimate = auroc_estimate(generated=generated, reference=reference)
    assert estimate.standard_error == pytest.approx(np.sqrt(expected), abs=1e-12)


@given(scores, scores)
def test_exchanging_the_sides_mirrors_value_and_interval(generated, reference):
    one = auroc_estimate(generated=generated, reference=reference)
    other = auroc_estimate(generated=reference, reference=generated)
    assert other.value == pytest.approx(1 - one.value, abs=1e-12)
    assert other.standard_error == pytest.approx(one.standard_error, abs=1e-12)
    low, high = auroc_interval(one, len(generated), len(reference))
    assert auroc_interval(other, len(reference), len(generated)) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert 0 <= low <= one.value <= high <= 1
    assert high - low > 0.1  # of 30 scores a side at most


@pytest.mark.parametrize(("shift", "n", "m"), [(0.0, 40, 60), (1.0, 60, 40), (2.2, 80, 80)])
def test_intervals_cover_the_area_between_two_normal_laws(shift, n, m):
    # P(X > Y) of normal laws of unit variance that are ``shift`` apart is Phi(shift / sqrt 2).
    from scipy.stats import norm

    truth = norm.cdf(shift / np.sqrt(2))
    rng = np.random.default_rng(0)
    runs = [auroc_estimate(generated=rng.normal(shift, 1, n), reference=rng.normal(0, 1, m)) for _ in range(1500)]
    values = np.array([run.value for run in runs])
    assert values.mean() == pytest.approx(truth, abs=4 * values.std() / np.sqrt(1500))
    assert np.mean([run.standard_error for run in runs]) == pytest.approx(values.std(ddof=1), rel=0.06)
    covered = [low <= truth <= high for low, high in (auroc_interval(run, n, m) for run in runs)]
    assert 0.935 <= np.mean(covered) <= 0.98


def test_the_null_standard_error_is_the_spread_of_random_orders():
    # All 70 ways in which four scores of one side can lie among four of the other are equally likely.
    from itertools import combinations

    ranks = np.arange(8.0)
    areas = [
        auroc_estimate(generated=ranks[list(chosen)], reference=np.delete(ranks, chosen)).value
        for chosen in combinations(range(8), 4)
    ]
    assert np.std(areas) == pytest.approx(null_standard_error(4, 4), rel=1e-12)


def normal(truth: float, sd: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    from scipy.stats import norm

    return rng.normal(norm.ppf(truth) * np.hypot(1, sd), sd, n), rng.normal(0, 1, n)


def exponential(truth: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.exponential(truth / (1 - truth), n), rng.exponential(1, n)


def some_alike(truth: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All generated scores lie above the reference's but for a share of the reference's own law."""
    return rng.random(n) + 2 * (rng.random(n) > 2 * (1 - truth)), rng.random(n)


def some_below(truth: float, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """All generated scores lie above the reference's but for a share that lies below them."""
    return rng.random(n) - 2 + 4 * (rng.random(n) < truth), rng.random(n)


LAWS = {
    "normal": lambda truth, n, rng: normal(truth, 1, n, rng),
    "normal, one of three times the spread": lambda truth, n, rng: normal(truth, 3, n, rng),
    "exponential": exponential,
    "some alike": some_alike,
    "some below": some_below,
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("truth", [0.9, 0.99, 0.998])
@pytest.mark.parametrize("n", [25, 100])
def test_intervals_cover_areas_near_complete_separation(law, truth, n):
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        generated, reference = LAWS[law](truth, n, rng)
        low, high = auroc_interval(auroc_estimate(generated=generated, reference=reference), n, n)
        covered.append(low <= truth <= high)
    # 94 % less three standard errors of a share of 400.
    assert np.mean(covered) >= 0.94 - 3 * np.sqrt(0.94 * 0.06 / 400)


@pytest.mark.parametrize(("value", "n", "m"), [(0.5, 30, 30), (0.82, 25, 60), (0.97, 400, 150), (0.1, 12, 9)])
def test_newcombes_ends_are_where_his_variance_allows_the_value(value, n, m):
    low, high = newcombe_interval(value, n, m)
    assert low < value < high
    for t in (low, high):
        # Hanley and McNeil 1982: Q1 = t / (2 - t), Q2 = 2 t^2 / (1 + t), here with (n + m) / 2 - 1 for n - 1 and m - 1.
        variance = (t * (1 - t) + ((n + m) / 2 - 1) * (t / (2 - t) + 2 * t**2 / (1 + t) - 2 * t**2)) / (n * m)
        assert abs(value - t) == pytest.approx(Z95 * np.sqrt(variance), rel=1e-6)


@pytest.mark.parametrize("n", [25, 1000])
def test_complete_separation_leaves_room_for_what_was_not_drawn(n):
    # A share of 3.69 / n of one side that lies beyond the other is not drawn with a chance of 1 / 40.
    low, high = auroc_interval(Estimate(1.0, 0.0), n, 4 * n)
    assert (1 - low, high) == (pytest.approx(1 - np.exp(np.log(0.025) / n), rel=1e-9), 1)
    assert auroc_interval(Estimate(0.0, 0.0), 4 * n, n) == pytest.approx((0, 1 - low), abs=1e-12)


def test_the_interval_closes_on_a_large_sample_just_short_of_separation():
    # One pair of 10^8 is the wrong way round.
    low, high = auroc_interval(Estimate(1 - 1e-8, 1e-8), 10_000, 10_000)
    assert 0.999 < low < 1 - 1e-8 <= high <= 1
