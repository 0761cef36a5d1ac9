"""`swd`: the sliced 2-Wasserstein distance between real and generated embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench import Score
from dnabench_metrics.features import Z95, Estimate, embed_both, standard_error

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.distances import SWDOptions

#: Projections worked on at a time: bounds memory to a few arrays of this many rows of n numbers.
CHUNK = 32


class SlicedWasserstein:
    """The root of the mean, over fixed random directions, of the squared 2-Wasserstein distance in one dimension."""

    def __init__(self, options: SWDOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The distance, in units of the embedding, with a 95 % interval.

        The interval is made for the squared distance, whose influence function is known, and its ends are rooted.
        Like the distance itself it holds for these sample sizes.
        """
        features_g, features_r = embed_both(generated, reference, context, metric="swd")
        directions = unit_directions(self.options.projections, features_g.shape[1], seed=self.options.seed)
        squared, error = squared_swd_estimate(generated=features_g, reference=features_r, directions=directions)
        low, high = max(0.0, squared - Z95 * error), squared + Z95 * error
        return Score(value=float(np.sqrt(squared)), ci_low=float(np.sqrt(low)), ci_high=float(np.sqrt(high)))


def unit_directions(projections: int, dimension: int, *, seed: int) -> np.ndarray:
    """Directions drawn uniformly from the unit sphere: float64, shape ``(projections, dimension)``."""
    normal = np.random.default_rng(seed).standard_normal((projections, dimension))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    return normal


def squared_swd_estimate(*, generated: np.ndarray, reference: np.ndarray, directions: np.ndarray) -> Estimate:
    """Mean over directions of the squared 2-Wasserstein distance, and its standard error over draws of both sides.

    Bonneel et al. 2015, eq. 2, with exact one-dimensional transport for any two sample sizes. The influence of an
    observation on a squared distance is its Kantorovich potential (del Barrio and Loubes 2019, Ann Probab 47:926),
    averaged here over the directions.

    Args:
        generated: float, shape ``(n, d)``.
        reference: float, shape ``(m, d)``.
        directions: float, unit rows, shape ``(projections, d)``.
    """
    X, Y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    plan = _quantile_merge(len(X), len(Y))
    total = 0.0
    potential_x, potential_y = np.zeros(len(X)), np.zeros(len(Y))
    for start in range(0, len(directions), CHUNK):
        chunk = directions[start : start + CHUNK]
        rows_x, rows_y = chunk @ X.T, chunk @ Y.T
        order_x, order_y = rows_x.argsort(axis=1), rows_y.argsort(axis=1)
        x = np.take_along_axis(rows_x, order_x, axis=1)
        y = np.take_along_axis(rows_y, order_y, axis=1)
        masses, index_x, index_y = plan
        total += float((np.square(x[:, index_x] - y[:, index_y]) @ masses).sum())
        _add_potentials(potential_x, x, y, order_x, plan)
        _add_potentials(potential_y, y, x, order_y, (masses, index_y, index_x))
    count = len(directions)
    return Estimate(total / count, standard_error(potential_x / count, potential_y / count))


def _quantile_merge(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The monotone transport plan between n and m sorted points of equal weight on each side.

    Returns the mass of every pairing (float64, summing to 1) and the ranks it joins. Quantiles are counted in units of
    1/(n m), so that steps that coincide on the two sides coincide exactly.
    """
    edges = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    left = edges[:-1]
    return np.diff(edges) / (n * m), left // m, left // n


def _add_potentials(
    total: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    order: np.ndarray,
    plan: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Add to ``total`` the Kantorovich potential of every observation of x towards y, summed over the rows.

    The potential has the derivative 2 (x - T(x)), with T(x) the mean of where x is carried; it is integrated along the
    sorted observations by the trapezoid rule. ``x`` and ``y`` are sorted rows, ``order`` says whose value each was.
    """
    masses, index_x, index_y = plan
    starts = np.flatnonzero(np.diff(index_x, prepend=-1))
    carried = np.add.reduceat(y[:, index_y] * masses, starts, axis=1) * x.shape[1]
    slope = x - carried
    steps = (slope[:, 1:] + slope[:, :-1]) * np.diff(x, axis=1)
    potential = np.zeros_like(x)
    np.cumsum(steps, axis=1, out=potential[:, 1:])
    total += np.bincount(order.ravel(), weights=potential.ravel(), minlength=len(total))
