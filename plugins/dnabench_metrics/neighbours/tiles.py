"""Exact neighbours of embeddings, and which of them lie in which balls, without a matrix of all distances.

Inner products come tile by tile from matrix products; they are rounded, so they only say which pairs may matter. Those
pairs' distances are then summed up from the differences of their coordinates: a copy is at exactly 0, the distance from
x to y is the one from y to x, and no result depends on the tiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dnabench_metrics.neighbours.kernels import find_members, keep_nearest, keep_nearest_across

#: Rows and columns of a tile: it and the rows it is made of stay in the second-level cache.
TILE = (512, 1024)
#: Balls kept for each point of those that would hold it if they reached one neighbour further.
SHELLS = 32
#: Half of what products of numbers that are too small for float32 may lose of a squared distance.
UNDERFLOW = 1e-36


@dataclass(frozen=True, slots=True)
class Rows:
    """Embeddings as the kernels want them; made by `comparable`.

    Attributes:
        exact: float64, shape ``(n, d)``.
        rounded: the same around a centre, where products lose fewest digits, float32.
        norms: the squared norms around that centre, float64, shape ``(n,)``.
    """

    exact: np.ndarray
    rounded: np.ndarray
    norms: np.ndarray

    def __len__(self) -> int:
        return len(self.exact)

    def take(self, index: np.ndarray) -> Rows:
        """The rows with these numbers."""
        return Rows(self.exact[index], self.rounded[index], self.norms[index])


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The nearest neighbours of every row among the other rows, nearest first.

    Attributes:
        squared: squared Euclidean distances, float64, shape ``(n, count)``.
        index: the rows, int64, shape ``(n, count)``.
    """

    squared: np.ndarray
    index: np.ndarray


@dataclass(frozen=True, slots=True)
class Membership:
    """Which points lie in which balls. A fold is the points (or balls) whose numbers agree modulo the number of folds.

    Attributes:
        hits: number of balls that hold the point, int64, shape ``(points,)``.
        ball: one ball that holds the point, -1 for none; the only one where ``hits`` is 1.
        shells: up to ``SHELLS`` balls that hold the point only once they reach their next neighbour, then -1:
            int64, shape ``(points, SHELLS)``.
        inside: points in the ball, by fold of the points, int64, shape ``(balls, folds)``.
        near: points that the ball holds only once it reaches its next neighbour, by fold, the same shape.
        point: one point in the ball, -1 for none; the only one where ``inside`` adds up to 1.
    """

    hits: np.ndarray
    ball: np.ndarray
    shells: np.ndarray
    inside: np.ndarray
    near: np.ndarray
    point: np.ndarray


def comparable(*sides: np.ndarray) -> tuple[Rows, ...]:
    """Rows of features, float of shapes ``(n, d)``, ``(m, d)``, ..., with one centre and one scale.

    The centre is the median of the last side, which a few far rows do not move. The scale is a power of two, which
    costs no digit; it brings all coordinates into the range of float32.
    """
    centre = np.median(sides[-1], axis=0)
    farthest = max(float(np.abs(side - centre).max()) for side in sides)
    scale = float(np.ldexp(1.0, -int(np.frexp(farthest)[1])))
    return tuple(_rows(np.multiply(side, scale, dtype=np.float64, order="C"), centre * scale) for side in sides)


def _rows(exact: np.ndarray, centre: np.ndarray) -> Rows:
    shifted = exact - centre
    return Rows(exact, shifted.astype(np.float32), np.einsum("ij,ij->i", shifted, shifted))


def nearest_neighbours(rows: Rows, count: int) -> Neighbours:
    """The ``count`` nearest other rows of every row; of rows at one distance, those that come first are taken.

    ValueError when there are no more than ``count`` rows.
    """
    n = len(rows)
    if n <= count:
        raise ValueError(f"{n} rows do not have {count} neighbours each")
    # Of rows in a small cluster far from the common centre, no pair could be ruled out.
    rows = _rows(rows.exact, np.median(rows.exact, axis=0))
    squared, index, reach = np.full((n, count), np.inf), np.full((n, count), -1), np.full(n, np.inf)
    least = _least(rows)
    for top, start, products in _tiles(rows, rows, symmetric=True):
        keep_nearest(products, top, start, rows.exact, least, squared, index, reach)
    return Neighbours(squared, index)


def nearest_across(points: Rows, others: Rows, *, itself: np.ndarray | None = None) -> Neighbours:
    """The nearest of ``others`` to every point, the first of several: arrays of shape ``(points, 1)``.

    ``itself``: for points that are rows of ``others``, which; they are not their own neighbours.
    """
    squared, index = np.full((len(points), 1), np.inf), np.full((len(points), 1), -1)
    itself = np.full(len(points), -1) if itself is None else itself
    least_p, least_o = _least(points), _least(others)
    for top, start, products in _tiles(points, others):
        keep_nearest_across(products, top, start, points.exact, others.exact, least_p, least_o, itself, squared, index)
    return Neighbours(squared, index)


def membership(points: Rows, centres: Rows, neighbours: Neighbours, *, k: int, closed: bool, folds: int) -> Membership:
    """Which points lie in the balls around ``centres`` that reach their k-th nearest neighbours.

    A ball holds what is nearer than its radius and every copy of its centre; a closed one its surface as well.
    ``neighbours`` are those of the centres: at least k, and one more tells what the ball would hold if one of its
    first k were missing.
    """
    radii = neighbours.squared[:, k - 1].copy()
    wider = neighbours.squared[:, min(k, neighbours.squared.shape[1] - 1)].copy()
    n, m = len(points), len(centres)
    found = Membership(
        hits=np.zeros(n, np.int64),
        ball=np.full(n, -1),
        shells=np.full((n, SHELLS), -1),
        inside=np.zeros((m, folds), np.int64),
        near=np.zeros((m, folds), np.int64),
        point=np.full(m, -1),
    )
    least_p, least_c = _least(points), _least(centres)
    slack = points.norms - least_p, centres.norms - least_c
    for top, start, products in _tiles(points, centres):
        find_members(
            *(products, top, start, points.exact, centres.exact, least_p, least_c, *slack, radii, wider, closed),
            *(found.hits, found.ball, found.shells, found.inside, found.near, found.point),
        )
    return found


def _least(rows: Rows) -> np.ndarray:
    """Squared norms less what they add to the error of a squared distance from rounded products, shape ``(n,)``.

    With unit roundoff u, a product of d terms is off by at most d u |x| |y| (Higham 2002, Accuracy and Stability of
    Numerical Algorithms, eq. 3.5), and rounding the coordinates adds 2 u |x| |y|; twice the product is in the squared
    distance, and 2 |x| |y| <= |x|^2 + |y|^2. Two u more cover what is rounded in float64.
    """
    unit = np.finfo(np.float32).eps / 2
    least: np.ndarray = rows.norms * (1 - (rows.exact.shape[1] + 4) * unit) - UNDERFLOW
    return least


def _tiles(left: Rows, right: Rows, *, symmetric: bool = False) -> Iterator[tuple[int, int, np.ndarray]]:
    """First row, first column and inner products of every tile; those above the diagonal only where ``symmetric``."""
    height, width = TILE
    for top in range(0, len(left), height):
        rows = left.rounded[top : top + height]
        for start in range(top if symmetric else 0, len(right), width):
            yield top, start, rows @ right.rounded[start : start + width].T
