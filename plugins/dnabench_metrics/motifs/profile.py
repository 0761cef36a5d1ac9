"""`motif-profile`: the correlation of position-frequency curves of motifs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.motifs.base import MotifMetric
from dnabench_metrics.motifs.correlation import interval, pearson
from dnabench_metrics.motifs.scan import occupancy_of, require_comparable

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.motifs.matrices import Motif
    from dnabench_metrics.records.motifs import MotifProfileOptions

#: The fewest bins that a correlation over bins can be taken over.
FEWEST_BINS = 3


class MotifProfile(MotifMetric):
    """Mean over motifs of the correlation of the curves of where a motif lies, real with generated; 1 is best.

    Definition:
        A motif's curve is the share of sequences, in per cent, with at least one hit in each bin of `bin_width` bp: a
        hit whose anchor lies there, any hit and not the best alone. The value is the mean over motifs of Pearson's r
        between the generated and the real curve, over the bins. Only bins count that are complete and in which a hit on
        any strand looked at can have its anchor: at the ends of the sequences, where no window fits, all curves fall to
        0 and would agree. The correlation is 0 where a curve is constant, as one without hits is. Parts: r of each
        motif (`tata`, `initiator`, `gc-box`, `ccaat`: Cor_TATA and so on of the source), and the mean squared
        difference of its curves in per cent squared (`tata-mse`, ...). Motifs, cut-offs, strands, anchors and N are as
        in motif-kl. The source states neither cut-offs nor smoothing; its curves look smeared over some 15 bp.
    Interval:
        Normal, cut off at -1 and 1 (0 for mean squared differences), by the delta method over the sequences of both
        sides: the bins of one sequence are not independent. It is one of the value at these sample sizes, bias
        included. In simulations the standard error was 1.3 to 1.4 times the spread: too wide, not too narrow. Where a
        curve is constant, as without hits, nothing is known of r: the interval of its part is -1 to 1, and that of the
        mean over M motifs reaches 1/M further. That of a mean squared difference reaches at least as far as a hit in
        one more sequence of the smaller side would move it.
    Floor:
        Below 1 for real against real, by the noise in the curves: 0.93 ± 0.01 for 2,000 human promoters a side, 0.78
        for 400 against 500. Compare at equal n.
    Sees:
        Motifs in other places than real ones. With 2,000 human promoters: 0.90 for 10 % mutations, 0.67 for 30 %, 0.44
        for per-position frequencies, -0.1 to 0.1 for dinucleotide shuffles and an order-5 Markov chain.
    Misses:
        How frequent a motif is (the correlation has no scale; the mean squared differences see it), and how the motifs
        of one sequence are arranged.
    Cost:
        One scan, linear in bases and motif columns: 0.13 s for 20,000 + 20,000 sequences of 256 bp and the four motifs.
    Source:
        Li et al. 2023, arXiv 2310.06150 (motif distributions); Bucher 1990, J Mol Biol 212:563 (matrices).
    """

    name = "motif-profile"

    def __init__(self, options: MotifProfileOptions) -> None:
        super().__init__(options)
        self.options = options
        names = [self.part_name(motif) for motif in self.motifs]
        self.require_distinct([*names, *(f"{name}-mse" for name in names)])

    def check_length(self, length: int) -> None:
        """UserError when a motif is wider than that, or fewer than three bins are complete."""
        super().check_length(length)
        for motif in self.motifs:
            complete_bins(motif, self.options.bin_width, length)

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The mean over motifs, with two parts per motif; ``details`` holds the curves.

        Raises UserError when the sides have different lengths, one holds fewer than two sequences, or the sequences are
        too short for three bins of a motif.
        """
        require_comparable(generated, reference, self.motifs, metric=self.name)
        self.check_length(reference.length)
        width, length = self.options.bin_width, reference.length
        sides = [occupancy_of(side, self.motifs, width, context) for side in (generated, reference)]
        correlations: dict[str, Score] = {}
        differences: dict[str, Score] = {}
        values: list[float] = []
        tables: list[pd.DataFrame] = []
        influence_g, influence_r = np.zeros(len(generated)), np.zeros(len(reference))
        unknown = 0.0
        for m, motif in enumerate(self.motifs):
            bins = complete_bins(motif, width, length)
            in_bins_g, in_bins_r = (100.0 * side[:, m, bins] for side in sides)
            curve_g, curve_r = in_bins_g.mean(axis=0), in_bins_r.mean(axis=0)
            correlation = pearson(generated=curve_g, reference=curve_r)
            values.append(correlation.value)
            of_g, of_r = in_bins_g @ correlation.slopes_generated, in_bins_r @ correlation.slopes_reference
            influence_g += of_g / len(self.motifs)
            influence_r += of_r / len(self.motifs)
            unknown += correlation.unknown / len(self.motifs)
            name = self.part_name(motif)
            low, high = interval(correlation.value, standard_error(of_g, of_r), correlation.unknown)
            correlations[name] = Score(value=correlation.value, ci_low=low, ci_high=high)
            slopes = 2 * (curve_g - curve_r) / len(curve_g)
            difference = float(np.square(curve_g - curve_r).mean())
            margin = max(
                Z95 * standard_error(in_bins_g @ slopes, in_bins_r @ slopes),
                _one_more_hit(curve_g - curve_r, min(len(generated), len(reference))),
            )
            differences[f"{name}-mse"] = Score(
                value=difference,
                ci_low=max(0.0, difference - margin),
                ci_high=difference + margin,
                direction="lower",
            )
            starts = np.arange(bins.start, bins.stop) * width
            tables.append(
                pd.DataFrame({"motif": motif.name, "position": starts, "generated": curve_g, "reference": curve_r})
            )
        value = float(np.mean(values))
        low, high = interval(value, standard_error(influence_g, influence_r), unknown)
        return Score(
            value=value,
            ci_low=low,
            ci_high=high,
            parts=correlations | differences,
            details=pd.concat(tables, ignore_index=True).assign(quantity="sequences with a hit (%)"),
        )


def _one_more_hit(difference: np.ndarray, n: int) -> float:
    """By how much the mean square of ``difference`` grows at most with a hit in one more of ``n`` sequences.

    Without any hit a side shows no noise; but the next draw may have one.
    """
    step = 100.0 / n
    return float(step * (2 * np.abs(difference).max() + step) / len(difference))


def complete_bins(motif: Motif, bin_width: int, length: int) -> slice:
    """The bins in all of whose positions a hit on any strand can have its anchor; UserError for fewer than three."""
    before, after = motif.anchor, motif.width - 1 - motif.anchor
    if motif.strands == "both":
        before = after = max(before, after)
    bins = slice(-(-before // bin_width), (length - after) // bin_width)
    if bins.stop - bins.start < FEWEST_BINS:
        raise UserError(
            f"motif-profile: {max(0, bins.stop - bins.start)} bins of {bin_width} bp are complete for motif "
            f"{motif.name} in sequences of {length} bp; it needs at least {FEWEST_BINS}"
        )
    return bins
