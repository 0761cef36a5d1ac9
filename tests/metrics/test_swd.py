"""`swd` against closed forms, POT, and replicates."""

from __future__ import annotations

import numpy as np
import ot
import pytest

from dnabench_metrics.distances.swd import SlicedWasserstein, squared_swd_estimate, unit_directions
from dnabench_metrics.records.distances import SWDOptions


def swd(x: np.ndarray, y: np.ndarray, directions: np.ndarray) -> float:
    return squared_swd_estimate(generated=x, reference=y, directions=directions).value ** 0.5


def test_directions_have_unit_length_and_are_fixed_by_the_seed():
    directions = unit_directions(50, 7, seed=3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    np.testing.assert_array_equal(directions, unit_directions(50, 7, seed=3))
    assert not np.allclose(directions, unit_directions(50, 7, seed=4))


def test_a_shift_costs_exactly_its_root_mean_square_over_the_directions():
    x = np.random.default_rng(0).standard_normal((300, 16))
    shift = np.linspace(0, 1, 16)
    directions = unit_directions(100, 16, seed=0)
    assert swd(x + shift, x, directions) == pytest.approx(np.sqrt(np.mean((directions @ shift) ** 2)), rel=1e-6)


def test_a_shift_costs_its_length_over_the_root_of_the_dimension_on_average():
    x = np.random.default_rng(0).standard_normal((50, 16))
    assert swd(x + 0.5, x, unit_directions(2000, 16, seed=0)) == pytest.approx(2 / 4, rel=0.03)


@pytest.mark.parametrize(("n", "m"), [(200, 200), (200, 133), (97, 300), (3, 500), (60, 30)])
def test_equals_pot_for_equal_and_unequal_sizes(n, m):
    rng = np.random.default_rng(1)
    x, y = rng.gamma(1, 1, (n, 6)), rng.standard_normal((m, 6))
    directions = unit_directions(70, 6, seed=5)
    expected = ot.sliced_wasserstein_distance(x, y, projections=directions.T, p=2)
    assert swd(x, y, directions) == pytest.approx(expected, rel=1e-6)


def test_a_repeated_sample_is_the_same_distribution():
    x = np.random.default_rng(2).standard_normal((120, 5))
    assert swd(x, np.repeat(x, 3, axis=0), unit_directions(40, 5, seed=0)) == pytest.approx(0, abs=1e-7)


def test_the_standard_error_of_a_shift_in_one_dimension_is_the_textbook_one():
    # A pure shift c in one dimension: W2^2 moves by 2 c times the difference of the means.
    x = np.random.default_rng(3).standard_normal((2000, 1))
    x = (x - x.mean()) / x.std(ddof=1)
    estimate = squared_swd_estimate(generated=x + 2.0, reference=x, directions=np.ones((1, 1)))
    assert estimate.standard_error == pytest.approx(2 * 2.0 * np.sqrt(2 / 2000), rel=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1.3])
def test_intervals_cover_the_mean_over_replicates(scale):
    rng = np.random.default_rng(4)
    directions = unit_directions(30, 5, seed=0)
    runs = [
        squared_swd_estimate(
            generated=scale * rng.standard_normal((400, 5)),
            reference=rng.standard_normal((300, 5)),
            directions=directions,
        )
        for _ in range(120)
    ]
    centre = np.mean([run.value for run in runs])
    covered = np.mean([abs(run.value - centre) <= 1.96 * run.standard_error for run in runs])
    assert covered >= 0.88
    assert np.mean([run.standard_error for run in runs]) <= 2.5 * np.std([run.value for run in runs], ddof=1)


def test_the_score_is_the_root_and_its_interval_holds_it(score_features):
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((150, 4)) + 0.3, rng.standard_normal((100, 4))
    score = score_features(SlicedWasserstein(SWDOptions(projections=64, seed=9)), generated=x, reference=y)
    assert score.value == pytest.approx(swd(x, y, unit_directions(64, 4, seed=9)))
    assert 0 <= score.ci_low < score.value < score.ci_high
