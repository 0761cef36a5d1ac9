"""What the Jensen-Shannon distance of two k-mer spectra is on average where both sides come from one source."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln, xlogy

if TYPE_CHECKING:
    from dnabench_metrics.kmers import Spectrum

#: Occurrences expected on the side with fewer windows from which the part of a k-mer is at its limit, to 0.2 %.
MANY = 200
#: Up to this many occurrences among both sides each number is in the table; beyond, so many numbers per e-fold.
EACH, PER_E_FOLD = 400, 20


def expected_js_distance(generated: Spectrum, reference: Spectrum) -> float:
    """Root of the mean divergence, in bits, over random deals of all sequences to two sides of these sizes.

    With M and M' windows a side, a k-mer that occurs N times among both contributes ``g(N)``, the mean of
    `js_terms` of the shares A / M and (N - A) / M' over A ~ Binomial(N, M / (M + M')), if its windows are dealt
    one by one. As the mean occurrences on the smaller side grow, g tends to ``(1/M + 1/M') / (8 ln 2)``: the second
    order of the divergence, which for 4^k frequent k-mers and M = M' is the familiar ``(4^k - 1) / (4 M)`` nats. But
    windows are dealt by the sequence, and those of one sequence resemble each other. A k-mer whose count varies ``phi``
    times as much between sequences as that of independent windows would (the design effect, Kish 1965, Survey Sampling,
    section 8.2) behaves as N / phi independent clumps of phi windows do and contributes ``phi g(N / phi)``.
    """
    windows, windows_r = int(generated.counts.sum()), int(reference.counts.sum())
    found = generated.counts + reference.counts > 0
    counts, squares, weighted = (
        (of_g[found] + of_r[found]).astype(np.float64) for of_g, of_r in zip(generated[:3], reference[:3], strict=True)
    )
    lengths = np.concatenate([generated.windows, reference.windows]).astype(np.float64)
    n = len(lengths)

    # sum over the sequences of (c - share t)^2, beside what independent windows give: the k-mer's count.
    share = counts / (windows + windows_r)
    phi = (squares - 2 * share * weighted + share**2 * (lengths @ lengths)) / counts * n / (n - 1)
    # Sequences that all hold the same number of a k-mer leave no variance but, at times, its rounding.
    phi = np.where(phi > 1e-9, phi, 0.0)
    clumps = np.divide(counts, phi, out=np.full_like(counts, np.inf), where=phi > 0)
    limit = (1 / windows + 1 / windows_r) / (8 * np.log(2))
    fewer, more = sorted((windows, windows_r))
    totals = _tabulated(MANY * (fewer + more) / fewer)
    table = _expected_terms(totals, fewer, more)
    each = np.where(clumps < totals[-1], np.interp(clumps, totals, table), limit)
    return float(np.sqrt(min(1.0, phi @ each)))


def js_terms(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """What each cell adds to the Jensen-Shannon divergence of two distributions, in bits.

    ``(p log2(p / m) + q log2(q / m)) / 2`` with ``m = (p + q) / 2`` (Lin 1991, eq. 4.1); an empty cell adds nothing.
    """
    m = np.where(p + q > 0, (p + q) / 2, 1.0)
    terms: np.ndarray = (xlogy(p, p / m) + xlogy(q, q / m)) / (2 * np.log(2))
    return terms


def _tabulated(most: float) -> np.ndarray:
    """The N that g is worked out for, up to ``most`` >= EACH: int64, ascending; it is straight enough between them."""
    steps = int(np.ceil(PER_E_FOLD * np.log(most / EACH)))
    return np.concatenate([np.arange(EACH), np.geomspace(EACH, most, steps + 1).astype(np.int64)])


def _expected_terms(totals: np.ndarray, fewer: int, more: int) -> np.ndarray:
    """g(N) of `expected_js_distance` for N in ``totals``, int64: float64, the same shape.

    The sum runs over the occurrences on the side of ``fewer`` windows, to ten standard deviations beyond their mean.
    """
    alpha = fewer / (fewer + more)
    mean = alpha * totals
    sizes = np.minimum(totals, mean + 10 * np.sqrt(mean) + 20).astype(np.int64) + 1
    row = np.repeat(np.arange(len(totals)), sizes)
    dealt = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rest = totals[row] - dealt
    log_chance = gammaln(totals + 1)[row] - gammaln(dealt + 1) - gammaln(rest + 1)
    chance = np.exp(log_chance + dealt * np.log(alpha) + rest * np.log1p(-alpha))
    expected: np.ndarray = np.bincount(row, chance * js_terms(dealt / fewer, rest / more))
    return expected
