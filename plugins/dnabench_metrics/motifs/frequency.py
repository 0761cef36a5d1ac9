"""`motif-frequency`: the correlation, over motifs, of how often they occur."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import standard_error
from dnabench_metrics.motifs.base import MotifMetric
from dnabench_metrics.motifs.correlation import interval, pearson
from dnabench_metrics.motifs.scan import hits_of, require_comparable

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.motifs import MotifFrequencyOptions

#: The fewest motifs that a correlation over motifs can be taken over.
FEWEST_MOTIFS = 3


class MotifFrequency(MotifMetric):
    """Correlation over motifs of the roots of their hits per sequence, generated with real; 1 is best.

    Definition:
        Pearson's r between sqrt(g_m) and sqrt(r_m) over the motifs m of the set, g_m and r_m the mean number of hits in
        a generated and in a real sequence. The root makes the noise of a count equal for rare and frequent motifs: the
        correlation of the counts themselves (part `counts`, what most papers print) rests on the few most frequent
        motifs, that of their logarithms on the noise of the rarest. Every window that reaches the cut-off is a hit,
        overlapping ones too; on two strands a window counts once for each, so palindromes count twice. A file's motifs
        are looked for on both strands, unless a MEME file says `strands: +`; cut-offs and N are as in motif-kl. The
        value is 0 where all motifs are equally frequent on a side, as they are without any hits. The set `epd` has four
        motifs only and a correlation over four says little: give a file with more, such as JASPAR's. A set of fewer
        than three is refused.
    Interval:
        Normal, cut off at -1 and 1, by the delta method over the sequences of both sides; one of the value at these
        sample sizes, bias included. In simulations the standard error was 1.0 to 1.3 times the spread.
        Where the motifs are equally frequent on a side, as without hits, nothing is known of r: it is then -1 to 1.
    Floor:
        Below 1 by the noise in the counts: with 2,000 human promoters a side 0.992 for the 579 vertebrate motifs of
        JASPAR 2018, and 0.9999 for `epd`.
    Sees:
        Wrong composition and wrong words: with JASPAR's motifs 0.94 for an order-5 Markov chain, 0.81 for dinucleotide
        shuffles.
    Misses:
        Where the motifs lie, in what company, and any factor common to all motifs.
    Cost:
        One scan, linear in bases and motif columns: 0.07 s for 20,000 + 20,000 sequences of 256 bp and `epd`; 0.7 s for
        2,000 sequences of 2,048 bp and 100 motifs.
    Source:
        Polygraph (Gupta et al. 2023, bioRxiv 2023.11.27.568764) and D3 (Sarkar et al. 2024, bioRxiv 2024.05.23.595630)
        correlate the counts. Root: Bartlett 1936, J R Stat Soc Suppl 3:68.
    """

    name = "motif-frequency"

    def __init__(self, options: MotifFrequencyOptions) -> None:
        super().__init__(options)
        self.options = options
        if len(self.motifs) < FEWEST_MOTIFS:
            raise UserError(
                f"motif-frequency: {options.motifs} holds {len(self.motifs)} motifs; a correlation over motifs needs "
                f"at least {FEWEST_MOTIFS}, and says little under some dozens"
            )

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The correlation; ``details`` holds the hits per sequence of every motif.

        Raises UserError when the sides have different lengths, one holds fewer than two sequences, or a motif is wider
        than the sequences.
        """
        require_comparable(generated, reference, self.motifs, metric=self.name)
        counts_g, counts_r = (hits_of(side, self.motifs, context).counts for side in (generated, reference))
        table = pd.DataFrame(
            {
                "quantity": "hits per sequence",
                "motif": [motif.name for motif in self.motifs],
                "generated": counts_g.mean(axis=0),
                "reference": counts_r.mean(axis=0),
            }
        )
        whole = frequency_correlation(generated=counts_g, reference=counts_r, rooted=True)
        plain = frequency_correlation(generated=counts_g, reference=counts_r, rooted=False)
        return Score(
            value=whole.value, ci_low=whole.ci_low, ci_high=whole.ci_high, parts={"counts": plain}, details=table
        )


def frequency_correlation(*, generated: np.ndarray, reference: np.ndarray, rooted: bool) -> Score:
    """Pearson's r over motifs of the mean counts, or of their roots, with its interval.

    Args:
        generated: whole numbers, shape ``(n, motifs)``.
        reference: the same, shape ``(m, motifs)``.
        rooted: whether the roots are taken.
    """
    means = [side.mean(axis=0) for side in (generated, reference)]
    of_means = [np.sqrt(mean) for mean in means] if rooted else means
    value, *slopes, unknown = pearson(generated=of_means[0], reference=of_means[1])
    if rooted:
        # A motif without any hit has no count that could move its mean.
        slopes = [
            np.divide(slope, 2 * root, out=np.zeros_like(slope), where=root > 0)
            for slope, root in zip(slopes, of_means, strict=True)
        ]
    low, high = interval(value, standard_error(generated @ slopes[0], reference @ slopes[1]), unknown)
    return Score(value=value, ci_low=low, ci_high=high)
