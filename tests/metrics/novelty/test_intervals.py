"""Intervals against SciPy, a published example, and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from dnabench_metrics.novelty.intervals import difference, mean, share


def of(hits: int, n: int) -> np.ndarray:
    return np.arange(n) < hits


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (1, 20), (13, 50), (999, 1000), (70, 70)])
def test_the_share_has_the_interval_of_scipy(hits, n):
    score = share(of(hits, n))
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert (score.value, score.ci_low, score.ci_high) == pytest.approx((hits / n, *expected), abs=1e-12)
    assert score.ci_low <= score.value <= score.ci_high
    assert score.ci_high - score.ci_low > 1 / (n + 4)


def test_the_difference_of_newcombes_table():
    # Newcombe 1998, Table II, comparison (a): 56/70 - 48/80, method 10.
    score = difference(share(of(56, 70)), share(of(48, 80)))
    assert (score.value, score.ci_low, score.ci_high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_swapping_the_sides_of_a_difference_mirrors_it():
    one, other = share(of(3, 40)), share(of(31, 90))
    forward, back = difference(one, other), difference(other, one)
    assert (forward.value, forward.ci_low, forward.ci_high) == (-back.value, -back.ci_high, -back.ci_low)


@pytest.mark.parametrize("p", [0.01, 0.1, 0.5, 0.95, 1.0])
def test_intervals_cover(p):
    rng = np.random.default_rng(0)
    draws = [rng.random(200) < p for _ in range(600)]
    shares = [share(draw) for draw in draws]
    differences = [difference(score, share(rng.random(120) < p)) for score in shares]
    means = [mean(np.where(draw, 0.9 + 0.1 * rng.random(200), 0.0)) for draw in draws]
    for scores, truth in ((shares, p), (differences, 0.0), (means, 0.95 * p)):
        covered = np.mean([score.ci_low <= truth <= score.ci_high for score in scores])
        assert covered > 0.92
        assert all(score.ci_low < score.ci_high for score in scores)


@pytest.mark.parametrize("numbers", [np.zeros(50), np.ones(50), np.full(50, 0.95), np.full(2, 0.8)])
def test_a_mean_without_spread_lies_inside_an_interval_of_some_width(numbers):
    score = mean(numbers)
    assert score.value == pytest.approx(numbers[0])
    assert score.ci_low <= score.value <= score.ci_high
    assert score.ci_high - score.ci_low > 1 / len(numbers)


def test_a_mean_of_many_has_the_normal_interval():
    numbers = np.random.default_rng(1).random(20_000)
    score = mean(numbers)
    half = 1.959964 * numbers.std() / np.sqrt(20_000)
    assert (score.ci_low, score.ci_high) == pytest.approx((numbers.mean() - half, numbers.mean() + half), abs=2e-5)
