"""`motif-spacing`: how the distances between motifs differ."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.motifs.distances import count_distances, sum_slopes
from dnabench_metrics.motifs.matrices import digest, load_motifs
from dnabench_metrics.motifs.profile import PART_NAMES
from dnabench_metrics.motifs.scan import hits_of, position_bits, require_comparable, require_room

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dnabench import Context, SequenceSet
    from dnabench_metrics.motifs.matrices import Motif
    from dnabench_metrics.records.motifs import MotifSpacingOptions


class MotifSpacing:
    """Jensen-Shannon divergence, in bits, of the distances between motifs; 0 for equal spacing, 1 at worst.

    Definition:
        For a pair of motifs a and b, the distances d = position(b) - position(a) of all pairs of their hits that lie in
        one sequence with |d| <= `reach` bp, in bins of `bin_width` bp: shares p of the real and q of the generated
        sequences' distances. JS = 1/2 sum_k p_k log2(p_k / m_k) + 1/2 sum_k q_k log2(q_k / m_k), m = (p + q) / 2; it is
        1 where the generated sequences have no such distance. The value is the mean over pairs, weighted by the number
        of their distances in the reference (the noise of a pair falls with it); pairs with fewer than `minimum` there
        are left out. Paired are the motifs with a direction (looked for on one strand), because a distance from a motif
        of unknown direction has no sign: with `epd`, TATA-box and Initiator. Where a set has fewer than two such, all
        its motifs are paired. Of more than `most` motifs, those with a hit in most reference sequences are taken. Hits,
        strands, positions, cut-offs and N are as in motif-kl; hits of both strands at one position are one.
    Interval:
        Delta method over the sequences of both sides (all distances of a sequence count together), normal, within 0 to
        1. It is one of the value at these sample sizes, bias included; in simulations the standard error was 1.2
        times the spread.
    Floor:
        About (K - 1) / (8 ln 2) (1/N + 1/M) for a pair with N generated and M real distances, here not independent, in
        K bins: with `epd` and 2,000 a side 0.0012 ± 0.0001 for simulated promoters, 0.003 ± 0.001 for human ones.
        Compare at equal n.
    Sees:
        A TATA-box 5 bp further from the Initiator (0.0045 with 2,000 simulated promoters a side), one whose distance is
        spread evenly over 17 bp (0.0024), and none (0.0032). Shuffles and Markov chains (0.008 with human promoters).
    Misses:
        How frequent the motifs are, as long as there are enough; and where they lie, as long as their distance is
        right. Human promoters have few TATA-boxes: 10 % mutations are hardly told from real DNA there.
    Cost:
        One scan, then a count of the pairs of hits: 0.09 s for 20,000 + 20,000 sequences of 256 bp and `epd`.
    Source:
        Lin 1991, IEEE Trans Inf Theory 37:145 (eq. 4.1). Distances between motifs of a pair: polygraph (Gupta et al.
        2023, bioRxiv 2023.11.27.568764), which tests them. Bucher 1990, J Mol Biol 212:563 (TATA-box and Initiator).
    """

    def __init__(self, options: MotifSpacingOptions) -> None:
        self.options = options
        self.motifs = load_motifs(options.motifs, p_value=options.p_value)
        directed = [motif for motif in self.motifs if motif.strands == "+"]
        self.paired = directed if len(directed) > 1 else self.motifs
        if len(self.paired) < 2:
            raise UserError(f"motif-spacing: {options.motifs} holds 1 motif; pairs need at least 2")

    def digest(self) -> str:
        """sha256 of the matrices and cut-offs, whichever file they came from."""
        return digest(self.motifs)

    def check_length(self, length: int) -> None:
        """UserError when a motif is wider than sequences of ``length`` bp."""
        require_room(self.motifs, length, metric="motif-spacing")

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The weighted mean over pairs, with a part per pair; ``details`` holds the binned shares of both sides.

        Raises UserError when the sides have different lengths, one holds fewer than two sequences, a motif is wider
        than the sequences, or no pair has `minimum` distances in the reference.
        """
        require_comparable(generated, reference, self.paired, metric="motif-spacing")
        motifs = most_frequent(self.paired, hits_of(reference, self.paired, context).counts, self.options.most)
        pairs = np.array([*combinations(range(len(motifs)), 2)])
        reach, width = self.options.reach, self.options.bin_width
        bits_g, bits_r = (position_bits(side, motifs, context) for side in (generated, reference))
        counts_g, counts_r = (np.zeros((len(pairs), -(-(2 * reach + 1) // width)), np.int64) for _ in range(2))
        count_distances(bits_r, pairs, reach, width, counts_r)
        totals = counts_r.sum(axis=1)
        if totals.max() < self.options.minimum:
            raise UserError(
                f"motif-spacing: no pair of motifs has more than {totals.max()} distances up to {reach} bp in the "
                f"{len(reference)} reference sequences; it needs at least {self.options.minimum}"
            )
        enough = totals >= self.options.minimum
        pairs, counts_g, counts_r = pairs[enough], counts_g[enough], counts_r[enough]
        count_distances(bits_g, pairs, reach, width, counts_g)

        divergences = [spacing_divergence(generated=g, reference=r) for g, r in zip(counts_g, counts_r, strict=True)]
        sums = []
        for bits, slopes in (
            (bits_g, [found.slopes_generated for found in divergences]),
            (bits_r, [found.slopes_reference for found in divergences]),
        ):
            sums.append(np.zeros((len(bits), len(pairs))))
            count_slopes = np.array(slopes) * len(bits)
            sum_slopes(bits, pairs, reach, width, count_slopes, sums[-1])
        values = np.array([found.value for found in divergences])
        weights = counts_r.sum(axis=1) / counts_r.sum()
        value = float(weights @ values)
        # The weights are the reference's too: a pair with more distances there counts for more.
        of_weights = np.zeros((len(reference), len(pairs)))
        shift = np.repeat((values - value)[:, None] * len(reference) / counts_r.sum(), counts_r.shape[1], axis=1)
        sum_slopes(bits_r, pairs, reach, width, shift, of_weights)
        whole = _score(value, sums[0] @ weights, sums[1] @ weights + of_weights.sum(axis=1))
        names = [[PART_NAMES.get(motifs[m].name, motifs[m].name) for m in pair] for pair in pairs]
        return Score(
            value=value,
            ci_low=whole.ci_low,
            ci_high=whole.ci_high,
            parts={"+".join(pair): _score(values[k], sums[0][:, k], sums[1][:, k]) for k, pair in enumerate(names)},
            details=_shares(names, counts_g, counts_r, reach, width),
        )


def most_frequent(motifs: Sequence[Motif], counts: np.ndarray, most: int) -> list[Motif]:
    """The ``most`` motifs with a hit in most sequences, in the order of ``motifs``; counts of shape ``(n, motifs)``."""
    order = np.argsort(-(counts > 0).sum(axis=0), kind="stable")
    return [motifs[m] for m in np.sort(order[:most])]


class Divergence(NamedTuple):
    """A Jensen-Shannon divergence in bits and its derivatives by the count of each bin, shape ``(bins,)``."""

    value: float
    slopes_generated: np.ndarray
    slopes_reference: np.ndarray


def spacing_divergence(*, generated: np.ndarray, reference: np.ndarray) -> Divergence:
    """JS = 1/2 KL(p || m) + 1/2 KL(q || m), m = (p + q) / 2, in bits (Lin 1991, eq. 4.1 with equal weights).

    With q_k = c_k / N its derivative by c_k is (1/2 log2(q_k / m_k) - 1/2 KL(q || m)) / N. Without any generated count
    the value is 1, as for bins that no two distances share.

    Args:
        generated: counts, shape ``(bins,)``.
        reference: counts, shape ``(bins,)``, not all 0.
    """
    if not generated.any():
        return Divergence(1.0, np.zeros(len(generated)), np.zeros(len(reference)))
    shares = [side / side.sum() for side in (generated, reference)]
    middle = (shares[0] + shares[1]) / 2
    halves, slopes = [], []
    for counts, share in zip((generated, reference), shares, strict=True):
        log_ratio = np.zeros(len(share))
        log_ratio[share > 0] = np.log2(share[share > 0] / middle[share > 0]) / 2
        halves.append(float(share @ log_ratio))
        slopes.append((log_ratio - halves[-1]) / counts.sum())
    return Divergence(min(1.0, max(0.0, sum(halves))), slopes[0], slopes[1])


def _score(value: float, influence_generated: np.ndarray, influence_reference: np.ndarray) -> Score:
    margin = Z95 * standard_error(influence_generated, influence_reference)
    return Score(value=float(value), ci_low=max(0.0, value - margin), ci_high=min(1.0, value + margin))


def _shares(
    names: list[list[str]], generated: np.ndarray, reference: np.ndarray, reach: int, bin_width: int
) -> pd.DataFrame:
    """One row per pair and bin: motif_1, motif_2, the bin's first distance in bp, the shares of either side in it."""
    pairs, bins = generated.shape
    first, second = np.repeat(np.array(names, object), bins, axis=0).T
    totals = np.maximum(generated.sum(axis=1, keepdims=True), 1)
    return pd.DataFrame(
        {
            "motif_1": first,
            "motif_2": second,
            "distance": np.tile(np.arange(bins) * bin_width - reach, pairs),
            "generated": (generated / totals).ravel(),
            "reference": (reference / reference.sum(axis=1, keepdims=True)).ravel(),
        }
    )
