"""`density` and `coverage`: how full of generated embeddings the neighbourhoods of real ones are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import Score
from dnabench_metrics.features import Z95
from dnabench_metrics.neighbours.estimates import coverage_estimate, density_estimate, neighbours_of
from dnabench_metrics.neighbours.intervals import compared, share_score
from dnabench_metrics.neighbours.sides import equal_sides

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.neighbours import NeighbourOptions


class Density:
    """How many real neighbourhoods a generated embedding lies in, over the k expected. Higher is better; it exceeds 1.

    Definition:
        Both sides are thinned to the same number of sequences, N = min(n, m, `most`), drawn by `seed` and the
        sequences, not by their order (`details` says how many were given and used). B_j is the open ball around the
        real embedding r_j that reaches to its k-th nearest neighbour among the other real ones; the value is 1/(k N)
        times the number of pairs of a generated embedding and a ball that holds it. 1 is what a fresh real sequence has
        on average. Above 1 the generated sequences keep to where real ones crowd, the core of the distribution, and
        leave its fringe out: no merit, but a sign of too little variety, to be read beside coverage and the floor. A
        ball holds every copy of its centre, even where more than k copies leave it no radius. Two identical sets are at
        exactly 1. What an N in a sequence becomes, and strands, are up to the embedder.
    Interval:
        Over draws of both sides at N: value ± 1.96 standard errors, cut at 0. The variance is that of the generated
        counts, plus the jackknife variance of their expectation over the real ones (without one, its ball goes and
        those around its neighbours grow), less the noise of counting. Over redraws of nine pairs of sources in 2 to 32
        dimensions at N = 150 to 1,200, it held the mean in 91 to 97 %; the standard error was 0.9 to 1.15 times the
        spread; 84 % for a generator that repeats one sequence, 92 % for five. At 0 its upper end is that of the share
        in any ball, z^2 / (N + z^2), over k.
    Floor:
        1 on average, for any embedding, N and k (of all points around r_j the generated one is among the k nearest with
        probability k / N); for human promoters of 256 bp on `ae` 1.00 ± 0.04 at N = 2,000, ± 0.06 for those of 15
        species; 1.04 [0.97, 1.10] for human ones on `kmer` at N = 4,000.
    Sees:
        Generated sequences at the fringe of the real ones or beyond: human promoters on `ae` at N = 2,000, 10 %
        substituted bases 0.79, 30 % 0.64, moved by 30 bp 0.80, order-5 Markov chain 0.70, per-position frequencies
        0.53, uniform bases 0.36; on `kmer` at N = 4,000, 30 % substituted bases 0.63, shuffled 0.48 and uniform bases
        0.26. One real outlier adds a single ball, unlike in precision.
    Misses:
        Missing kinds of sequences, mode collapse (20 sequences repeated: 0.6 to 1.3, by which they are), copies of
        training sequences; on `ae` dinucleotide shuffles, which are above real DNA (1.13), and beside promoters of 15
        species 30 % substituted bases (0.96) and per-position frequencies (1.04); on `kmer` 10 % substituted bases
        (0.96).
    Cost:
        O(N^2 d) time, O(N d) memory; 0.8 s at N = 10,000 and d = 128, beside embedding.
    Source:
        Naeem et al. 2020, arXiv 2002.09797, section 3 (density and its expectation); Efron and Stein 1981, Ann Stat
        9:586 (jackknife).
    """

    def __init__(self, options: NeighbourOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """Real neighbourhoods around a generated embedding, over k."""
        sides = equal_sides(generated, reference, context, metric="density", options=self.options)
        k, n = self.options.k, len(sides.generated)
        value, error = density_estimate(sides.generated, sides.reference, neighbours_of(sides.reference, k), k)
        # Where no ball holds anything nothing varies: Wilson's upper end of a share of 0, one ball for each that is in.
        high = value + Z95 * error if value > 0 else Z95**2 / (n + Z95**2) / k
        return Score(
            value=value,
            ci_low=max(0.0, value - Z95 * error),
            ci_high=high,
            details=compared(generated, reference, sides),
        )


class Coverage:
    """The share of real embeddings with a generated one in their neighbourhood, from 0 to 1. Higher is better.

    Definition:
        Both sides are thinned to the same number of sequences, N = min(n, m, `most`), drawn by `seed` and the
        sequences, not by their order (`details` says how many were given and used): the more are generated the more is
        covered, so numbers must agree to be compared. B_j is the open ball around the real embedding r_j that reaches
        to its k-th nearest neighbour among the other real ones; the value is the share of the B_j that hold a generated
        embedding. A ball holds every copy of its centre, even where more than k copies leave it no radius. What an N in
        a sequence becomes, and strands, are up to the embedder.
    Interval:
        Over draws of both sides at N: the jackknife variance over the real ones (without one, its ball goes and those
        around its neighbours grow) plus that over the generated ones (without one, balls that hold no other are lost),
        each without the noise that the other has already. The ends are the wider ones of the normal and of Wilson's
        interval at that variance. Over redraws of nine pairs of sources in 2 to 32 dimensions at N = 150 to 1,200, it
        held the mean in 93 to 100 %; the standard error was 0.9 to 1.4 times the spread.
    Floor:
        1 - product over i < k of (N - 1 - i) / (2N - 1 - i) on average, for any embedding: the chance that not all of
        the k nearest to r_j are real. 0.969 for k = 5 and N from 100 on; for human promoters 0.969 ± 0.003 on `ae` at
        N = 2,000, 0.969 on `kmer` at N = 4,000; 0.965 ± 0.008 on `ae` for those of 15 species.
    Sees:
        Kinds of real sequences that are not generated, mode collapse (20 sequences repeated: 0.03), repetition of a few
        thousand (0.92 on `kmer`), sequences unlike real ones. Human promoters on `ae` at N = 2,000: TATA region
        elsewhere 0.90, 10 % substituted bases 0.88, 30 % 0.46, moved by 30 bp 0.63, dinucleotide shuffle 0.61, order-5
        Markov chain 0.48, per-position frequencies 0.21, uniform bases 0.13. On `kmer` at N = 4,000: 10 % 0.94, 30 %
        0.60, shuffled 0.57, uniform bases 0.20, only the half of the promoters with least GC 0.57.
    Misses:
        Junk beside enough good sequences, copies of training sequences, up to its floor too little variety, on `ae` 3 %
        substituted bases.
    Cost:
        O(N^2 d) time, O(N d) memory; 0.8 s at N = 10,000 and d = 128, beside embedding.
    Source:
        Naeem et al. 2020, arXiv 2002.09797, section 3 (coverage and its expectation); Efron and Stein 1981, Ann Stat
        9:586.
    """

    def __init__(self, options: NeighbourOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The share of real embeddings whose ball holds a generated one."""
        sides = equal_sides(generated, reference, context, metric="coverage", options=self.options)
        k = self.options.k
        share = coverage_estimate(sides.generated, sides.reference, neighbours_of(sides.reference, k), k)
        return share_score(share, len(sides.reference), details=compared(generated, reference, sides))
