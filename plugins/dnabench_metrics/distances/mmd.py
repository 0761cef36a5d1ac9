"""`mmd`: the unbiased squared maximum mean discrepancy between real and generated embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.distance import pdist

from dnabench import Score
from dnabench_metrics.features import Z95, Estimate, embed_both, standard_error
from dnabench_metrics.sampling import shuffled

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.distances import MMDOptions

#: A tile of the kernel matrix, in rows and columns: small enough to stay in cache between the steps on it.
TILE = (512, 1024)
#: Reference rows that the median distance is taken over.
MEDIAN_ROWS = 2000
#: Squared norm, in units of the median squared distance, up to which float32 serves: it rounds the squared distances
#: to some 1e-7 of the squared norms.
FLOAT32_NORM = 1e3

Kernel = Callable[[np.ndarray, np.ndarray], np.ndarray]


class MaximumMeanDiscrepancy:
    """Unbiased squared maximum mean discrepancy of the embeddings, without unit. Lower is better; at times negative.

    Definition:
        mean k(x, x') + mean k(y, y') - 2 mean k(x, y) over all pairs of different sequences, x generated and y real.
        The kernel `rbf` is the mean of exp(-|x - y|^2 / (2 s^2)) over `bandwidths` values of s^2: the median squared
        distance among at most 2,000 reference sequences times ..., 1/2, 1, 2, ... (5: a quarter to four times). The
        kernel `cubic` is (x . y / d + 1)^3, d the dimension: KID, but over all pairs instead of small subsets. Of more
        than `most` sequences a side, that many are drawn. What an N becomes is up to the embedder.
    Interval:
        Value ± 1.96 standard errors of the Hájek projection, from the row sums of the kernel matrices. Right to a tenth
        where the sides differ, too wide by a quarter to a third at the floor.
    Floor:
        0 on average at every n, with a spread in proportion to 1/n: values at different n can be compared. On `ae` at
        n = 2,000 the spread is 0.00006 for human promoters, 0.00003 to 0.00005 for those of 15 species.
    Sees:
        Any difference of the distributions of the embeddings, at the scale of the bandwidths; with `cubic` that of the
        first three moments. Human promoters on `ae` at n = 2,000: 3 % substituted bases 0.0015, 10 % 0.018, TATA region
        elsewhere 0.006, moved by 30 bp 0.10, dinucleotide shuffle 0.14, per-position frequencies 0.36.
    Misses:
        Differences at scales far from the median distance; 1 % substituted bases at n = 2,000; repetition of training
        sequences. Far from real DNA the order says little: of human promoters, their composition (0.44) is above
        uniform bases (0.39).
    Cost:
        O(n^2 d), in tiles that stay in the cache: 1 s for n = 10,000 and d = 64.
    Source:
        Gretton et al. 2012, JMLR 13:723, eq. 3; Binkowski et al. 2018, arXiv 1801.01401 (KID).
    """

    def __init__(self, options: MMDOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The unbiased estimate with a normal 95 % interval."""
        features_g, features_r = embed_both(generated, reference, context, metric="mmd")
        # In an order of their own, which decides what the median distance is taken over.
        features_g = features_g[shuffled(generated, seed=0, side="generated")[: self.options.most]]
        features_r = features_r[shuffled(reference, seed=0, side="reference")[: self.options.most]]
        if self.options.kernel == "cubic":
            value, error = cubic_estimate(generated=features_g, reference=features_r)
        else:
            value, error = rbf_estimate(generated=features_g, reference=features_r, bandwidths=self.options.bandwidths)
        return Score(value=value, ci_low=value - Z95 * error, ci_high=value + Z95 * error)


def rbf_estimate(*, generated: np.ndarray, reference: np.ndarray, bandwidths: int) -> Estimate:
    """The unbiased MMD^2 and its standard error, with bandwidths around the reference's median distance.

    Args:
        generated: float64, shape ``(n, d)``, n >= 2, of any origin and unit.
        reference: float64, shape ``(m, d)``, m >= 2.
        bandwidths: number of kernels.
    """
    # Distances do not depend on the origin, but their rounding does; and float32 holds numbers near 1 best.
    centre, scale = reference.mean(0), np.sqrt(median_squared_distance(reference))
    X, Y = (generated - centre) / scale, (reference - centre) / scale
    if max(float(np.square(side).sum(1).max()) for side in (X, Y)) <= FLOAT32_NORM:
        X, Y = X.astype(np.float32), Y.astype(np.float32)
    return mmd_estimate(generated=X, reference=Y, kernel=rbf_kernel(1.0, bandwidths))


def cubic_estimate(*, generated: np.ndarray, reference: np.ndarray) -> Estimate:
    """The unbiased MMD^2 with the kernel ``(x . y / d + 1)^3`` (KID) and its standard error, in float64."""
    dimension = generated.shape[1]

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        base = x @ y.T
        base /= dimension
        base += 1
        cube: np.ndarray = base * base
        cube *= base
        return cube

    return mmd_estimate(generated=generated, reference=reference, kernel=kernel)


def median_squared_distance(features: np.ndarray) -> float:
    """Median squared distance between rows, float of shape ``(n, d)``: over at most 2,000 rows spread over the set.

    Where more than half of all pairs coincide the mean takes its place, and 1 where all do: any kernel is then equal.
    """
    rows = np.linspace(0, len(features) - 1, min(len(features), MEDIAN_ROWS)).astype(int)
    # From differences, not from products: equal rows are then at exactly 0.
    distances = pdist(features[rows], "sqeuclidean")
    return float(np.median(distances)) or float(distances.mean()) or 1.0


def rbf_kernel(median: float, bandwidths: int) -> Kernel:
    """Mean of ``exp(-|x - y|^2 / (2 s^2))`` over ``bandwidths`` values of s^2: ``median`` times ..., 1/2, 1, 2, ..."""
    widest = median * 2.0 ** (bandwidths // 2)

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # Halving s^2 squares the exponential: one exp serves all bandwidths.
        power = np.exp(_squared_distances(x, y) * (-0.5 / widest))
        total = power.copy()
        for _ in range(bandwidths - 1):
            power *= power
            total += power
        total /= bandwidths
        return total

    return kernel


def mmd_estimate(*, generated: np.ndarray, reference: np.ndarray, kernel: Kernel) -> Estimate:
    """The unbiased MMD^2 (Gretton et al. 2012, eq. 3) and its standard error.

    The standard error is that of the Hajek projection, from the row sums of the three kernel matrices.

    Args:
        generated: float32 or float64, shape ``(n, d)``, n >= 2.
        reference: the same dtype, shape ``(m, d)``, m >= 2.
        kernel: maps shapes ``(a, d)`` and ``(b, d)`` to ``(a, b)``.
    """
    within_x = _row_sums_within(generated, kernel) / (len(generated) - 1)
    within_y = _row_sums_within(reference, kernel) / (len(reference) - 1)
    across_x, across_y = _row_sums_across(generated, reference, kernel)
    across_x /= len(reference)
    across_y /= len(generated)
    value = within_x.mean() + within_y.mean() - 2 * across_x.mean()
    return Estimate(float(value), standard_error(2 * (within_x - across_x), 2 * (within_y - across_y)))


def _row_sums_within(x: np.ndarray, kernel: Kernel) -> np.ndarray:
    """Sum over j != i of k(x_i, x_j): float64, shape ``(n,)``. Tiles below the diagonal are not computed twice."""
    sums = np.zeros(len(x))
    size = TILE[0]
    for top in range(0, len(x), size):
        rows = slice(top, top + size)
        tile = kernel(x[rows], x[rows])
        np.fill_diagonal(tile, 0)
        sums[rows] += tile.sum(1, dtype=np.float64)
        for start in range(top + size, len(x), TILE[1]):
            columns = slice(start, start + TILE[1])
            tile = kernel(x[rows], x[columns])
            sums[rows] += tile.sum(1, dtype=np.float64)
            sums[columns] += tile.sum(0, dtype=np.float64)
    return sums


def _row_sums_across(x: np.ndarray, y: np.ndarray, kernel: Kernel) -> tuple[np.ndarray, np.ndarray]:
    """Sums of k(x_i, y_j) over j, shape ``(n,)``, and over i, shape ``(m,)``; float64."""
    sums_x, sums_y = np.zeros(len(x)), np.zeros(len(y))
    for top in range(0, len(x), TILE[0]):
        rows = slice(top, top + TILE[0])
        for start in range(0, len(y), TILE[1]):
            columns = slice(start, start + TILE[1])
            tile = kernel(x[rows], y[columns])
            sums_x[rows] += tile.sum(1, dtype=np.float64)
            sums_y[columns] += tile.sum(0, dtype=np.float64)
    return sums_x, sums_y


def _squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x_i - y_j|^2 in the dtype of the arguments, shape ``(a, b)``."""
    distances: np.ndarray = x @ y.T
    distances *= -2
    distances += (x * x).sum(1)[:, None]
    distances += (y * y).sum(1)[None, :]
    np.maximum(distances, 0, out=distances)
    return distances
