"""`fred`: the Fréchet distance between Gaussians fitted to real and generated embeddings."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, embed_both, standard_error
from dnabench_metrics.sampling import shuffled

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.distances import FredOptions

#: Sample sizes that the extrapolation to infinitely many goes through, as in its paper.
EXTRAPOLATION_SIZES = 15


class FrechetDistance:
    """Squared Fréchet distance of Gaussians fitted to the embeddings; FReD on the embedder `ae`. Lower is better.

    Definition:
        With means mu and covariances S (with n - 1) of the embeddings of either side,
            |mu_g - mu_r|^2 + tr(S_g + S_r - 2 (S_g^1/2 S_r S_g^1/2)^1/2),
        without a root, as in FID and FCD. Everything is float64 and symmetric. Each side needs more sequences than the
        embedding has dimensions; under ten times as many there is a warning. What an N becomes is up to the embedder.
        `fred.debiased` is the distance less its bias to second order in 1/n, from fourth moments of the embeddings, on
        either side
            1/n (tr S + 1/2 sum_ij (E[w_i^2 w_j^2] - [i = j] m_i^2) / (sqrt(m_i m_j) (sqrt m_i + sqrt m_j))),
        m the eigenvalues of S'^1/2 S S'^1/2, S' the other side's covariance, and w the centred embeddings times S'^1/2
        in its eigenbasis. It compares scores made at different n, and may be negative.
        `fred.extrapolated`, with the option: the intercept at 1/n = 0 of a line through the distances of 15 subsets.
    Interval:
        Value ± 1.96 standard errors from the influence of every sequence of both sides: for y on a side with mean mu,
        2 (y - mu) . (mu - mu') + (y - mu)^T (I - T) (y - mu), T the optimal transport map to the other side's Gaussian.
        It is one of the distance at these n. Against the spread of replicates it is right to a tenth where the sides
        differ, and too wide by a third to a half at the floor.
    Floor:
        Positive and in proportion to 1/n: about (d^2/2 + 2d)/n for d uncorrelated features of variance 1. Compare plain
        values at equal n only, beside the floor.
    Sees:
        Whatever moves the mean or the covariance of the embeddings: on `ae` composition, k-mers, 3 % substituted bases
        at n = 2,000, motifs that are missing or out of place, missing classes and species.
    Misses:
        What leaves mean and covariance alone; repetition of training sequences; on `ae` what spans more than 60 bp,
        beyond the co-occurrence of what lies in different position bins.
    Cost:
        O(n d^2 + d^3); 0.02 s for n = 10,000 and d = 64, beside 0.2 to 0.3 ms a sequence for embedding with `ae`.
    Source:
        Dowson and Landau 1982, J Multivar Anal 12:450 (distance); Heusel et al. 2017, arXiv 1706.08500 (FID); Li et
        al. 2023, arXiv 2310.06150 (FReD); Chong and Forsyth 2020, arXiv 1911.07023 (extrapolation). Interval and bias
        are the first and the second order of the functional delta method (van der Vaart 1998, Asymptotic Statistics,
        ch. 20).
    """

    def __init__(self, options: FredOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The distance, and its debiased value as a part.

        Raises UserError when a side has no more sequences than the embedding has dimensions; warns below ten times as
        many.
        """
        features_g, features_r = embed_both(generated, reference, context, metric="fred")
        for side, features in (("generated", features_g), ("reference", features_r)):
            _check_size(side, *features.shape, embedder=str(context.embedder))
        estimate = frechet_estimate(generated=features_g, reference=features_r)
        margin = Z95 * estimate.standard_error
        debiased = estimate.value - estimate.bias
        parts = {"debiased": Score(value=debiased, ci_low=debiased - margin, ci_high=debiased + margin)}
        if self.options.extrapolate:
            infinite = extrapolate(
                generated=features_g[shuffled(generated, seed=0, side="generated")],
                reference=features_r[shuffled(reference, seed=0, side="reference")],
            )
            parts["extrapolated"] = Score(value=infinite, ci_low=infinite - margin, ci_high=infinite + margin)
        return Score(
            value=estimate.value, ci_low=max(0.0, estimate.value - margin), ci_high=estimate.value + margin, parts=parts
        )


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


class FrechetEstimate(NamedTuple):
    """A squared Fréchet distance, its standard error and its bias at these sample sizes."""

    value: float
    standard_error: float
    bias: float


def frechet_distance(*, generated: np.ndarray, reference: np.ndarray) -> float:
    """The squared distance alone, at the cost of two eigenvalue problems; arguments as in `frechet_estimate`."""
    X, Y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    shift = X.mean(0) - Y.mean(0)
    cov_x, cov_y = _covariance(X - X.mean(0)), _covariance(Y - Y.mean(0))
    values, vectors = _eigen(cov_x)
    root_x = (vectors * np.sqrt(values)) @ vectors.T
    product = root_x @ cov_y @ root_x
    cross = _without_noise(np.linalg.eigvalsh((product + product.T) / 2))
    return max(0.0, float(shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * np.sqrt(cross).sum()))


def frechet_estimate(*, generated: np.ndarray, reference: np.ndarray) -> FrechetEstimate:
    """Squared Fréchet distance of the fitted Gaussians, its standard error and its bias (see `FrechetDistance`).

    Args:
        generated: float, shape ``(n, d)``.
        reference: float, shape ``(m, d)``.
    """
    X, Y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    shift = X.mean(0) - Y.mean(0)
    X, Y = X - X.mean(0), Y - Y.mean(0)
    cov_x, cov_y = _covariance(X), _covariance(Y)

    values_x, vectors_x = _eigen(cov_x)
    roots_x = np.sqrt(values_x)
    root_x = (vectors_x * roots_x) @ vectors_x.T
    inverse_x = (vectors_x * _inverse(roots_x)) @ vectors_x.T
    # The general matrix root of a product of covariances loses digits and turns complex; this product is symmetric.
    cross, basis = _eigen(root_x @ cov_y @ root_x)
    cross_roots = np.sqrt(cross)
    value = shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * cross_roots.sum()

    # In the eigenbasis of S_x^1/2 S_y S_x^1/2: the transport maps x^T T x and y^T T^-1 y are diagonal there.
    whitened, rooted = X @ (inverse_x @ basis), Y @ (root_x @ basis)
    influence_x = 2 * X @ shift + (X * X).sum(1) - (whitened * whitened) @ cross_roots
    influence_y = -2 * Y @ shift + (Y * Y).sum(1) - (rooted * rooted) @ _inverse(cross_roots)
    bias = _bias(np.trace(cov_x), whitened * cross_roots, cross) + _bias(np.trace(cov_y), rooted, cross)
    # Rounding can leave a distance of zero at -1e-12; the squared distance itself cannot be negative.
    return FrechetEstimate(max(0.0, float(value)), standard_error(influence_x, influence_y), bias)


def _bias(variance: float, w: np.ndarray, cross: np.ndarray) -> float:
    """One side's part of the bias: the second-order term of the delta method.

    The mean adds tr(S) / n. A change H of S changes the trace of the root by sum_ij K_ij^2 times the divided difference
    of 1 / (2 sqrt m), over 2, with K = S'^1/2 H S'^1/2 in the eigenbasis; the variance of K's entries is that of
    w_i w_j over n.

    Args:
        variance: tr(S).
        w: the centred embeddings times S'^1/2, in the eigenbasis: shape ``(n, d)``.
        cross: eigenvalues m of S'^1/2 S S'^1/2, 0 where there are only rounding errors: shape ``(d,)``.
    """
    used = cross > 0
    m, squares = cross[used], np.square(w[:, used])
    roots = np.sqrt(m)
    weights = 1 / (np.outer(roots, roots) * np.add.outer(roots, roots))
    fourth = squares.T @ squares / len(w) - np.diag(np.square(m))
    return float(variance + (weights * fourth).sum() / 2) / len(w)


def extrapolate(*, generated: np.ndarray, reference: np.ndarray) -> float:
    """The distance at infinitely many samples: the intercept of a line through distances of subsets, over 1/n.

    Chong and Forsyth 2020 (FID infinity), with both sides thinned to the same share; the shares are evenly spaced in
    1/n between all, and a third or what the dimension needs. Arguments as in `frechet_estimate`, in random order.
    UserError with fewer than three sequences per dimension.
    """
    n, m, d = len(generated), len(reference), generated.shape[1]
    if min(n, m) < 3 * d:
        raise UserError(f"fred: {min(n, m)} sequences are too few to extrapolate in {d} dimensions; it needs {3 * d}")
    least = max(1 / 3, 2 * d / min(n, m))
    shares = 1 / np.linspace(1, 1 / least, EXTRAPOLATION_SIZES)
    distances = []
    for share in shares:
        x, y = generated[: round(share * n)], reference[: round(share * m)]
        distances.append(frechet_distance(generated=x, reference=y))
        # The next subset begins where this one ended, so that all rows serve about equally often.
        generated, reference = np.roll(generated, -len(x), axis=0), np.roll(reference, -len(y), axis=0)
    return float(np.polynomial.polynomial.polyfit(1 / shares, distances, 1)[0])


def _covariance(centred: np.ndarray) -> np.ndarray:
    covariance: np.ndarray = centred.T @ centred / (len(centred) - 1)
    return covariance


def _eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, those that are rounding noise at 0, and eigenvectors of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return _without_noise(values), vectors


def _without_noise(eigenvalues: np.ndarray) -> np.ndarray:
    # The rule of numpy.linalg.matrix_rank. The roots of what lies below are of order 1e-8: added up, they cost the
    # distance of sets that do not span all dimensions its sixth digit.
    noise = eigenvalues[-1] * len(eigenvalues) * np.finfo(np.float64).eps
    kept: np.ndarray = np.where(eigenvalues > noise, eigenvalues, 0.0)
    return kept


def _inverse(roots: np.ndarray) -> np.ndarray:
    """1 / x, and 0 where x is 0."""
    inverse: np.ndarray = np.divide(1.0, roots, out=np.zeros_like(roots), where=roots > 0)
    return inverse
