"""`swd`: the sliced 2-Wasserstein distance between real and generated embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench import Score
from dnabench_metrics.features import Z95, Estimate, embed_both, standard_error

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.distances import SWDOptions

    # Masses of the pairings, and the ranks that each joins.
    Plan = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Projections worked on at a time: bounds memory to a few arrays of this many rows of n numbers.
CHUNK = 32
#: Directions, at most, that the standard error is made from: potentials cost several times what the distance costs,
#: and their average over directions settles sooner.
ERROR_DIRECTIONS = 100


class SlicedWasserstein:
    """Sliced 2-Wasserstein distance of the embeddings, in units of the embedding. Lower is better.

    Definition:
        The root of the mean, over fixed random unit directions theta, of W2^2(theta . x, theta . y), the squared
        2-Wasserstein distance in one dimension: exact transport between sorted projections for any two sample sizes,
        in float32, within 1e-6 of float64. What an N becomes is up to the embedder.
    Interval:
        Of the squared distance, value ± 1.96 standard errors from the Kantorovich potential of every sequence of both
        sides, averaged over at most 100 of the directions and scaled to the distance over all; its ends are rooted. It
        is one of the distance at these n. Where the sides differ the standard error is 0.9 to 1.1 times the spread (on
        `ae`; 92 to 98 % of the intervals hold the mean); at the floor it is too wide by a half.
    Floor:
        Positive, in proportion to 1/sqrt(n), whatever the dimension: about 2.5/sqrt(n) for features of variance 1. On
        `ae` at n = 2,000: 0.10 ± 0.01 for human promoters, 0.11 ± 0.01 for those of 15 species.
    Sees:
        Differences of the whole distribution of the embeddings along lines, not of mean and covariance alone. Human
        promoters on `ae` at n = 2,000: 3 % substituted bases 0.17, 10 % 0.53, TATA region elsewhere 0.32, moved by 30
        bp 1.3, dinucleotide shuffle and order-5 Markov chain 1.6, per-position frequencies 3.0.
    Misses:
        Differences that show in few directions of many, which the average over directions dilutes; 1 % substituted
        bases at n = 2,000 (0.11); repetition of training sequences. Far from real DNA the order says little: of human
        promoters, their composition (3.6) is above uniform bases (3.1).
    Cost:
        O(projections n (d + log n)); 0.3 s for n = 10,000, d = 64 and 500 projections, interval included.
    Source:
        Bonneel et al. 2015, J Math Imaging Vis 51:22, eq. 2; del Barrio and Loubes 2019, Ann Probab 47:926
        (potentials).
    """

    def __init__(self, options: SWDOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The distance with a 95 % interval."""
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

    Args:
        generated: float, shape ``(n, d)``.
        reference: float, shape ``(m, d)``.
        directions: float, unit rows, shape ``(projections, d)``.
    """
    # Distances do not depend on the origin and unit, but rounding does: float32 holds numbers near 1 best.
    centre, scale = reference.mean(0), float(reference.std()) or 1.0
    X, Y = (generated - centre) / scale, (reference - centre) / scale
    plan = _quantile_merge(len(X), len(Y))
    value = _squared_swd(X.astype(np.float32), Y.astype(np.float32), directions.astype(np.float32), plan)
    some, error = _estimate_over(X, Y, directions[:ERROR_DIRECTIONS], plan)
    # Influences grow with the distance itself: those of some directions are brought to the distance over all.
    error *= value / some if some > 0 else 1.0
    return Estimate(value * scale**2, error * scale**2)


def _squared_swd(X: np.ndarray, Y: np.ndarray, directions: np.ndarray, plan: Plan) -> float:
    """Bonneel et al. 2015, eq. 2. Sorting contiguous float32 rows is what NumPy does fastest."""
    masses, index_x, index_y = plan
    total = 0.0
    for start in range(0, len(directions), CHUNK):
        chunk = directions[start : start + CHUNK]
        x, y = chunk @ X.T, chunk @ Y.T
        x.sort(axis=1)
        y.sort(axis=1)
        if len(X) == len(Y):
            total += float(np.square(x - y).mean(axis=1).sum(dtype=np.float64))
        else:
            total += float((np.square(x[:, index_x] - y[:, index_y]) @ masses).sum())
    return total / len(directions)


def _estimate_over(X: np.ndarray, Y: np.ndarray, directions: np.ndarray, plan: Plan) -> Estimate:
    """The squared distance over these directions, and its standard error.

    The error comes from the influence of every observation: its Kantorovich potential, averaged over the directions.
    """
    masses, index_x, index_y = plan
    total = 0.0
    potential_x, potential_y = np.zeros(len(X)), np.zeros(len(Y))
    for start in range(0, len(directions), CHUNK):
        chunk = directions[start : start + CHUNK]
        rows_x, rows_y = chunk @ X.T, chunk @ Y.T
        order_x, order_y = rows_x.argsort(axis=1), rows_y.argsort(axis=1)
        x = np.take_along_axis(rows_x, order_x, axis=1)
        y = np.take_along_axis(rows_y, order_y, axis=1)
        total += float((np.square(x[:, index_x] - y[:, index_y]) @ masses).sum())
        _add_potentials(potential_x, x, y, order_x, plan)
        _add_potentials(potential_y, y, x, order_y, (masses, index_y, index_x))
    count = len(directions)
    return Estimate(total / count, standard_error(potential_x / count, potential_y / count))


def _quantile_merge(n: int, m: int) -> Plan:
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
    plan: Plan,
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
