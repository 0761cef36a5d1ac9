"""Distances between predictions against scipy, closed forms, and replicates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.oracles import agreement
from dnabench_metrics.oracles.agreement import (
    correlation,
    distance_interval,
    expected_ks,
    ks_distances,
    mean_profile,
    squared_error,
)


def distance(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The mean distance and its standard error."""
    found = ks_distances(generated=x, reference=y)
    return found.by_track.mean(), standard_error(found.misplaced_generated, found.misplaced_reference)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (7, 30), (64, 63), (1, 5)])
@pytest.mark.parametrize("digits", [0, 1, 6])  # few digits: ties within and across the sides
def test_distances_are_those_of_scipy(n, m, digits):
    rng = np.random.default_rng(n + m)
    x = np.round(rng.normal(0.3, 1, (n, 9)), digits).astype(np.float32)
    y = np.round(rng.normal(0, 1.5, (m, 9)), digits).astype(np.float32)
    expected = [stats.ks_2samp(x[:, i], y[:, i], method="asymp").statistic for i in range(9)]
    np.testing.assert_allclose(ks_distances(generated=x, reference=y).by_track, expected, rtol=0, atol=1e-15)


@settings(max_examples=50, deadline=None)
@given(
    x=st.lists(st.integers(-3, 3), min_size=2, max_size=12),
    y=st.lists(st.integers(-3, 3), min_size=2, max_size=12),
    seed=st.integers(0, 99),
)
def test_order_and_sides_do_not_show_in_the_distance(x, y, seed):
    rng = np.random.default_rng(seed)
    a, b = np.array(x, np.float32)[:, None], np.array(y, np.float32)[:, None]
    plain = ks_distances(generated=a, reference=b).by_track
    assert plain[0] == pytest.approx(stats.ks_2samp(x, y, method="asymp").statistic, abs=1e-15)
    mixed = ks_distances(generated=rng.permutation(b), reference=rng.permutation(a)).by_track
    assert plain.tolist() == mixed.tolist()


def test_a_shifted_normal_by_its_closed_form():
    # sup |Phi(y) - Phi(y - d)| is reached at d / 2: 2 Phi(d / 2) - 1.
    n = 20_000
    quantiles = stats.norm.ppf((np.arange(n) + 0.5) / n)[:, None]
    value, _ = distance(quantiles + 0.7, quantiles)
    assert value == pytest.approx(2 * stats.norm.cdf(0.35) - 1, abs=1 / n)


def test_misplaced_sequences_by_hand():
    # F_x - F_y is largest at 2: 1 - 1/4. Below it lie both x and one y.
    found = ks_distances(generated=np.array([[1.0], [2.0]]), reference=np.array([[0.0], [3.0], [4.0], [5.0]]))
    assert found.by_track.tolist() == [0.75]
    assert found.misplaced_generated.tolist() == [0, 0]
    assert found.misplaced_reference.tolist() == [1, 0, 0, 0]
    turned = ks_distances(generated=np.array([[0.0], [3.0], [4.0], [5.0]]), reference=np.array([[1.0], [2.0]]))
    assert turned.misplaced_generated.tolist() == [1, 0, 0, 0]
    assert turned.misplaced_reference.tolist() == [0, 0]


def test_the_distance_is_what_is_not_misplaced():
    rng = np.random.default_rng(11)
    found = ks_distances(generated=rng.normal(0.5, 1, (40, 700)), reference=rng.normal(0, 2, (30, 700)))
    misplaced = found.misplaced_generated.mean() + found.misplaced_reference.mean()
    assert found.by_track.mean() == pytest.approx(1 - misplaced, abs=1e-12)


def test_the_interval_of_one_track_is_newcombe_s_where_that_is_wider():
    # Of 50 and 40, 1 and 0 are misplaced; Wilson's ends of 1 in 50 and 0 in 40.
    x, y = np.r_[np.zeros(49), 2.0][:, None], np.ones((40, 1))
    low, high = distance_interval(ks_distances(generated=x, reference=y))
    first, second = (stats.binomtest(k, n).proportion_ci(method="wilson") for k, n in ((1, 50), (0, 40)))
    # A sample variance is n / (n - 1) times p (1 - p), which the design effect does not let in.
    assert low == pytest.approx(0.98 - np.hypot(first.high - 0.02, second.high), abs=1e-9)
    normal = 0.98 + Z95 * np.sqrt(0.02 * 0.98 / 49)
    assert high == pytest.approx(min(1, max(normal, 0.98 + np.hypot(0.02 - first.low, second.low))), abs=1e-9)


@pytest.mark.parametrize(("tracks", "shared"), [(1, 1.0), (12, 0.6), (100, 0.3)])
@pytest.mark.parametrize(("truth", "n"), [(0.972, 50), (0.995, 50), (0.99, 500)])
def test_the_interval_near_complete_separation_over_replicates(truth, n, tracks, shared):
    rng = np.random.default_rng(12)
    # Normal predictions whose means are d apart have the distance 2 Phi(d / 2) - 1.
    apart = 2 * stats.norm.ppf((1 + truth) / 2)

    def drawn(mean: float) -> np.ndarray:
        return mean + shared**0.5 * rng.normal(size=(n, 1)) + (1 - shared) ** 0.5 * rng.normal(size=(n, tracks))

    runs = []
    for _ in range(100):
        found = ks_distances(generated=drawn(apart), reference=drawn(0))
        runs.append([found.by_track.mean(), *distance_interval(found)])
    values, low, high = np.array(runs).T
    assert ((low <= values.mean()) & (values.mean() <= high)).mean() >= 0.92
    assert (low < high).all()
    if tracks == 1:
        assert ((low <= truth) & (truth <= high)).mean() >= 0.92


def test_chunks_do_not_show(monkeypatch):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(31, 11)), rng.normal(0.4, 1, (17, 11))
    whole, profile = ks_distances(generated=x, reference=y), mean_profile(x)
    monkeypatch.setattr(agreement, "CHUNK", 4)
    parted = ks_distances(generated=x, reference=y)
    for one, other in zip(whole, parted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)
    assert mean_profile(x).tolist() == profile.tolist()


def test_the_expected_floor_is_the_mean_over_samples_of_one_distribution():
    rng = np.random.default_rng(4)
    values = [distance(rng.normal(size=(400, 1)), rng.normal(size=(300, 1)))[0] for _ in range(400)]
    # sd of the statistic is 0.26 sqrt(1/n + 1/m); lattice effects take off some 1 / (2 n).
    assert np.mean(values) == pytest.approx(expected_ks(400, 300), rel=0.05)
    assert expected_ks(1000, 1000) == pytest.approx(stats.kstwobign.mean() * np.sqrt(2 / 1000), rel=1e-9)


def correlated(rng: np.random.Generator, n: int, shift: float, *, tracks: int, shared: float) -> np.ndarray:
    """Skewed predictions of which a share is common to all tracks, as assays of one activity have it."""
    common = rng.gamma(2, 1, (n, 1))
    return shared * common + (1 - shared) * rng.gamma(2, 1, (n, tracks)) + shift * np.linspace(0.5, 1.5, tracks)


REPLICATES = 150


@pytest.mark.parametrize("tracks", [1, 12, 100])
@pytest.mark.parametrize(
    ("shift", "least", "most", "coverage"),
    [(0.0, 1.2, 2.1, 0.88), (0.1, 0.85, 1.8, 0.86), (0.4, 0.85, 1.35, 0.88), (1.5, 0.8, 1.25, 0.88)],
)
def test_the_interval_of_the_distance_over_replicates(shift, least, most, coverage, tracks):
    rng = np.random.default_rng(5)
    runs = np.array(
        [
            distance(
                correlated(rng, 250, shift, tracks=tracks, shared=0.6),
                correlated(rng, 200, 0, tracks=tracks, shared=0.6),
            )
            for _ in range(REPLICATES)
        ]
    )
    values, errors = runs.T
    assert least <= errors.mean() / values.std(ddof=1) <= most
    assert (np.abs(values - values.mean()) <= Z95 * errors).mean() >= coverage


def profiles(x: np.ndarray, y: np.ndarray):
    g, r = mean_profile(x), mean_profile(y)
    return (
        squared_error(g, r, generated=x, reference=y),
        correlation(g, r, generated=x, reference=y),
    )


def test_profiles_are_compared_as_numpy_and_scipy_do():
    rng = np.random.default_rng(6)
    x, y = rng.normal(np.arange(9), 1, (40, 9)), rng.normal(np.arange(9) ** 1.3, 1, (30, 9))
    mse, pearson = profiles(x, y)
    assert mse.value == pytest.approx(np.mean((x.mean(0) - y.mean(0)) ** 2), rel=1e-12)
    assert pearson.value == pytest.approx(stats.pearsonr(x.mean(0), y.mean(0)).statistic, rel=1e-12)


def test_standard_errors_of_profiles_are_those_of_the_jackknife():
    rng = np.random.default_rng(7)
    x, y = rng.gamma(2, np.arange(1, 7), (60, 6)), rng.gamma(2, np.arange(1, 7) ** 0.8, (50, 6))

    def jackknife(statistic) -> float:
        out = [np.array([statistic(np.delete(x, i, 0), y) for i in range(len(x))])]
        out.append(np.array([statistic(x, np.delete(y, i, 0)) for i in range(len(y))]))
        return float(np.sqrt(sum((len(v) - 1) / len(v) * ((v - v.mean()) ** 2).sum() for v in out)))

    mse, pearson = profiles(x, y)
    assert mse.standard_error == pytest.approx(jackknife(lambda a, b: profiles(a, b)[0].value), rel=0.05)
    assert pearson.standard_error == pytest.approx(jackknife(lambda a, b: profiles(a, b)[1].value), rel=0.1)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_intervals_of_the_profiles_over_replicates(shift):
    rng = np.random.default_rng(8)
    level, other = np.linspace(1, 4, 12), np.linspace(1, 4, 12) + shift * np.sin(np.arange(12))
    runs = []
    for _ in range(REPLICATES):
        x, y = rng.gamma(2, other / 2, (250, 12)), rng.gamma(2, level / 2, (200, 12))
        runs.append([part for estimate in profiles(x, y) for part in estimate])
    for values, errors in np.array(runs).T.reshape(2, 2, -1):
        assert 0.8 <= errors.mean() / values.std(ddof=1) <= 1.8
        assert (np.abs(values - values.mean()) <= Z95 * errors).mean() >= 0.9


@pytest.mark.parametrize("tracks", [1, 2])
def test_a_correlation_needs_three_tracks(tracks):
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(20, tracks)), rng.normal(size=(20, tracks))
    assert profiles(x, y)[1] is None


def test_there_is_no_correlation_with_a_flat_profile():
    rng = np.random.default_rng(10)
    x = np.repeat(rng.normal(5, 1, (20, 1)), 4, axis=1).astype(np.float32)
    assert profiles(x, rng.normal(size=(20, 4)).astype(np.float32))[1] is None
    assert profiles(rng.normal(size=(20, 4)), np.zeros((20, 4)))[1] is None
