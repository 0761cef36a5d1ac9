"""`diversity`: whether generated sequences differ from each other as much as real ones do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, Estimate
from dnabench_metrics.records.sequences import DIVERSITY_SEQUENCES
from dnabench_metrics.sampling import shuffled
from dnabench_metrics.sequences.edit_distance import edit_distances

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.sequences import DiversityOptions


class Diversity:
    """How far the mean distance within the generated set is from that within the real one, as a fraction of it.

    Definition:
        |d_g - d_r| / d_r, with d_g and d_r the mean edit distance (Levenshtein, end to end, all costs 1) between two
        different members of the generated and of the real set, over their length. 0 is best, lower is better, and too
        much variety counts as too little does: 0.044 is 4.4 %. The parts `generated` and `reference` hold d_g and d_r.
        Each mean is over `pairs` different pairs, drawn so that the sequences are in equally many of them, give or take
        two, or over all pairs where there are no more. Equal sequences are at distance 0 and count. N is a
        letter of its own. The given strands are compared. Both sides must have one length, as the distance of unrelated
        sequences, even over the length, falls with it.
    Interval:
        Normal for d_g / d_r - 1, by the delta method, then its absolute value: 0 is the lower end if the signed
        interval holds it. The variance of a mean covers both the draw of the sequences and that of the pairs, through
        all couples of pairs that share a sequence; the standard error matches the spread over replicates to some 10 %.
    Floor:
        Real against real is about 0.8 standard errors: 0.002 for 2,000 a side of 256 bp (human promoters). It falls as
        1 / sqrt(n) until the pairs limit it, near 0.0008 at 10,000 pairs.
    Sees:
        Collapse: a share c of sequences that are one and the same takes c^2 off. A wrong range of composition: uniform
        random sequences are 2 % closer to each other than human promoters, whose composition varies.
    Misses:
        Duplicates spread thinly, which `uniqueness` counts: each sequence twice changes 1 / n. Anything about how the
        sequences compare with the real ones; and as unrelated sequences are all about equally far apart, what is
        seen is mainly their composition.
    Cost:
        O(pairs length^2 / 64): 0.05 s for 10,000 pairs a side of 256 bp, 1.2 s for 2,048 bp (one thread).
    Source:
        Difference to the real value: Li et al. 2023, arXiv 2310.06150. Edit distance: Myers 1999, J ACM 46:395.
        Variance of a mean over pairs: Aronow, Samii and Assenova 2015, Political Analysis 23:564, eq. 2; for all
        pairs it is Hoeffding's for a U-statistic of order 2 (1948, Ann Math Stat 19:293).
    """

    def __init__(self, options: DiversityOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:  # noqa: ARG002
        """The relative difference, with the mean distances of both sides as parts.

        Raises UserError when the lengths differ, a side holds fewer than ten sequences, or the reference's sequences
        are all equal.
        """
        for side, sequences in (("generated", generated), ("reference", reference)):
            if len(sequences) < DIVERSITY_SEQUENCES:
                raise UserError(
                    f"diversity: {len(sequences)} {side} sequences; it needs at least {DIVERSITY_SEQUENCES}"
                )
        if generated.length != reference.length:
            raise UserError(
                f"diversity compares distances over the length: generated sequences of {generated.length} bp cannot be "
                f"compared with a reference of {reference.length} bp"
            )
        of_g, of_r = self._mean_distance(generated, "generated"), self._mean_distance(reference, "reference")
        if of_r.value == 0:
            raise UserError(f"diversity: the pairs drawn from {len(reference)} reference sequences are all of equals")
        ratio = of_g.value / of_r.value
        error = np.hypot(of_g.standard_error, ratio * of_r.standard_error) / of_r.value
        low, high = folded_at_zero(ratio - 1 - Z95 * error, ratio - 1 + Z95 * error)
        return Score(
            value=abs(ratio - 1),
            ci_low=low,
            ci_high=high,
            parts={"generated": _score(of_g), "reference": _score(of_r)},
        )

    def _mean_distance(self, sequences: SequenceSet, side: str) -> Estimate:
        order = shuffled(sequences, seed=self.options.seed, side=side)
        first, second = (order[places] for places in spread_pairs(len(sequences), self.options.pairs))
        distances = edit_distances(sequences.codes[first], sequences.codes[second]) / sequences.length
        return mean_over_pairs(distances, first, second)


def spread_pairs(n: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Different pairs of the places 0 .. n - 1, at most ``most``: int64, two arrays.

    Neighbours on a circle first, then those two apart, and so on, until ``most`` or all are there. Of the neighbours
    every other pair comes first, so that few pairs share nobody.
    """
    pairs = np.arange(min(most, n * (n - 1) // 2))
    apart, first = np.divmod(pairs, n)
    circle = np.concatenate([np.arange(0, n, 2), np.arange(1, n, 2)])
    first[:n] = circle[: len(pairs)]
    return first, (first + apart + 1) % n


def mean_over_pairs(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> Estimate:
    """The mean of a symmetric function of two observations over pairs of them, and its standard error.

    With ``r`` a pair's deviation from the mean and ``S_i`` the sum of r over the pairs that hold observation i, the sum
    of ``r r'`` over all couples of pairs that share an observation is ``sum_i S_i^2 - sum r^2``; over the squared
    number of pairs it estimates the variance of the mean (Aronow et al. 2015, eq. 2). The sum of r^2 alone is what
    independent pairs have, and the least that is claimed. n / (n - 1) makes up for taking the deviations from the mean.

    Args:
        values: float64, shape ``(pairs,)``.
        first: one observation of each pair, int64, the same shape.
        second: the other one.
    """
    mean = float(values.mean())
    deviations = values - mean
    held, rows = np.unique(np.concatenate([first, second]), return_inverse=True)
    sums = np.bincount(rows, np.tile(deviations, 2))
    own = deviations @ deviations
    n = len(held)
    variance = max(sums @ sums - own, own) * n / (n - 1) / len(values) ** 2
    return Estimate(mean, float(np.sqrt(variance)))


def folded_at_zero(low: float, high: float) -> tuple[float, float]:
    """The absolute values that an interval of signed ones holds, as an interval."""
    ends = sorted((abs(low), abs(high)))
    return (0.0 if low < 0 < high else ends[0]), ends[1]


def _score(estimate: Estimate) -> Score:
    mean, error = estimate
    low, high = max(0.0, mean - Z95 * error), min(1.0, mean + Z95 * error)
    return Score(value=mean, ci_low=low, ci_high=high, direction="none")
