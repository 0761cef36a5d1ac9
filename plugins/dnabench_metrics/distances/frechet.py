"""`fred`: the Fréchet distance between Gaussians fitted to real and generated embeddings."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, Estimate, embed_both, standard_error

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet


class FrechetDistance:
    """FReD when the embedder is `ae`. Squared distance, without a root, as in FID and FCD."""

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The distance with a 95 % interval.

        The distance is biased upwards, in proportion to 1/n, and the interval is one of the distance at these sample
        sizes: compare values at equal n only. Raises UserError when a side has no more sequences than the embedding has
        dimensions; warns below ten times as many.
        """
        features_g, features_r = embed_both(generated, reference, context, metric="fred")
        for side, features in (("generated", features_g), ("reference", features_r)):
            _check_size(side, *features.shape, embedder=str(context.embedder))
        value, error = frechet_estimate(generated=features_g, reference=features_r)
        return Score(value=value, ci_low=max(0.0, value - Z95 * error), ci_high=value + Z95 * error)


def _check_size(side: str, n: int, dimension: int, *, embedder: str) -> None:
    if n <= dimension:
        raise UserError(
            f"fred: {n} {side} sequences for the {dimension} dimensions of embedder {embedder}; "
            f"it needs more than {dimension}, and {10 * dimension} for a stable value"
        )
    if n < 10 * dimension:
        warnings.warn(
            f"fred: {n} {side} sequences are under ten times the {dimension} dimensions of embedder {embedder}; "
            f"the distance is dominated by its bias",
            UserWarning,
            stacklevel=3,
        )


def frechet_estimate(*, generated: np.ndarray, reference: np.ndarray) -> Estimate:
    """Squared Fréchet distance of the fitted Gaussians, and its standard error.

    ``|mu_g - mu_r|^2 + tr(S_g + S_r - 2 (S_g^1/2 S_r S_g^1/2)^1/2)`` (Dowson and Landau 1982), covariances with
    ``n - 1``. Everything is float64 and symmetric: the general matrix root of a product of covariances loses digits
    and turns complex. The standard error follows from the influence of one more observation y on a side with mean
    ``mu``, ``2 (y - mu) . (mu - mu') + (y - mu)^T (I - T) (y - mu)``, where T is the optimal transport map from that
    side's Gaussian to the other's.

    Args:
        generated: float, shape ``(n, d)``.
        reference: float, shape ``(m, d)``.
    """
    X, Y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    shift = X.mean(0) - Y.mean(0)
    X, Y = X - X.mean(0), Y - Y.mean(0)
    cov_x, cov_y = X.T @ X / (len(X) - 1), Y.T @ Y / (len(Y) - 1)

    root_x, inverse_x = _roots(cov_x)
    cross_root, cross_inverse = _roots(root_x @ cov_y @ root_x)
    value = shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * np.trace(cross_root)

    # x^T T x with T = S_x^-1/2 C S_x^-1/2, and y^T T^-1 y with T^-1 = S_x^1/2 C^-1 S_x^1/2, C the root of the product.
    whitened, rooted = X @ inverse_x, Y @ root_x
    influence_x = 2 * X @ shift + (X * X).sum(1) - ((whitened @ cross_root) * whitened).sum(1)
    influence_y = -2 * Y @ shift + (Y * Y).sum(1) - ((rooted @ cross_inverse) * rooted).sum(1)
    # Rounding can leave a distance of zero at -1e-12; the squared distance itself cannot be negative.
    return Estimate(max(0.0, float(value)), standard_error(influence_x, influence_y))


def _roots(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The square root and the pseudo-inverse of the square root, for a symmetric positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    # Below this, eigenvalues are rounding noise (the rule of numpy.linalg.matrix_rank). Their roots are of order 1e-8:
    # added up, they cost the distance of sets that do not span all dimensions its sixth digit.
    noise = values[-1] * len(matrix) * np.finfo(np.float64).eps
    roots = np.sqrt(np.where(values > noise, values, 0.0))
    inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=roots > 0)
    return (vectors * roots) @ vectors.T, (vectors * inverse) @ vectors.T
