"""`precision` and `recall`: whether either side's embeddings lie in the neighbourhoods of the other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench_metrics.neighbours.estimates import effective_count, neighbours_of, share_in_balls
from dnabench_metrics.neighbours.intervals import compared, share_score
from dnabench_metrics.neighbours.sides import equal_sides

if TYPE_CHECKING:
    from dnabench import Context, Score, SequenceSet
    from dnabench_metrics.records.neighbours import NeighbourOptions


class Precision:
    """The share of generated embeddings that lie among the real ones, from 0 to 1. Higher is better.

    Definition:
        Both sides are thinned to the same number of sequences, N = min(n, m, `most`). B_j is the closed ball around the
        real embedding r_j that reaches to its k-th nearest neighbour among the other real ones, in Euclidean distance;
        the value is 1/N times the number of generated embeddings that lie in at least one B_j. N is the same on both
        sides because balls shrink as their side grows: only then does precision say of one side what recall says of the
        other, and generators with samples of different sizes are compared alike. The draw is fixed by `seed` and the
        sequences, not by their order; `details` says how many were given and used, and there is no warning. k is 5, as
        for density and coverage, so that all four speak of the same balls; the paper has 3, at N = 50,000. More than k
        copies of a real sequence leave a ball without radius, which holds copies alone. Distances are exact in float64,
        ties included. What an N in a sequence becomes, and strands, are up to the embedder.
    Interval:
        Over draws of both sides at N: the binomial variance of the generated ones, plus the jackknife variance of their
        expected share over the real ones, from what leaving out each of these does (its ball goes, those around its
        neighbours grow), less the noise of counting. The ends are the wider ones of the normal and of Wilson's interval
        at that variance. Over redraws of nine pairs of sources in 2 to 32 dimensions at N = 150 to 1,200, it held the
        mean in 93 to 100 %; the standard error was 0.9 to 1.2 times the spread, up to 1.6 where few points miss and
        under 1 where hardly any does, which is what Wilson's interval is for. Where embeddings repeat, the variance is
        at least share (1 - share) / n', n' = N^2 over the sum of squared multiplicities (Kish 1965), which stands for N
        in Wilson's interval: no shorter than of n' places.
    Floor:
        Below 1, and no formula: it depends on the embedding and on k, little on N. Gaussian samples give 0.99 in 2
        dimensions, 0.94 in 8 and 0.80 in 32 (k = 5, N = 400 to 1,200); promoters of 256 bp on `ae` at N = 2,000
        0.81 ± 0.01 (human and of 15 species); human ones on `kmer` 0.83 at N = 4,000.
    Sees:
        Generated sequences unlike any real one, by little: human promoters on `ae` at N = 2,000, 30 % substituted bases
        0.77, moved by 30 bp 0.75, order-5 Markov chain 0.74, per-position frequencies 0.70, uniform bases 0.66. On
        `kmer` at N = 4,000, 30 % substituted bases 0.69, shuffled bases 0.62, uniform bases 0.45.
    Misses:
        Missing kinds of sequences (recall has them), repetition, copies of training sequences; 10 % substituted bases
        (0.78 on `ae`, at the edge of the floor; 0.81 on `kmer`). One real outlier has a large ball, and all in it
        count: uniform bases are far from 0 on this scale, and on `ae` what is no DNA can be above real DNA:
        dinucleotide shuffles (0.87), and beside promoters of 15 species per-position frequencies (0.91), their
        composition (0.86) and uniform bases (0.84). There the 20 largest of 2,000 balls hold three quarters of the
        uniform sequences. A high value alone says nothing.
    Cost:
        O(N^2 d) time, O(N d) memory; 0.8 s at N = 10,000 and d = 128, of which the interval is 4 %, beside embedding.
    Source:
        Kynkäänniemi et al. 2019, arXiv 1904.06991, eq. 1 and 2; Efron and Stein 1981, Ann Stat 9:586 (jackknife).
    """

    def __init__(self, options: NeighbourOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The share of generated embeddings that some real one's ball holds."""
        sides = equal_sides(generated, reference, context, metric="precision", options=self.options)
        neighbours = neighbours_of(sides.reference, self.options.k)
        share = share_in_balls(sides.generated, sides.reference, neighbours, self.options.k)
        return share_score(share, effective_count(sides.generated), details=compared(generated, reference, sides))


class Recall:
    """The share of real embeddings that lie among the generated ones, from 0 to 1. Higher is better.

    Definition:
        Precision with the sides exchanged: both are thinned to N = min(n, m, `most`) sequences, B_j is the closed ball
        around the generated embedding g_j that reaches to its k-th nearest neighbour among the other generated ones,
        and the value is 1/N times the number of real embeddings that lie in at least one B_j. See `precision` for why N
        is the same on both sides and for k. More than k copies of a generated sequence leave a ball without radius,
        which holds copies alone. What an N in a sequence becomes, and strands, are up to the embedder.
    Interval:
        As for `precision`, with the sides exchanged.
    Floor:
        That of `precision`, since both sides are real: human promoters of 256 bp on `ae` 0.81 ± 0.01 at N = 2,000, on
        `kmer` 0.82 at N = 4,000.
    Sees:
        Kinds of real sequences that are not generated, mode collapse (20 sequences repeated: 0.00), generated sequences
        that are unlike real ones: human promoters on `ae` at N = 2,000, TATA region elsewhere 0.77, 30 % substituted
        bases 0.66, order-5 Markov chain 0.55, dinucleotide shuffle 0.48, uniform bases 0.23. On `kmer` at N = 4,000,
        10 % substituted bases 0.76, shuffled 0.38 and uniform bases 0.06, only the half with least GC 0.41.
    Misses:
        Junk beside good sequences (precision has it), copies of training sequences, on `ae` 10 % substituted bases
        (0.80). One generated outlier has a large ball that may take in real sequences unlike it; coverage does without
        such balls.
    Cost:
        As `precision`: 0.8 s at N = 10,000 and d = 128.
    Source:
        Kynkäänniemi et al. 2019, arXiv 1904.06991, eq. 1 and 2; Efron and Stein 1981, Ann Stat 9:586 (jackknife).
    """

    def __init__(self, options: NeighbourOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The share of real embeddings that some generated one's ball holds."""
        sides = equal_sides(generated, reference, context, metric="recall", options=self.options)
        neighbours = neighbours_of(sides.generated, self.options.k)
        share = share_in_balls(sides.reference, sides.generated, neighbours, self.options.k)
        return share_score(share, effective_count(sides.reference), details=compared(generated, reference, sides))
