"""`fred`: the Fréchet distance between Gaussians fitted to real and generated embeddings."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg.lapack import dpstrf

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, embed_both, standard_error
from dnabench_metrics.sampling import shuffled

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.distances import FredOptions

#: Sample sizes that the extrapolation to infinitely many goes through, as in its paper.
EXTRAPOLATION_SIZES = 15
#: Rows worked on at a time: few enough to stay in the cache between the steps on them.
CHUNK = 256


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
        in its eigenbasis. It compares scores made at different n, each at least ten times the dimension, and may be
        negative; below that what is left of the bias shows.
        `fred.extrapolated`, with the option: the intercept at 1/n = 0 of a line through the distances of 15 subsets.
    Interval:
        Value ± 1.96 standard errors from the influence of every sequence of both sides: for y on a side with mean mu,
        2 (y - mu) . (mu - mu') + (y - mu)^T (I - T) (y - mu), T the optimal transport map to the other side's Gaussian.
        It is one of the distance at these n. Against the spread of replicates it is right to a tenth where the sides
        differ, and too wide by a third to a half at the floor.
    Floor:
        Positive and in proportion to 1/n: about (d^2/2 + 2d)/n for d uncorrelated features of variance 1. On `ae` at
        n = 2,000: 2.15 ± 0.14 for human promoters, 2.6 ± 0.1 for those of 15 species, and `fred.debiased` 0.1 ± 0.1 for
        these; at n = 500 it leaves 1.1 ± 0.7 of 10.4. Compare plain values at equal n only, beside the floor.
    Sees:
        Whatever moves the mean or the covariance of the embeddings: on `ae` composition, k-mers, motifs that are
        missing or out of place, missing classes and species, mode collapse. Human promoters at n = 2,000: 3 %
        substituted bases 3.9, 10 % 24, 30 % 211, TATA region elsewhere 12, moved by 30 bp 130, dinucleotide shuffle
        169, order-5 Markov chain 186, per-position frequencies 623, 20 sequences repeated 120.
    Misses:
        What leaves mean and covariance alone; repetition of training sequences; on `ae` 1 % substituted bases at
        n = 2,000 (2.4), and what spans more than 60 bp, beyond the co-occurrence of what lies in different position
        bins. Far from real DNA the order says little: of human promoters, their composition (871) is above uniform
        bases (638).
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
    """The squared distance alone, at the cost of one eigenvalue problem; arguments as in `frechet_estimate`."""
    shift, X, Y = _centred(generated, reference)
    cov_x, cov_y = _covariance(X), _covariance(Y)
    return _distance(shift, cov_x, cov_y, trace_of_root(cov_x, cov_y))


def trace_of_root(cov_x: np.ndarray, cov_y: np.ndarray) -> float:
    """Tr (S_x^1/2 S_y S_x^1/2)^1/2 of two covariances: float64, shape ``(d, d)``, positive semi-definite."""
    root = _root(cov_x)
    product = root.T @ cov_y @ root
    return float(np.sqrt(_without_noise(np.linalg.eigvalsh((product + product.T) / 2))).sum())


def frechet_estimate(*, generated: np.ndarray, reference: np.ndarray) -> FrechetEstimate:
    """Squared Fréchet distance of the fitted Gaussians, its standard error and its bias (see `FrechetDistance`).

    Args:
        generated: float, shape ``(n, d)``.
        reference: float, shape ``(m, d)``.
    """
    shift, X, Y = _centred(generated, reference)
    cov_x, cov_y = _covariance(X), _covariance(Y)
    root = _root(cov_x)
    # The general matrix root of a product of covariances loses digits and turns complex; this product is symmetric.
    cross, basis = _eigen(root.T @ cov_y @ root)
    value = _distance(shift, cov_x, cov_y, float(np.sqrt(cross).sum()))

    used = cross > 0
    roots, axes = np.sqrt(cross[used]), root @ basis[:, used]
    factor = _cauchy_factor(roots)
    # With S_x = A A^T, A^-T Q = S_y A Q / m for the eigenvectors Q: nothing is inverted.
    influence_x, bias_x = _side(X, shift, cov_y @ axes / roots, roots, factor)
    influence_y, bias_y = _side(Y, -shift, axes, roots, factor)
    return FrechetEstimate(value, standard_error(influence_x, influence_y), bias_x + bias_y)


def _side(
    centred: np.ndarray, shift: np.ndarray, axes: np.ndarray, roots: np.ndarray, factor: np.ndarray
) -> tuple[np.ndarray, float]:
    """One side's influences on the distance, shape ``(n,)``, and its part of the bias.

    In the eigenbasis of S'^1/2 S S'^1/2 the transport map T is diagonal. The bias is the second-order term of the delta
    method: the mean adds tr(S) / n; a change H of S changes the trace of the root by sum_ij K_ij^2 times the divided
    difference of 1 / (2 sqrt m), over 2, with K = S'^1/2 H S'^1/2 in the eigenbasis; the variance of K's entries is
    that of w_i w_j over n.

    Args:
        centred: the embeddings less their mean, shape ``(n, d)``.
        shift: this side's mean less the other's, shape ``(d,)``.
        axes: what turns them into w: S'^1/2 in the eigenbasis, where m > 0: shape ``(d, used)``.
        roots: sqrt m, shape ``(used,)``.
        factor: `_cauchy_factor` of the roots, shape ``(used, rank)``.
    """
    n = len(centred)
    influence, variance, fourth = np.empty(n), 0.0, 0.0
    for start in range(0, n, CHUNK):
        x = centred[start : start + CHUNK]
        w = x @ axes
        squares, own = np.square(w, out=w), np.einsum("ij,ij->i", x, x)
        influence[start : start + CHUNK] = 2 * (x @ shift) + own - squares @ (1 / roots)
        variance += own.sum() / (n - 1)
        fourth += np.square(squares @ factor).sum() / n
    return influence, float(variance + (fourth - roots.sum() / 2) / 2) / n


def _cauchy_factor(roots: np.ndarray) -> np.ndarray:
    """F of shape ``(used, rank)`` with (F F^T)_ij = 1 / (sqrt(m_i m_j) (sqrt m_i + sqrt m_j)).

    Times sqrt(m_i m_j) twice, this is positive definite and, to rounding, of a rank far below its size, as are all
    Cauchy matrices of positive numbers: sums of fourth moments over all pairs cost hardly more than those of squares.
    """
    if not len(roots):
        return np.zeros((0, 0))
    upper, pivots, rank, _ = dpstrf(np.outer(roots, roots) / np.add.outer(roots, roots))
    factor = np.empty((len(roots), rank))
    factor[pivots - 1] = np.triu(upper)[:rank].T
    factor /= np.square(roots)[:, None]
    return factor


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


def _centred(generated: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The difference of the means, and either side less its mean: float64."""
    X, Y = np.asarray(generated, np.float64), np.asarray(reference, np.float64)
    mean_x, mean_y = X.mean(0), Y.mean(0)
    return mean_x - mean_y, X - mean_x, Y - mean_y


def _distance(shift: np.ndarray, cov_x: np.ndarray, cov_y: np.ndarray, trace: float) -> float:
    # Rounding can leave a distance of zero at -1e-12; the squared distance itself cannot be negative.
    return max(0.0, float(shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * trace))


def _covariance(centred: np.ndarray) -> np.ndarray:
    covariance: np.ndarray = centred.T @ centred / (len(centred) - 1)
    return covariance


def _root(covariance: np.ndarray) -> np.ndarray:
    """A with S = A A^T: as good as S^1/2 here, since it is S^1/2 times an orthogonal matrix."""
    try:
        lower: np.ndarray = np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        lower = np.zeros_like(covariance)
    pivots = np.square(np.diag(lower))
    if pivots.min() > _noise(pivots.max(), len(pivots)):
        return lower
    values, vectors = _eigen(covariance)
    root: np.ndarray = vectors * np.sqrt(values)
    return root


def _eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, those that are rounding noise at 0, and eigenvectors of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return _without_noise(values), vectors


def _without_noise(eigenvalues: np.ndarray) -> np.ndarray:
    # The roots of what lies below are of order 1e-8: added up, they cost the distance of sets that do not span all
    # dimensions its sixth digit.
    kept: np.ndarray = np.where(eigenvalues > _noise(eigenvalues[-1], len(eigenvalues)), eigenvalues, 0.0)
    return kept


def _noise(largest: float, dimension: int) -> float:
    """Up to where an eigenvalue may be rounding alone: the rule of numpy.linalg.matrix_rank."""
    return float(largest * dimension * np.finfo(np.float64).eps)
