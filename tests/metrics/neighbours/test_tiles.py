"""Neighbours and members of balls against all pairs worked out by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from dnabench_metrics.neighbours import tiles
from dnabench_metrics.neighbours.tiles import comparable, membership, nearest_across, nearest_neighbours

# Whole numbers, so that SciPy's distances are exact and ties and copies abound.
grids = st.integers(1, 4).flatmap(
    lambda d: st.tuples(
        *(arrays(np.int64, st.tuples(st.integers(8, 40), st.just(d)), elements=st.integers(-3, 3)) for _ in range(2))
    )
)


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    monkeypatch.setattr(tiles, "TILE", (8, 16))


def scale_of(rows, features) -> float:
    """Squared distances of the rows over those of the features."""
    spread = np.ptp(features)
    return (np.ptp(rows.exact) / spread) ** 2 if spread else 1.0


@settings(max_examples=60, deadline=None)
@given(grids)
def test_neighbours_of_whole_numbers_are_exact_with_ties_and_copies(grid):
    features, _ = grid
    (rows,) = comparable(features)
    found = nearest_neighbours(rows, 6)
    squared = cdist(features, features, "sqeuclidean")
    np.fill_diagonal(squared, np.inf)
    order = np.argsort(squared, axis=1, kind="stable")[:, :6]
    np.testing.assert_array_equal(found.index, order)
    np.testing.assert_array_equal(found.squared, np.take_along_axis(squared, order, 1) * scale_of(rows, features))


@settings(max_examples=60, deadline=None)
@given(grids, st.booleans())
def test_members_of_balls_of_whole_numbers_are_exact_with_ties_and_copies(grid, closed):
    points, centres = grid
    G, R = comparable(points, centres)
    k = 2
    found = membership(G, R, nearest_neighbours(R, k + 1), k=k, closed=closed, folds=4)
    within = np.sort(cdist(centres, centres, "sqeuclidean"), axis=1)
    across = cdist(points, centres, "sqeuclidean")

    def held(radii: np.ndarray) -> np.ndarray:
        return (across <= radii) if closed else (across < radii) | (across == 0)

    inside, wider = held(within[:, k]), held(within[:, k + 1])
    np.testing.assert_array_equal(found.hits, inside.sum(1))
    for fold in range(4):
        np.testing.assert_array_equal(found.inside[:, fold], inside[fold::4].sum(0))
        np.testing.assert_array_equal(found.near[:, fold], (wider & ~inside)[fold::4].sum(0))
    for i in range(len(points)):
        assert set(found.shells[i]) - {-1} == set(np.flatnonzero((wider & ~inside)[i])[: tiles.SHELLS])
        assert inside[i, found.ball[i]] if found.hits[i] else found.ball[i] == -1
    for j in range(len(centres)):
        assert inside[found.point[j], j] if inside[:, j].any() else found.point[j] == -1


@settings(max_examples=60, deadline=None)
@given(grids)
def test_nearest_of_another_set_and_of_a_set_that_holds_the_points(grid):
    points, others = grid
    P, Q = comparable(points, others)
    squared = cdist(points, others, "sqeuclidean")
    np.testing.assert_array_equal(nearest_across(P, Q).index[:, 0], squared.argmin(1))
    itself = np.array([0, 3, 5])
    among = cdist(others[itself], others, "sqeuclidean")
    among[np.arange(3), itself] = np.inf
    np.testing.assert_array_equal(nearest_across(Q.take(itself), Q, itself=itself).index[:, 0], among.argmin(1))


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("magnitude", [1e-150, 1.0, 1e20, 1e150])
def test_neither_origin_nor_unit_shows(magnitude, offset):
    rng = np.random.default_rng(0)
    # Spacings that float32 cannot tell apart at the offset, on a grid that float64 holds there exactly.
    features = (np.round(rng.standard_normal((60, 5)) * 2**10) / 2**10 + offset) * 2.0 ** np.round(np.log2(magnitude))
    distances = cdist(features, features)
    np.fill_diagonal(distances, np.inf)
    expected = np.sort(distances, axis=1)[:, :4]
    found = nearest_neighbours(*comparable(features), 4)
    np.testing.assert_array_equal(found.index, np.argsort(distances, axis=1)[:, :4])
    np.testing.assert_allclose(np.sqrt(found.squared / found.squared[0, 0]), expected / expected[0, 0], rtol=1e-12)


def test_a_row_a_million_times_farther_away_costs_the_others_nothing():
    features = np.random.default_rng(1).standard_normal((80, 6))
    features[17] = 1e12
    squared = cdist(features, features)
    np.fill_diagonal(squared, np.inf)
    (rows,) = comparable(features)
    np.testing.assert_array_equal(nearest_neighbours(rows, 3).index[:17], np.argsort(squared, axis=1)[:17, :3])


@pytest.mark.parametrize("width", [1e-4, 1e-9])
def test_a_tight_cluster_far_from_the_other_side_keeps_its_neighbours(width):
    rng = np.random.default_rng(2)
    cluster = width * np.round(rng.standard_normal((50, 4)) * 2**8) / 2**8
    rows, _ = comparable(cluster + 3, rng.standard_normal((50, 4)))
    squared = cdist(cluster + 3 - 3, cluster + 3 - 3)
    np.fill_diagonal(squared, np.inf)
    np.testing.assert_array_equal(nearest_neighbours(rows, 3).index, np.argsort(squared, axis=1, kind="stable")[:, :3])


def test_as_many_neighbours_as_other_rows_and_no_more():
    (rows,) = comparable(np.arange(4.0)[:, None])
    assert nearest_neighbours(rows, 3).index[0].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="4 rows do not have 4 neighbours"):
        nearest_neighbours(rows, 4)
