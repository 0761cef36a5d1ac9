"""`fred` against closed forms, SciPy's matrix root, and replicates."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.linalg

from dnabench import UserError
from dnabench_metrics.distances.frechet import FrechetDistance, frechet_distance, frechet_estimate, trace_of_root
from dnabench_metrics.records.distances import FredOptions


def whitened(n: int, d: int, *, seed: int) -> np.ndarray:
    """A sample whose own mean is exactly 0 and whose own covariance is exactly the identity."""
    x = np.random.default_rng(seed).standard_normal((n, d))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(x.T)))).T


def test_a_shift_costs_its_squared_length():
    x = np.random.default_rng(0).standard_normal((500, 8)) * np.arange(1, 9)
    shift = np.linspace(-1, 2, 8)
    assert frechet_estimate(generated=x + shift, reference=x).value == pytest.approx(shift @ shift, abs=1e-9)


@pytest.mark.parametrize("scale", [0.5, 1.1, 3.0])
def test_a_scale_costs_d_times_its_excess_squared(scale):
    x, y = whitened(400, 16, seed=1), whitened(700, 16, seed=2)
    assert frechet_estimate(generated=scale * x, reference=y).value == pytest.approx(16 * (scale - 1) ** 2, abs=1e-9)


def test_identical_samples_are_at_distance_zero():
    x = np.random.default_rng(3).standard_normal((300, 64))
    assert 0 <= frechet_estimate(generated=x, reference=x).value <= 1e-6


def test_identical_samples_of_low_rank_are_at_distance_zero():
    x = np.random.default_rng(3).standard_normal((300, 5)) @ np.random.default_rng(4).standard_normal((5, 64))
    assert 0 <= frechet_estimate(generated=x, reference=x).value <= 1e-6


def test_dimensions_that_neither_side_enters_do_not_count():
    # Five dimensions turned into 64: 59 eigenvalues are rounding noise.
    rng = np.random.default_rng(15)
    x, y = rng.standard_normal((300, 5)) * np.arange(1, 6), rng.gamma(1, 2, (250, 5))
    axes = np.linalg.qr(rng.standard_normal((64, 5)))[0].T
    inside = frechet_estimate(generated=x, reference=y)
    turned = frechet_estimate(generated=x @ axes, reference=y @ axes)
    assert turned.value == pytest.approx(inside.value, rel=1e-10)
    assert turned.standard_error == pytest.approx(inside.standard_error, rel=1e-10)


def test_equals_the_general_matrix_root_of_scipy():
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((400, 20)) @ rng.standard_normal((20, 20)), rng.gamma(1, 2, (300, 20))
    cov_x, cov_y = np.cov(x.T), np.cov(y.T)
    root = scipy.linalg.sqrtm(cov_x @ cov_y).real
    shift = x.mean(0) - y.mean(0)
    expected = shift @ shift + np.trace(cov_x + cov_y - 2 * root)
    assert frechet_estimate(generated=x, reference=y).value == pytest.approx(expected, rel=1e-9)


def test_is_symmetric_and_blind_to_order():
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((200, 10)), rng.gamma(2, 1, (150, 10))
    forward, back = frechet_estimate(generated=x, reference=y), frechet_estimate(generated=y[::-1], reference=x)
    assert forward.value == pytest.approx(back.value, rel=1e-10)
    assert forward.standard_error == pytest.approx(back.standard_error, rel=1e-8)


def test_a_collapsed_generator_costs_the_variance_it_lacks():
    y = whitened(300, 8, seed=7)
    estimate = frechet_estimate(generated=np.full((300, 8), 2.0), reference=y)
    assert estimate.value == pytest.approx(8 * 4 + 8, rel=1e-9)
    assert np.isfinite(estimate.standard_error)


def test_the_standard_error_of_a_shift_in_one_dimension_is_the_textbook_one():
    # In one dimension the distance is (mu_x - mu_y)^2 + (s_x - s_y)^2; with equal spreads only the means' part is left.
    x = whitened(1000, 1, seed=8)
    shift = 3.0
    expected = 2 * shift * np.sqrt(1 / 1000 + 1 / 1000)
    assert frechet_estimate(generated=x + shift, reference=x).standard_error == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1.15])
def test_the_standard_error_matches_the_spread_over_replicates(scale):
    rng = np.random.default_rng(9)
    runs = [
        frechet_estimate(
            generated=scale * rng.standard_normal((800, 12)) + 0.1, reference=rng.standard_normal((600, 12))
        )
        for _ in range(150)
    ]
    spread = np.std([run.value for run in runs], ddof=1)
    claimed = np.mean([run.standard_error for run in runs])
    assert 0.8 * spread <= claimed <= 1.6 * spread


def test_the_score_holds_the_distance_and_an_interval_around_it(score_features):
    rng = np.random.default_rng(10)
    x, y = rng.standard_normal((200, 4)) * 1.5, rng.standard_normal((150, 4))
    score = score_features(FrechetDistance(FredOptions()), generated=x, reference=y)
    value, error, _ = frechet_estimate(generated=x, reference=y)
    assert score.value == value
    assert score.ci_high == pytest.approx(value + 1.959964 * error)
    assert score.ci_low == pytest.approx(value - 1.959964 * error)


def test_the_interval_never_reaches_below_zero(score_features):
    x = np.random.default_rng(11).standard_normal((100, 3))
    score = score_features(FrechetDistance(FredOptions()), generated=x, reference=x + 1e-9)
    assert score.ci_low == 0


def test_too_few_samples_for_the_dimension_are_refused(score_features):
    x = np.random.default_rng(12).standard_normal((16, 16))
    with pytest.raises(UserError, match="16 generated sequences for the 16 dimensions"):
        score_features(FrechetDistance(FredOptions()), generated=x, reference=x.repeat(2, 0))


def test_under_ten_times_the_dimension_it_warns_and_at_ten_times_it_does_not(score_features):
    x = np.random.default_rng(13).standard_normal((160, 16))
    with pytest.warns(UserWarning, match="159 reference sequences"):
        score_features(FrechetDistance(FredOptions()), generated=x, reference=x[:159])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        score_features(FrechetDistance(FredOptions()), generated=x, reference=x)


def test_embeddings_that_are_not_finite_are_refused(score_features):
    x = np.random.default_rng(14).standard_normal((50, 3))
    broken = x.copy()
    broken[7, 1] = np.nan
    with pytest.raises(ValueError, match="generated embeddings hold values that are not finite"):
        score_features(FrechetDistance(FredOptions()), generated=broken, reference=x)


def bias_by_the_formula_for_one_gaussian(eigenvalues, n, m):
    """(1/n + 1/m) (tr S + 1/2 sum_ij l_i l_j (1 + [i = j]) / (l_i + l_j)): what Wick's theorem makes of it."""
    pairs = np.outer(eigenvalues, eigenvalues) * (1 + np.eye(len(eigenvalues)))
    return (1 / n + 1 / m) * (eigenvalues.sum() + (pairs / np.add.outer(eigenvalues, eigenvalues)).sum() / 2)


@pytest.mark.parametrize("eigenvalues", [np.ones(32), 1 / np.arange(1, 33)])
def test_the_bias_of_one_gaussian_is_that_of_its_closed_form(eigenvalues):
    rng = np.random.default_rng(20)
    x, y = (rng.standard_normal((n, 32)) * np.sqrt(eigenvalues) for n in (4000, 3000))
    bias = frechet_estimate(generated=x, reference=y).bias
    assert bias == pytest.approx(bias_by_the_formula_for_one_gaussian(eigenvalues, 4000, 3000), rel=0.02)


def symmetric_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def bias_by_all_pairs(own, other):
    """One side's bias as the metric's docstring states it, with symmetric roots and a sum over all pairs i, j."""
    centred, root = own - own.mean(0), symmetric_root(np.cov(other.T))
    m, basis = np.linalg.eigh(root @ np.cov(own.T) @ root)
    w = centred @ root @ basis
    total = 0.0
    for i in range(len(m)):
        for j in range(len(m)):
            fourth = np.mean(w[:, i] ** 2 * w[:, j] ** 2) - (i == j) * m[i] ** 2
            total += fourth / (np.sqrt(m[i] * m[j]) * (np.sqrt(m[i]) + np.sqrt(m[j])))
    return (np.trace(np.cov(own.T)) + total / 2) / len(own)


@pytest.mark.parametrize("smallest", [1.0, 1e-2, 1e-4])
def test_the_bias_is_that_of_the_stated_formula(smallest):
    # Standard deviations from 1 down: products of two covariances span the fourth power of it.
    rng = np.random.default_rng(27)
    turn = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    x = scale_mixture(rng, 600)[:, :12] * np.geomspace(1, smallest, 12) @ turn
    y = (rng.gamma(2, 1, (900, 12)) - 2) * np.geomspace(1, smallest, 12)
    expected = bias_by_all_pairs(x, y) + bias_by_all_pairs(y, x)
    assert frechet_estimate(generated=x, reference=y).bias == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("smallest", [1.0, 1e-6, 1e-12, 0.0])
def test_the_trace_of_the_root_of_covariances_that_share_their_axes(smallest):
    # They commute: the eigenvalues of the root are the roots of the products.
    rng = np.random.default_rng(28)
    axes = np.linalg.qr(rng.standard_normal((20, 20)))[0]
    values_x, values_y = np.linspace(1, smallest, 20), rng.uniform(1, 2, 20)
    cov_x, cov_y = ((axes * values) @ axes.T for values in (values_x, values_y))
    expected = np.sqrt(values_x * values_y).sum()
    assert trace_of_root(cov_x, cov_y) == pytest.approx(expected, rel=1e-7)
    assert trace_of_root(cov_y, cov_x) == pytest.approx(expected, rel=1e-7)


def gaussian(rng, n):
    return rng.standard_normal((n, 16))


def scale_mixture(rng, n):
    # Standard deviation 1 in every direction, and far more fourth moment than a Gaussian.
    return rng.standard_normal((n, 16)) * np.sqrt(rng.choice([0.2, 3.4], size=(n, 1), p=[0.75, 0.25]))


@pytest.mark.parametrize("draw", [gaussian, scale_mixture])
@pytest.mark.parametrize("scale", [1.0, 1.2])
def test_the_debiased_distance_is_the_true_one_on_average(draw, scale):
    rng = np.random.default_rng(21)
    runs = [frechet_estimate(generated=scale * draw(rng, 500) + 0.1, reference=draw(rng, 800)) for _ in range(100)]
    debiased = np.array([run.value - run.bias for run in runs])
    truth = 16 * (scale - 1) ** 2 + 16 * 0.1**2
    plain = np.mean([run.value for run in runs])
    # What is left of the bias is of third order: a tenth of what was taken away, at most.
    error = debiased.std(ddof=1) / 10
    assert abs(debiased.mean() - truth) < 3 * error + 0.1 * (plain - truth)
    assert plain - truth > 10 * error


def test_debiased_distances_at_different_n_agree_and_plain_ones_do_not():
    rng = np.random.default_rng(22)
    values = {n: [] for n in (300, 1200)}
    for n, found in values.items():
        for _ in range(40):
            estimate = frechet_estimate(generated=1.1 * gaussian(rng, n), reference=gaussian(rng, n))
            found.append((estimate.value, estimate.value - estimate.bias))
    (plain_few, few), (plain_many, many) = (np.mean(found, axis=0) for found in values.values())
    error = np.hypot(*(np.std([d for _, d in found]) / np.sqrt(40) for found in values.values()))
    assert abs(few - many) < 3 * error
    assert plain_few - plain_many > 10 * error


def test_extrapolation_agrees_with_the_true_distance(score_features):
    rng = np.random.default_rng(23)
    truth = 8 * 0.3**2
    metric = FrechetDistance(FredOptions(extrapolate=True))
    found = []
    for _ in range(12):
        score = score_features(
            metric, generated=1.3 * rng.standard_normal((800, 8)), reference=gaussian(rng, 800)[:, :8]
        )
        found.append(score.parts["extrapolated"].value)
    assert np.mean(found) == pytest.approx(truth, abs=3 * np.std(found, ddof=1) / np.sqrt(12))


def test_too_few_sequences_to_extrapolate_are_refused(score_features):
    x = np.random.default_rng(24).standard_normal((40, 16))
    with (
        pytest.raises(UserError, match="40 sequences are too few to extrapolate in 16 dimensions; it needs 48"),
        pytest.warns(),
    ):
        score_features(FrechetDistance(FredOptions(extrapolate=True)), generated=x, reference=x)


def test_the_debiased_part_may_be_negative_and_has_the_same_width(score_features):
    x, y = np.random.default_rng(25).standard_normal((2, 400, 8))
    score = score_features(FrechetDistance(FredOptions()), generated=x, reference=x + 1e-3 * y)
    part = score.parts["debiased"]
    assert part.value < 0 < score.value
    assert part.ci_high - part.ci_low == pytest.approx(2 * (score.ci_high - score.value))


def test_the_distance_alone_is_that_of_the_estimate():
    rng = np.random.default_rng(26)
    x, y = rng.standard_normal((200, 12)) * np.arange(1, 13), rng.gamma(2, 1, (150, 12))
    expected = frechet_estimate(generated=x, reference=y).value
    assert frechet_distance(generated=x, reference=y) == pytest.approx(expected, rel=1e-12)
