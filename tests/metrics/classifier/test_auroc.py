"""The AUROC and DeLong's standard error against scikit-learn, double sums and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from dnabench_metrics.classifier.auroc import auroc_estimate, auroc_interval, midranks, null_standard_error
from dnabench_metrics.features import Estimate

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
    low, high = auroc_interval(one)
    assert auroc_interval(other) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert 0 <= low <= one.value <= high <= 1


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
    covered = [low <= truth <= high for low, high in map(auroc_interval, runs)]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_the_null_standard_error_is_the_spread_of_random_orders():
    # All 70 ways in which four scores of one side can lie among four of the other are equally likely.
    from itertools import combinations

    ranks = np.arange(8.0)
    areas = [
        auroc_estimate(generated=ranks[list(chosen)], reference=np.delete(ranks, chosen)).value
        for chosen in combinations(range(8), 4)
    ]
    assert np.std(areas) == pytest.approx(null_standard_error(4, 4), rel=1e-12)


def test_complete_separation_has_an_interval_without_width():
    assert auroc_interval(Estimate(1.0, 0.0)) == (1.0, 1.0)
    assert auroc_interval(Estimate(0.0, 0.0)) == (0.0, 0.0)
