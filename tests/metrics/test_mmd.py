"""`mmd` against closed forms, direct double sums, and replicates."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.distances import mmd
from dnabench_metrics.distances.mmd import MaximumMeanDiscrepancy, median_squared_distance, mmd_estimate, rbf_kernel
from dnabench_metrics.records.distances import MMDOptions


def linear(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x @ y.T


def test_with_a_linear_kernel_it_is_the_debiased_distance_of_the_means():
    # The biased form is |mu_x - mu_y|^2; leaving out the diagonals takes tr S_x / n + tr S_y / m off it.
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((70, 5)) + 0.4, rng.gamma(1, 1, (50, 5))
    shift = x.mean(0) - y.mean(0)
    expected = shift @ shift - np.trace(np.cov(x.T)) / 70 - np.trace(np.cov(y.T)) / 50
    assert mmd_estimate(generated=x, reference=y, kernel=linear).value == pytest.approx(expected, rel=1e-10)


def test_two_points_a_side_by_hand():
    # Bandwidth s^2 = 1/2, so k = exp(-|x - y|^2): within X exp(-1), within Y exp(-9), across exp(-(0, 9, 1, 4)).
    x, y = np.array([[0.0], [1.0]]), np.array([[0.0], [3.0]])
    expected = np.exp(-1) + np.exp(-9) - 2 * np.mean(np.exp([0.0, -9.0, -1.0, -4.0]))
    estimate = mmd_estimate(generated=x, reference=y, kernel=rbf_kernel(0.5, 1))
    assert estimate.value == pytest.approx(expected, rel=1e-12)
    assert estimate.value < 0


def test_bandwidths_are_powers_of_two_around_the_median():
    x, y = np.array([[0.0]]), np.array([[2.0]])
    expected = np.mean([np.exp(-4 / (2 * 3 * factor)) for factor in (0.25, 0.5, 1, 2, 4)])
    assert rbf_kernel(3.0, 5)(x, y)[0, 0] == pytest.approx(expected, rel=1e-12)


def test_the_order_of_a_large_reference_does_not_show(make_context):
    rng = np.random.default_rng(40)
    reference = SequenceSet(rng.integers(0, 4, (2600, 12), dtype=np.uint8))
    generated = SequenceSet(rng.integers(0, 3, (300, 12), dtype=np.uint8))
    context = make_context(
        embedder="toy", length=12, embed_with=lambda name, s: np.exp(s.codes.astype(np.float64)) ** 1.5
    )
    mixed = reference.take(rng.permutation(2600))
    metric = MaximumMeanDiscrepancy(MMDOptions())
    scores = [metric.score(generated=generated, reference=r, context=context) for r in (reference, mixed)]
    assert scores[0].value == scores[1].value
    assert scores[0].ci_low == scores[1].ci_low


def test_the_median_is_that_of_all_pairs():
    x = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert median_squared_distance(x) == pytest.approx(np.median([1, 9, 49, 4, 36, 16]))


def test_the_median_of_a_large_reference_is_taken_over_rows_from_all_of_it(monkeypatch):
    monkeypatch.setattr(mmd, "MEDIAN_ROWS", 5)
    # Every tenth of the rows 0 .. 40: distances 10 (four times), 20 (three times), 30, 30, 40.
    assert median_squared_distance(np.arange(41.0)[:, None]) == 20**2


def test_a_reference_of_equal_rows_still_has_a_bandwidth():
    for row, other in np.random.default_rng(5).standard_normal((20, 2, 64)):
        mostly_equal = np.tile(row, (5, 1))
        assert median_squared_distance(mostly_equal) == 1.0
        mostly_equal[0] = other
        # 4 of 10 pairs are apart: the median is 0.
        assert median_squared_distance(mostly_equal) == pytest.approx(0.4 * np.sum((row - other) ** 2))


def test_a_shift_is_seen_where_most_of_the_reference_coincides(score_features):
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((300, 64)) + 3, rng.standard_normal((300, 64))
    y[:240] = y[0]
    score = score_features(MaximumMeanDiscrepancy(MMDOptions()), generated=x, reference=y)
    expected = mmd_estimate(generated=x, reference=y, kernel=rbf_kernel(median_squared_distance(y), 5))
    assert score.value == pytest.approx(expected.value, rel=1e-5)
    assert score.ci_low > 0.9


@pytest.mark.parametrize("magnitude", [1e-25, 1e20])
def test_the_unit_of_the_embedding_does_not_show(magnitude, score_features):
    rng = np.random.default_rng(7)
    x, y = 1.5 * rng.standard_normal((80, 4)), rng.standard_normal((60, 4))
    metric = MaximumMeanDiscrepancy(MMDOptions())
    plain = score_features(metric, generated=x, reference=y)
    scaled = score_features(metric, generated=magnitude * x, reference=magnitude * y)
    assert scaled.value == pytest.approx(plain.value, abs=1e-6)
    assert scaled.ci_high == pytest.approx(plain.ci_high, abs=1e-6)


def test_a_generator_far_from_the_reference_keeps_the_distances_within_it(score_features):
    # Nothing across, so the kernel within each side is all there is; float32 would round the distances within x away.
    rng = np.random.default_rng(8)
    x, y = rng.standard_normal((80, 4)) + 1e5, rng.standard_normal((60, 4))
    score = score_features(MaximumMeanDiscrepancy(MMDOptions()), generated=x, reference=y)
    kernel = rbf_kernel(median_squared_distance(y), 5)
    near, same = (mmd_estimate(generated=x - 1e5, reference=side, kernel=kernel) for side in (y, y + 100))
    assert near.value < 0.1
    assert score.value == pytest.approx(same.value, rel=1e-4)


@pytest.mark.parametrize(("n", "m"), [(37, 23), (16, 8), (5, 41)])
def test_tiles_do_not_show(n, m, monkeypatch):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((n, 3)), rng.standard_normal((m, 3))
    kernel = rbf_kernel(2.0, 3)
    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    expected = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1)) - 2 * xy.mean()
    monkeypatch.setattr(mmd, "TILE", (8, 16))
    assert mmd_estimate(generated=x, reference=y, kernel=kernel).value == pytest.approx(expected, rel=1e-10)


def test_samples_of_one_source_are_at_zero_on_average_and_not_clipped():
    rng = np.random.default_rng(2)
    kernel = rbf_kernel(16.0, 5)
    values = np.array(
        [
            mmd_estimate(
                generated=rng.standard_normal((80, 8)), reference=rng.standard_normal((60, 8)), kernel=kernel
            ).value
            for _ in range(200)
        ]
    )
    assert abs(values.mean()) < 3 * values.std(ddof=1) / np.sqrt(200)
    assert (values < 0).mean() > 0.3


def test_the_standard_error_of_two_point_samples_by_hand():
    # Linear kernel, x at c - 1 and c + 1, y at -1 and 1, in halves. The influence of an x is 2 x (n c / (n - 1) - 0)
    # - 2 x^2 / (n - 1), where x^2 is 2 c x plus a constant: so 2 c (n - 2) / (n - 1) x. That of a y is -2 c y.
    n, m, c = 12, 20, 1.5
    x, y = np.tile([c - 1, c + 1], n // 2)[:, None], np.tile([-1.0, 1.0], m // 2)[:, None]
    expected = 2 * c * np.sqrt((n - 2) ** 2 / (n - 1) ** 3 + 1 / (m - 1))
    assert mmd_estimate(generated=x, reference=y, kernel=linear).standard_error == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1.2])
def test_the_standard_error_matches_the_spread_over_replicates(scale):
    rng = np.random.default_rng(3)
    kernel = rbf_kernel(12.0, 3)
    runs = [
        mmd_estimate(
            generated=scale * rng.standard_normal((250, 6)), reference=rng.standard_normal((200, 6)), kernel=kernel
        )
        for _ in range(120)
    ]
    spread = np.std([run.value for run in runs], ddof=1)
    claimed = np.mean([run.standard_error for run in runs])
    assert 0.75 * spread <= claimed <= 1.8 * spread


def test_the_score_in_float32_equals_float64_far_from_the_origin(score_features):
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((90, 4)) + 1000.5, rng.standard_normal((70, 4)) + 1000
    score = score_features(MaximumMeanDiscrepancy(MMDOptions(bandwidths=4)), generated=x, reference=y)
    expected = mmd_estimate(generated=x - 1000, reference=y - 1000, kernel=rbf_kernel(median_squared_distance(y), 4))
    assert score.value == pytest.approx(expected.value, abs=2e-6)
    assert score.ci_low == pytest.approx(expected.value - 1.959964 * expected.standard_error, abs=5e-6)
    assert score.ci_high == pytest.approx(expected.value + 1.959964 * expected.standard_error, abs=5e-6)


def test_the_cubic_kernel_is_kid_by_brute_force(score_features):
    rng = np.random.default_rng(30)
    x, y = rng.standard_normal((40, 5)) + 0.5, rng.gamma(1, 1, (30, 5))

    def kernel(a, b):
        return (a @ b / 5 + 1) ** 3

    within_x = np.mean([kernel(x[i], x[j]) for i in range(40) for j in range(40) if i != j])
    within_y = np.mean([kernel(y[i], y[j]) for i in range(30) for j in range(30) if i != j])
    across = np.mean([kernel(a, b) for a in x for b in y])
    score = score_features(MaximumMeanDiscrepancy(MMDOptions(kernel="cubic")), generated=x, reference=y)
    assert score.value == pytest.approx(within_x + within_y - 2 * across, rel=1e-9)


def test_of_more_sequences_than_the_most_a_draw_is_compared(score_features):
    rng = np.random.default_rng(31)
    x, y = rng.standard_normal((600, 4)) + 0.4, rng.standard_normal((500, 4))
    whole = score_features(MaximumMeanDiscrepancy(MMDOptions()), generated=x, reference=y)
    thinned = score_features(MaximumMeanDiscrepancy(MMDOptions(most=200)), generated=x, reference=y)
    assert thinned.value != whole.value
    assert thinned.ci_low < whole.value < thinned.ci_high
    assert thinned.ci_high - thinned.ci_low > 1.4 * (whole.ci_high - whole.ci_low)
