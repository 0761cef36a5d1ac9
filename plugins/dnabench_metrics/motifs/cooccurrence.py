"""`motif-cooccurrence`: how the covariances of motif counts differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.motifs.base import MotifMetric
from dnabench_metrics.motifs.scan import hits_of, require_comparable

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.motifs import MotifCooccurrenceOptions

#: Rows of the table of pairs.
MOST_PAIRS = 50
#: No value is larger, for none of D_jk is (Cauchy and Schwarz).
LARGEST = 2.0
#: A variance of counts up to this is rounding: whole numbers vary by more.
TINY = 1e-9


class MotifCooccurrence(MotifMetric):
    """Root mean square difference of the scaled covariances of motif counts, without unit; 0 is best.

    Definition:
        With M motifs, C the M x M covariance matrix (n - 1) of the numbers of hits in a sequence, on either side, and
        s_j^2 = (C_gen,jj + C_real,jj) / 2: the root of the mean over all pairs (j, k), j = k included, of
        D_jk^2, D_jk = (C_gen,jk - C_real,jk) / (s_j s_k). That is the Frobenius norm of D over M. Every motif weighs
        the same whatever its frequency, D_jj lies between -2 and 2, and more motifs do not make it larger. A motif
        whose count is the same in all sequences of both sides adds 0. Hits, strands, cut-offs and N are as in
        motif-frequency. The set `epd` has four motifs; a file may bring more.
    Interval:
        Normal for the mean square, from what it loses without each sequence of either side (jackknife), the ends
        rooted, within 0 to 2. It is one of the value at these sample sizes, bias included. 93 to 100 % of the intervals
        held the mean over draws of 4 to 400 human promoters a side with `epd`. With rare motifs, 0.02 to 0.3 hits in a
        sequence, it may be too narrow: 85 to 97 %. A side of two sequences says nothing of the spread: it is 0 to 2.
    Floor:
        In proportion to sqrt(1/n + 1/m): with 2,000 human promoters a side 0.05 for `epd` and for JASPAR's vertebrate
        motifs. Compare at equal n.
    Sees:
        Motifs that go together in real sequences, in clusters or instead of each other, and those that do in generated
        ones alone. `details` lists the 50 pairs that differ most.
    Misses:
        How frequent the motifs are and where they lie.
    Cost:
        One scan, then five products of n x M and M x M: 0.08 s for 20,000 + 20,000 sequences of 256 bp and `epd`.
    Source:
        D3 (Sarkar et al. 2024, bioRxiv 2024.05.23.595630) names the Frobenius norm of the covariances' difference; here
        they are motif by motif, and scaled.
    """

    name = "motif-cooccurrence"

    def __init__(self, options: MotifCooccurrenceOptions) -> None:
        super().__init__(options)
        self.options = options
        if len(self.motifs) < 2:
            raise UserError(f"motif-cooccurrence: {options.motifs} holds 1 motif; pairs need at least 2")

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The difference; ``details`` holds the pairs that differ most.

        Raises UserError when the sides have different lengths, one holds fewer than two sequences, a motif is wider
        than the sequences, or no motif's count varies in the reference.
        """
        require_comparable(generated, reference, self.motifs, metric=self.name)
        counts_g, counts_r = (hits_of(side, self.motifs, context).counts for side in (generated, reference))
        if not np.ptp(counts_r, axis=0).any():
            raise UserError(
                f"motif-cooccurrence: in the {len(reference)} reference sequences none of the {len(self.motifs)} "
                f"motifs has a count that varies"
            )
        result = covariance_difference(generated=counts_g, reference=counts_r)
        low, high = 0.0, LARGEST
        if min(len(generated), len(reference)) > 2:
            margin = Z95 * standard_error(result.influence_generated, result.influence_reference)
            low = float(np.sqrt(max(0.0, result.mean_square - margin)))
            high = min(LARGEST, float(np.sqrt(result.mean_square + margin)))
        return Score(
            value=float(np.sqrt(result.mean_square)),
            ci_low=low,
            ci_high=high,
            details=self._pairs(result),
        )

    def _pairs(self, result: CovarianceDifference) -> pd.DataFrame:
        """The pairs with the largest scaled differences: motif_1, motif_2, generated, reference, difference."""
        rows, columns = np.triu_indices(len(self.motifs))
        title = "Covariances of the counts of two motifs"
        if len(rows) > MOST_PAIRS:
            title += f": the {MOST_PAIRS} of {len(rows):,} pairs that differ most"
        most = np.argsort(-np.abs(result.scaled[rows, columns]), kind="stable")[:MOST_PAIRS]
        rows, columns = rows[most], columns[most]
        names = np.array([motif.name for motif in self.motifs], object)
        return pd.DataFrame(
            {
                "view": title,
                "motif_1": names[rows],
                "motif_2": names[columns],
                "generated": result.generated[rows, columns],
                "reference": result.reference[rows, columns],
                "difference": result.scaled[rows, columns],
            }
        )


class CovarianceDifference(NamedTuple):
    """How two covariance matrices differ.

    Attributes:
        mean_square: of the entries of ``scaled``.
        influence_generated, influence_reference: of every sequence on it, shapes ``(n,)`` and ``(m,)``; not a number
            where a side holds two, for one has no covariance.
        scaled: the scaled differences, shape ``(M, M)``.
        generated, reference: the covariance matrices, shape ``(M, M)``.
    """

    mean_square: float
    influence_generated: np.ndarray
    influence_reference: np.ndarray
    scaled: np.ndarray
    generated: np.ndarray
    reference: np.ndarray


def covariance_difference(*, generated: np.ndarray, reference: np.ndarray) -> CovarianceDifference:
    """The mean square of D, as `MotifCooccurrence` defines it, and the influences on it.

    The influence of a sequence is what the mean square loses without it, times the side's other sequences (Efron and
    Stein 1981, Ann Stat 9:586), exactly: without a sequence whose counts lie c from the mean the covariances are
    ``((n - 1) C - n / (n - 1) c c') / (n - 2)``. Let A and b be such that the differences become A - b c c', and u_j
    the new 1 / s_j^2; then the sum of squares is ``u' (A o A) u - 2 b (u c)' A (u c) + b^2 (sum_j u_j c_j^2)^2``.

    Args:
        generated: whole numbers, shape ``(n, M)``, n >= 2.
        reference: the same, shape ``(m, M)``, m >= 2.
    """
    sides = (generated, reference)
    covariances = [np.atleast_2d(np.cov(side, rowvar=False)) for side in sides]
    weights = _inverse((covariances[0].diagonal() + covariances[1].diagonal()) / 2)
    scale = np.sqrt(weights)
    # In units of s, sums of squares of motifs of any frequency are of one size.
    centred = [(side - side.mean(axis=0)) * scale for side in sides]
    scaled = [covariance * scale * scale[:, None] for covariance in covariances]
    difference = scaled[0] - scaled[1]
    mean_square = float(np.square(difference).mean())
    influences = [
        (len(side) - 1) * (mean_square - _without_each(side, own, other) / difference.size)
        for side, own, other in zip(centred, scaled, scaled[::-1], strict=True)
    ]
    return CovarianceDifference(mean_square, influences[0], influences[1], difference, *covariances)


def _inverse(variance: np.ndarray) -> np.ndarray:
    """1 / variance, 0 for what does not vary but for rounding."""
    inverse: np.ndarray = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > TINY)
    return inverse


def _without_each(centred: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The sum of squares of D without each sequence: float64, shape ``(n,)``; see `covariance_difference`.

    Args:
        centred: counts less their means, shape ``(n, M)``.
        own: their covariances, shape ``(M, M)``.
        other: those of the other side.
    """
    n = len(centred)
    if n < 3:
        return np.full(n, np.nan)
    squared = np.square(centred)
    shrunk, b = (n - 1) / (n - 2), n / ((n - 1) * (n - 2))
    u = _inverse((shrunk * own.diagonal() - b * squared + other.diagonal()) / 2)
    a, weighted = shrunk * own - other, u * centred
    total: np.ndarray = (
        ((u @ np.square(a)) * u).sum(axis=1)
        - 2 * b * ((weighted @ a) * weighted).sum(axis=1)
        + np.square(b * (u * squared).sum(axis=1))
    )
    return total
