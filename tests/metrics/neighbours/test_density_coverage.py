"""`density` and `coverage` against hand computations, closed forms, brute force, and replicates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from dnabench import UserError
from dnabench_metrics.neighbours import estimates
from dnabench_metrics.neighbours.density_coverage import Coverage, Density
from dnabench_metrics.neighbours.estimates import coverage_estimate, density_estimate, neighbours_of
from dnabench_metrics.neighbours.intervals import share_score
from dnabench_metrics.neighbours.tiles import comparable
from dnabench_metrics.records.neighbours import NeighbourOptions

BOTH = (Density, Coverage)
K1 = NeighbourOptions(k=1)


def members(points: np.ndarray, centres: np.ndarray, k: int) -> np.ndarray:
    """Whether ball j holds point i, shape ``(points, balls)``."""
    return cdist(points, centres) < np.sort(cdist(centres, centres), axis=1)[:, k]


def estimate(function, points: np.ndarray, centres: np.ndarray, k: int):
    P, C = comparable(points, centres)
    return function(P, C, neighbours_of(C, k), k)


def test_by_hand(score_sets):
    # Real 0, 1, 4: radii 1, 1, 3. Generated .5: in 0's and 1's ball; 2: in 4's (1's surface is at 2); 8: in none.
    sides = {"generated": [0.5, 2, 8], "reference": [0, 1, 4]}
    assert score_sets(Density(K1), **sides).value == pytest.approx(3 / 3)
    assert score_sets(Coverage(K1), **sides).value == 1.0
    # Without the generated .5: only 4's ball holds anything.
    sides["generated"] = [2, 2, 8]
    assert score_sets(Density(K1), **sides).value == pytest.approx(2 / 3)
    assert score_sets(Coverage(K1), **sides).value == pytest.approx(1 / 3)


@pytest.mark.parametrize("k", [1, 4])
def test_identical_sets_are_at_one(k, score_sets):
    # An open ball holds its centre and k - 1 neighbours, which is k in all.
    x = np.random.default_rng(0).standard_normal((80, 3))
    for metric in BOTH:
        assert score_sets(metric(NeighbourOptions(k=k)), generated=x, reference=x).value == 1.0


def test_a_ball_of_copies_holds_copies_alone(score_sets):
    # Real 0, 0, 0, 9, k = 2: no radius around each 0, 9 around 9. The generated 0 is in three balls, 5 in one.
    sides = {"generated": [0, -0.001, 5, 19], "reference": [0, 0, 0, 9]}
    assert score_sets(Density(NeighbourOptions(k=2)), **sides).value == (3 + 1) / (2 * 4)
    assert score_sets(Coverage(NeighbourOptions(k=2)), **sides).value == 1.0


def test_far_clouds_are_at_zero_and_their_intervals_are_not_empty(score_sets):
    x = np.random.default_rng(1).standard_normal((100, 3))
    density = score_sets(Density(NeighbourOptions()), generated=x + 500, reference=x)
    coverage = score_sets(Coverage(NeighbourOptions()), generated=x + 500, reference=x)
    assert density.value == density.ci_low == coverage.value == coverage.ci_low == 0
    share = 1.959964**2 / (100 + 1.959964**2)
    assert density.ci_high == pytest.approx(share / 5)
    assert coverage.ci_high == pytest.approx(share)


def test_the_core_of_a_distribution_is_dense_and_a_tight_cluster_covers_little(score_sets):
    rng = np.random.default_rng(2)
    real, core = rng.standard_normal((400, 8)), 0.5 * rng.standard_normal((400, 8))
    assert score_sets(Density(NeighbourOptions()), generated=core, reference=real).ci_low > 1.3
    cluster = real[0] + 1e-3 * rng.standard_normal((400, 8))
    assert score_sets(Coverage(NeighbourOptions()), generated=cluster, reference=real).ci_high < 0.1


def test_half_of_the_modes(score_sets):
    rng = np.random.default_rng(3)
    real = np.concatenate([rng.standard_normal((100, 3)), rng.standard_normal((100, 3)) + 100])
    half = np.concatenate([real[:100], real[:100]])
    assert score_sets(Density(NeighbourOptions()), generated=half, reference=real).value == 1.0
    assert score_sets(Coverage(NeighbourOptions()), generated=half, reference=real).value == 0.5


@pytest.mark.parametrize("k", [1, 3, 5, 29])
@pytest.mark.parametrize("dimension", [1, 3, 40])
def test_equals_brute_force_for_equal_and_unequal_sizes(k, dimension):
    rng = np.random.default_rng(4)
    x, y = 1.2 * rng.standard_normal((70, dimension)), rng.gamma(1, 1, (30, dimension))
    for points, centres in ((x, y), (y, x)):
        inside = members(points, centres, k)
        assert estimate(density_estimate, points, centres, k).value == pytest.approx(inside.sum(1).mean() / k)
        assert estimate(coverage_estimate, points, centres, k).value == pytest.approx(inside.any(0).mean())


@pytest.mark.parametrize(("k", "n", "m"), [(1, 30, 30), (3, 60, 40), (5, 50, 50)])
def test_one_source_has_the_expectations_of_its_ranks(k, n, m):
    # Around x, m - 1 real and n generated points come in any order. Each generated one is among the first k real with
    # probability k / m, so the expected density is 1; x is missed when the first k of all are real.
    missed = np.prod([(m - 1 - i) / (m - 1 + n - i) for i in range(k)])
    rng = np.random.default_rng(5)
    runs = np.array(
        [
            [
                estimate(function, rng.standard_normal((n, 3)), rng.standard_normal((m, 3)), k).value
                for function in (density_estimate, coverage_estimate)
            ]
            for _ in range(300)
        ]
    )
    error = runs.std(0, ddof=1) / np.sqrt(len(runs))
    assert (np.abs(runs.mean(0) - [1, 1 - missed]) < 4 * error).all()
    assert error.max() < 0.02


@pytest.mark.parametrize("metric", BOTH)
def test_the_order_of_the_sequences_does_not_show(metric, score_sets):
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((70, 3)), rng.standard_normal((50, 3))
    orders = rng.permutation(70), rng.permutation(50)
    for options in (NeighbourOptions(), NeighbourOptions(most=30)):
        plain = score_sets(metric(options), generated=x, reference=y)
        other = score_sets(metric(options), generated=x, reference=y, orders=orders)
        assert (plain.value, plain.ci_low, plain.ci_high) == (other.value, other.ci_low, other.ci_high)


@pytest.mark.parametrize("metric", BOTH)
def test_the_larger_side_is_thinned_to_the_smaller(metric, score_sets):
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((900, 8)), rng.standard_normal((150, 8))
    score = score_sets(metric(NeighbourOptions()), generated=x, reference=y)
    assert score.details["used"].tolist() == [150, 150]
    assert score.details["given"].tolist() == [900, 150]


@pytest.mark.parametrize("metric", BOTH)
def test_bad_input_is_named_and_a_collapsed_generator_is_not_bad_input(metric, score_sets):
    x = np.random.default_rng(8).standard_normal((40, 2))
    with pytest.raises(UserError, match="5 generated sequences do not have k = 5 neighbours"):
        score_sets(metric(NeighbourOptions()), generated=x[:5], reference=x)
    with pytest.raises(UserError, match="40 reference sequences all have the same embedding"):
        score_sets(metric(NeighbourOptions()), generated=x, reference=np.ones((40, 2)))
    assert score_sets(metric(NeighbourOptions()), generated=np.full((40, 2), 99.0), reference=x).value == 0


def test_the_density_s_standard_error_is_that_of_leaving_every_centre_out(monkeypatch):
    monkeypatch.setattr(estimates, "FOLDS", 60)  # a fold for each point
    rng = np.random.default_rng(9)
    n, m, k = 60, 25, 2
    x, y = 0.7 * rng.standard_normal((n, 2)), rng.standard_normal((m, 2))
    inside = members(x, y, k)
    effects, grown = np.zeros((m, n)), np.zeros((m, m, n))
    for j in range(m):
        rest = np.delete(np.arange(m), j)
        without = members(x, y[rest], k)
        effects[j] = without.sum(1) - inside.sum(1)
        grown[j, rest] = (without & ~inside[:, rest]).T

    def noiseless(parts: np.ndarray) -> float:
        return float((np.square(parts.sum(-1)).sum() - np.square(parts).sum()) * n / (n - 1))

    between = noiseless(effects - effects.mean(0)) * (m - 1) / m - noiseless(grown)
    expected = np.sqrt(inside.sum(1).var(ddof=1) / n + max(0, between) / n**2) / k
    assert between > 0
    assert estimate(density_estimate, x, y, k).standard_error == pytest.approx(expected, rel=1e-9)


SOURCES = {
    "same": (lambda rng, n: rng.standard_normal((n, 8)), lambda rng, n: rng.standard_normal((n, 8))),
    "narrow": (lambda rng, n: 0.6 * rng.standard_normal((n, 8)), lambda rng, n: rng.standard_normal((n, 8))),
    "wide": (lambda rng, n: 1.5 * rng.standard_normal((n, 8)), lambda rng, n: rng.standard_normal((n, 8))),
}


@pytest.mark.parametrize("case", SOURCES)
def test_intervals_cover_the_mean_over_draws_of_both_sides(case):
    rng = np.random.default_rng(10)
    generated, reference = SOURCES[case]
    sides = [(generated(rng, 250), reference(rng, 250)) for _ in range(250)]
    runs = [estimate(density_estimate, x, y, 5) for x, y in sides]
    values = np.array([run.value for run in runs])
    covered = [abs(run.value - values.mean()) <= 1.96 * run.standard_error for run in runs]
    assert np.mean(covered) >= 0.91
    assert np.mean([run.standard_error for run in runs]) <= 1.25 * values.std(ddof=1)

    runs = [estimate(coverage_estimate, x, y, 5) for x, y in sides]
    values = np.array([run.value for run in runs])
    scores = [share_score(run, 250) for run in runs]
    assert np.mean([score.ci_low <= values.mean() <= score.ci_high for score in scores]) >= 0.92
    assert np.mean([run.standard_error for run in runs]) <= 1.4 * values.std(ddof=1)
