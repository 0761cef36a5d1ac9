"""`precision` and `recall` against hand computations, brute force, and replicates."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from dnabench import UserError
from dnabench_metrics.neighbours import estimates, tiles
from dnabench_metrics.neighbours.estimates import effective_count, neighbours_of, share_in_balls
from dnabench_metrics.neighbours.intervals import share_score
from dnabench_metrics.neighbours.precision_recall import Precision, Recall
from dnabench_metrics.neighbours.tiles import comparable
from dnabench_metrics.records.neighbours import NeighbourOptions

BOTH = (Precision, Recall)
K1 = NeighbourOptions(k=1)


def brute_force(points: np.ndarray, centres: np.ndarray, k: int) -> float:
    radii = np.sort(cdist(centres, centres), axis=1)[:, k]
    return float((cdist(points, centres) <= radii).any(1).mean())


def share(points: np.ndarray, centres: np.ndarray, k: int):
    P, C = comparable(points, centres)
    return share_in_balls(P, C, neighbours_of(C, k), k)


def test_lengths_15_and_17_against_2_and_16(score_sets):
    # Real balls: 15 and 17, radius 2: 16 is in, 2 is not. Generated: 2 and 16, radius 14: both 15 and 17 are in 16's.
    assert score_sets(Precision(K1), generated=[2, 16], reference=[15, 17]).value == 0.5
    assert score_sets(Recall(K1), generated=[2, 16], reference=[15, 17]).value == 1.0


def test_a_ball_holds_its_surface(score_sets):
    # Real 0, 1, 3: radii 1, 1, 2. The generated -1 is on the surface of 0's ball, -1.5 outside, 5 on that of 3's.
    score = score_sets(Precision(K1), generated=[-1.0, -1.5, 5.0], reference=[0, 1, 3])
    assert score.value == pytest.approx(2 / 3)


def test_a_ball_of_copies_holds_copies_alone(score_sets):
    # Real 0, 0, 0, 9: with k = 2 the ball around 0 has no radius, that around 9 reaches 0, and so all that is between.
    score = score_sets(Precision(NeighbourOptions(k=2)), generated=[0, -0.001, 8, 19], reference=[0, 0, 0, 9])
    assert score.value == 0.5


@pytest.mark.parametrize("metric", BOTH)
def test_identical_sets_are_at_one_and_far_ones_at_zero(metric, score_sets):
    x = np.random.default_rng(0).standard_normal((90, 4))
    one = score_sets(metric(NeighbourOptions()), generated=x, reference=x)
    assert (one.value, one.ci_high) == (1.0, 1.0)
    # With none of 90 missing, 95 % confidence is left at 1 - z^2 / (n + z^2) (Wilson).
    assert one.ci_low == pytest.approx(90 / (90 + 1.959964**2))
    zero = score_sets(metric(NeighbourOptions()), generated=x + 1000, reference=x)
    assert (zero.value, zero.ci_low) == (0.0, 0.0)
    assert zero.ci_high == pytest.approx(1 - 90 / (90 + 1.959964**2))


def test_a_tight_cluster_is_precise_and_recalls_little(score_sets):
    rng = np.random.default_rng(1)
    real = rng.standard_normal((300, 4))
    cluster = real[0] + 1e-3 * rng.standard_normal((300, 4))
    assert score_sets(Precision(NeighbourOptions()), generated=cluster, reference=real).value == 1.0
    assert score_sets(Recall(NeighbourOptions()), generated=cluster, reference=real).ci_high < 0.05


def test_half_of_the_modes(score_sets):
    rng = np.random.default_rng(2)
    real = np.concatenate([rng.standard_normal((100, 3)), rng.standard_normal((100, 3)) + 100])
    half = np.concatenate([real[:100], real[:100]])
    assert score_sets(Precision(NeighbourOptions()), generated=half, reference=real).value == 1.0
    assert score_sets(Recall(NeighbourOptions()), generated=half, reference=real).value == 0.5


@pytest.mark.parametrize("k", [1, 3, 5, 29])
@pytest.mark.parametrize("dimension", [1, 3, 40])
def test_equals_brute_force_for_equal_and_unequal_sizes(k, dimension):
    rng = np.random.default_rng(3)
    x, y = 1.3 * rng.standard_normal((70, dimension)), rng.gamma(1, 1, (30, dimension))
    assert share(x, y, k).value == pytest.approx(brute_force(x, y, k), abs=1e-12)
    assert share(y, x, k).value == pytest.approx(brute_force(y, x, k), abs=1e-12)


def test_precision_and_recall_change_places_with_the_sides(score_sets):
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((80, 3)) * 1.4, rng.standard_normal((80, 3))
    precision = score_sets(Precision(K1), generated=x, reference=y)
    recall = score_sets(Recall(K1), generated=y, reference=x)
    assert 0.2 < precision.value < 1
    assert precision.value == recall.value
    # The folds of the standard error are dealt anew.
    assert precision.ci_low == pytest.approx(recall.ci_low, abs=0.05)


@pytest.mark.parametrize("metric", BOTH)
def test_the_order_of_the_sequences_does_not_show(metric, score_sets):
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((70, 3)), rng.standard_normal((50, 3))
    orders = rng.permutation(70), rng.permutation(50)
    for options in (NeighbourOptions(), NeighbourOptions(most=30)):
        plain = score_sets(metric(options), generated=x, reference=y)
        other = score_sets(metric(options), generated=x, reference=y, orders=orders)
        assert (plain.value, plain.ci_low, plain.ci_high) == (other.value, other.ci_low, other.ci_high)


@pytest.mark.parametrize("tile", [(8, 16), (64, 32)])
def test_tiles_do_not_show(tile, score_sets, monkeypatch):
    rng = np.random.default_rng(12)
    x, y = rng.standard_normal((130, 4)) * 1.3, rng.standard_normal((130, 4))
    plain = [score_sets(metric(NeighbourOptions()), generated=x, reference=y) for metric in BOTH]
    monkeypatch.setattr(tiles, "TILE", tile)
    for metric, score in zip(BOTH, plain, strict=True):
        tiled = score_sets(metric(NeighbourOptions()), generated=x, reference=y)
        assert (tiled.value, tiled.ci_low, tiled.ci_high) == (score.value, score.ci_low, score.ci_high)


@pytest.mark.parametrize("metric", BOTH)
def test_the_larger_side_is_thinned_to_the_smaller(metric, score_sets):
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((900, 8)), rng.standard_normal((150, 8))
    for sides in ({"generated": x, "reference": y}, {"generated": y, "reference": x}):
        details = score_sets(metric(NeighbourOptions()), **sides).details.set_index("side")
        assert details["used"].tolist() == [150, 150]
        assert sorted(details["given"]) == [150, 900]
        assert score_sets(metric(NeighbourOptions(most=40)), **sides).details["used"].tolist() == [40, 40]


def test_the_draw_is_the_seed_s(score_sets):
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal((300, 8)), rng.standard_normal((300, 8))
    values = [
        score_sets(Precision(NeighbourOptions(most=60, seed=seed)), generated=x, reference=y).value
        for seed in (0, 0, 1, 2, 3)
    ]
    assert values[0] == values[1]
    assert len(set(values)) > 1


@pytest.mark.parametrize("metric", BOTH)
def test_too_few_sequences_are_named(metric, score_sets):
    x = np.random.default_rng(8).standard_normal((40, 2))
    for generated, reference, side in ((x[:5], x, "generated"), (x, x[:5], "reference")):
        with pytest.raises(UserError, match=rf"5 {side} sequences do not have k = 5 neighbours.*at least 6"):
            score_sets(metric(NeighbourOptions()), generated=generated, reference=reference)
    assert 0 <= score_sets(metric(NeighbourOptions()), generated=x[:6], reference=x[:6] + 0.1).value <= 1


@pytest.mark.parametrize("metric", BOTH)
def test_a_constant_reference_is_an_error_and_a_collapsed_generator_is_not(metric, score_sets):
    x = np.random.default_rng(9).standard_normal((40, 2))
    with pytest.raises(UserError, match="40 reference sequences all have the same embedding"):
        score_sets(metric(NeighbourOptions()), generated=x, reference=np.ones((40, 2)))
    assert score_sets(metric(NeighbourOptions()), generated=np.full((40, 2), 99.0), reference=x).value == 0


def test_fewer_sequences_than_neighbours_cannot_be_asked_for():
    with pytest.raises(ValueError, match="most is 5; it must exceed k, 5"):
        NeighbourOptions(most=5)


def test_the_standard_error_is_that_of_leaving_every_centre_out(monkeypatch):
    # With a fold for each point, products of different folds are all products of different points' effects.
    monkeypatch.setattr(estimates, "FOLDS", 60)
    rng = np.random.default_rng(10)
    x, y = 1.5 * rng.standard_normal((60, 2)), rng.standard_normal((25, 2))
    p = brute_force(x, y, 2)
    held = np.array([brute_force(x[i : i + 1], y, 2) for i in range(60)])
    effects = (
        np.array([[brute_force(x[i : i + 1], np.delete(y, j, 0), 2) for i in range(60)] for j in range(25)]) - held
    )
    centred = (effects - effects.mean(0)) / 60
    between = (np.square(centred.sum(1)).sum() - np.square(centred).sum()) * 60 / 59 * 24 / 25
    assert between > 0.1 * p * (1 - p) / 60
    assert share(x, y, 2).standard_error == pytest.approx(np.sqrt(p * (1 - p) / 60 + between), rel=1e-9)


SOURCES = {
    "same": (lambda rng, n: rng.standard_normal((n, 8)), lambda rng, n: rng.standard_normal((n, 8))),
    "wide": (lambda rng, n: 1.5 * rng.standard_normal((n, 8)), lambda rng, n: rng.standard_normal((n, 8))),
    "plane": (lambda rng, n: rng.standard_normal((n, 2)), lambda rng, n: rng.standard_normal((n, 2))),
}


@pytest.mark.parametrize("case", SOURCES)
def test_intervals_cover_the_mean_over_draws_of_both_sides(case):
    rng = np.random.default_rng(11)
    generated, reference = SOURCES[case]
    runs = [share(generated(rng, 250), reference(rng, 250), 5) for _ in range(250)]
    values = np.array([run.value for run in runs])
    scores = [share_score(run, 250) for run in runs]
    covered = np.mean([score.ci_low <= values.mean() <= score.ci_high for score in scores])
    assert covered >= 0.92
    assert np.mean([run.standard_error for run in runs]) <= 1.4 * values.std(ddof=1)


@pytest.mark.parametrize("places", [1, 5, 20, 100])
def test_intervals_of_a_generator_that_repeats_few_sequences(places):
    rng = np.random.default_rng(13)
    cluster = rng.standard_normal((places, 8))
    values, scores = [], []
    for _ in range(120):
        points, centres = comparable(cluster[rng.integers(0, places, 200)], rng.standard_normal((200, 8)))
        run = share_in_balls(points, centres, neighbours_of(centres, 5), 5)
        values.append(run.value)
        scores.append(share_score(run, effective_count(points)))
    assert np.mean([score.ci_low <= np.mean(values) <= score.ci_high for score in scores]) >= 0.92


def test_the_effective_count_of_repeated_rows():
    features = np.array([[0.0, 1], [-0.0, 1], [0, 1], [2, 2], [2, 2], [5, 1]])
    (rows,) = comparable(features)
    assert effective_count(rows) == pytest.approx(6**2 / (3**2 + 2**2 + 1))
    (rows,) = comparable(np.arange(9.0)[:, None])
    assert effective_count(rows) == 9
