"""`c2st`: the classifier two-sample test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.classifier.auroc import auroc_estimate, auroc_interval, null_standard_error
from dnabench_metrics.classifier.partition import Partition, partition
from dnabench_metrics.classifier.words import Sample, place_names, places, separation, word_counts, word_names
from dnabench_metrics.features import Z95
from dnabench_metrics.records.classifier import FEWEST
from dnabench_metrics.sampling import thinned
from dnabench_metrics.sequences.diversity import folded_at_zero

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.classifier import C2STOptions

#: Rows of the table of what tells the sides apart, and of the held-out sequences that it is worked out on, a side.
TELLING, SHOWN_ON = 30, 4096


class ClassifierTwoSampleTest:
    """How well a classifier tells generated from real sequences, 0.5 (not at all) to 1; no unit, lower is better.

    Definition:
        0.5 + |AUROC - 0.5|, with AUROC = mean over held-out pairs of [s(g) > s(r)] + [s(g) = s(r)] / 2, where s is the
        trained classifier's score of a generated sequence g and of a reference sequence r, higher for what looks
        generated. The part `auroc` holds the AUROC itself. A classifier that is reliably wrong tells the sides apart as
        well as one that is right: where generated sequences are near-copies of reference ones, the held-out ones
        resemble the training sequences of the other side, and the AUROC is far below 0.5.
        Which sequences: of each side at most `most`, drawn by `seed`.
        Split: min(`training`, half of the smaller side) of each side train the classifier, so that the classes are
        equally large there; all others are held out. A sequence that both sides hold is trained on, or held out, on
        both: as many pairs of copies as both sides hold are kept together. Copies that one side holds in excess are
        divided freely, so that repeating a few sequences is found out. With `repeats = once` every distinct sequence of
        a side is used once. The split depends on neither the order of the sequences nor which side is which.
        Classifier `trees`: 100 gradient-boosted trees of at most 8 leaves (scikit-learn's
        HistGradientBoostingClassifier, learning rate 0.1, 32 bins) on the counts of all 1-mers to 4-mers of the
        sequence (forward strand; words that hold an N are left out), and on 128 features of place: those whose means
        differ most, in standard deviations, over the training part, among the base at each position and the
        dinucleotides in each of 16 equal stretches (8 bp at least). It is trained on one thread, so that results do not
        depend on their number.
        Classifier `cnn`: two convolutions (7 and 5 bp, 32 channels, batch normalisation) with a pooling of 4, averaged
        in at most 32 stretches, one linear layer; N is 0.25 of each base; AdamW over a fixed number of epochs, no early
        stopping.
        Both sides must have sequences of one length.
    Interval:
        That of the AUROC, folded at 0.5. At either end it is the wider of DeLong's, normal on the logit scale, and
        Newcombe's (method 5), which has a width at complete separation too; there a rule of three, 1 - 0.025^(1/n) with
        the smaller side's n held out, may widen it further. For given scores it holds an area of 0.9, 0.99 or 0.998 in
        94 to 100 % of simulated draws of 25 or 100 a side, for five shapes of the two laws. It is that of the held-out
        sequences for the classifier as trained; another draw of the training part adds to the spread. Over draws of
        both sets DeLong's standard error was 0.8 to 1.2 of the spread and the interval held the mean in 83 to 100 %
        (human promoters against 10 % mutated, moved and Markov ones, 30 draws of 300 and 16 of 1,000 a side), and 1.0
        to 1.2 of it at 10,000 a side (simulated promoters, 14 draws). Where both sides have one source the held-out
        part alone decides: 0.9 to 1.05; the AUROC's interval holds 0.5 in 94 to 96 %, the folded one the mean value in
        99 %.
    Floor:
        A little above 0.5: with no difference at all the AUROC is on either side of 0.5, so that the value is 0.5 +
        0.80 e on average, e = sqrt((n + m + 1) / (12 n m)) with n and m held out. Values just above 0.5 are chance. The
        part `chance` holds that mean and the range of 95 % of the values of two samples of one source, 0.5 to 0.5 +
        1.96 e: mean 0.510 and up to 0.525 at 2,000 a side, of which 1,000 are held out. Human promoters against others,
        12 splits of 2,000 a side: mean 0.512, all below 0.528; their AUROC 0.500, sd 0.016 (0.013 expected).
    Sees:
        Whatever words or places tell, and repetition: 2,000 draws from 200 human promoters are at 0.98, and 2,000 with
        replacement from 2,000 at 0.65 (with `repeats = once` at 0.52 and 0.51). Near-copies of the reference: human
        promoters with one base changed are at 0.82 (AUROC 0.18), with 3 % changed at 0.72, with 5 % at chance (`cnn`
        0.70), as what gives copies away and what gives mutation away pull in opposite directions. Human promoters,
        2,000 a side, `trees` (`cnn`): 10 % mutated 0.75 (0.67), moved by 30 bp in a circle 0.93 (0.89), order-5 Markov
        chain 0.96 (0.95), per-position frequencies 0.99 (0.99), dinucleotide shuffle 0.92 (0.90); chance up to 0.525. 3
        % mutated 0.54 (0.51) is at its edge; at 5,000 a side it is 0.55 to 0.57, with chance up to 0.516. The value
        grows with the training part: compare values at equal n only. ``details`` names the 30 features that differ most
        in the training part, with both sides' means and the feature's own AUROC on the held-out part.
    Misses:
        1 % mutated (0.50 at 5,000 a side); words longer than 4 bp and their order, beyond what the features hold.
        Memorising: copies of training sequences look real, and exact copies of the reference are at 0.5; see `novelty`.
    Cost:
        Linear in n up to `most`, then constant but for counting words. One thread, 256 bp, 20,000 a side: 1.5 s with
        features; 2,000 a side: 0.7 s. 2,048 bp, 5,000 a side: 3.6 s. `cnn`, 2,000 a side: 4 s.
    Source:
        Lopez-Paz and Oquab 2017, arXiv 1610.06545 (sec. 3, with the AUROC for the accuracy). DeLong et al. 1988,
        Biometrics 44:837. Newcombe 2006, Stat Med 25:559. Mann and Whitney 1947, Ann Math Stat 18:50 (the band).
        Friedman 2001, Ann Stat 29:1189.
    """

    def __init__(self, options: C2STOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The folded AUROC; the part `chance` is what two samples of one source give; ``details`` name what tells most.

        Raises UserError when a side holds fewer than 50 sequences to use, when the sides differ in length, or when the
        length is 0.
        """
        if generated.length != reference.length or reference.length == 0:
            raise UserError(
                f"c2st compares sequences of one length: generated sequences of {generated.length} bp cannot be "
                f"compared with a reference of {reference.length} bp"
            )
        options = self.options
        sides = []
        for side, sequences in (("generated", generated), ("reference", reference)):
            rows = self._rows(sequences, side)
            counts = context.per_sequence("counts of 1-mers to 4-mers", sequences, lambda s: word_counts(s.codes))
            sides.append((sequences.codes[rows], counts[rows]))
        training, held_out = divide(*sides, most=options.training, seed=options.seed)
        if options.classifier == "trees":
            from dnabench_metrics.classifier.trees import tree_scores  # noqa: PLC0415 (a second of scikit-learn)

            scores = tree_scores(training, held_out)
        else:
            from dnabench_metrics.classifier.cnn import network_scores  # noqa: PLC0415 (seconds of torch)

            scores = network_scores(training, held_out, epochs=options.epochs, seed=options.seed, device=context.device)
        estimate = auroc_estimate(generated=scores[held_out.generated], reference=scores[~held_out.generated])
        sizes = int(held_out.generated.sum()), int((~held_out.generated).sum())
        low, high = auroc_interval(estimate, *sizes)
        folded = folded_at_zero(low - 0.5, high - 0.5)
        error = null_standard_error(*sizes)
        return Score(
            value=0.5 + abs(estimate.value - 0.5),
            ci_low=0.5 + folded[0],
            ci_high=0.5 + folded[1],
            parts={
                "auroc": Score(value=estimate.value, ci_low=low, ci_high=high, direction="none"),
                # The mean size of a normal number is sqrt(2 / pi) standard deviations.
                "chance": Score(
                    value=0.5 + math.sqrt(2 / math.pi) * error, ci_low=0.5, ci_high=0.5 + Z95 * error, direction="none"
                ),
            },
            details=telling(training, held_out),
        )

    def _rows(self, sequences: SequenceSet, side: str) -> np.ndarray:
        """The rows of a side that are used: each sequence once, or all, and at most as many as the options say."""
        if len(sequences) < FEWEST:
            raise UserError(f"c2st: {len(sequences)} {side} sequences; it needs at least {FEWEST}")
        rows = np.arange(len(sequences))
        if self.options.repeats == "once":
            _, rows = np.unique(sequences.codes.view(f"V{sequences.length}").ravel(), return_index=True)
        if len(rows) < FEWEST:
            raise UserError(
                f"c2st: {len(rows)} different sequences among the {len(sequences)} {side} ones; it needs at least "
                f"{FEWEST}, unless the option repeats is `count`"
            )
        kept = thinned(sequences.take(rows), self.options.most, seed=self.options.seed, side=side)
        return np.asarray(rows[kept])


def divide(
    generated: tuple[np.ndarray, np.ndarray], reference: tuple[np.ndarray, np.ndarray], *, most: int, seed: int
) -> tuple[Sample, Sample]:
    """The training part, equally many of both sides, and the held-out part.

    Args:
        generated: codes, shape ``(n, length)``, and word counts, shape ``(n, 340)``.
        reference: the same of m sequences.
        most: training sequences a side; fewer where that is more than half of the smaller side.
        seed: of the draw.
    """
    size = min(most, len(generated[0]) // 2, len(reference[0]) // 2)
    drawn = partition(generated[0], reference[0], training=size, seed=seed)

    def sample(part: str) -> Sample:
        rows: list[np.ndarray] = [getattr(side, part) for side in drawn]
        codes, counts = (np.concatenate([generated[i][rows[0]], reference[i][rows[1]]]) for i in range(2))
        return Sample(codes, counts, np.arange(len(codes)) < len(rows[0]))

    first, second = Partition._fields
    return sample(first), sample(second)


def telling(training: Sample, held_out: Sample) -> pd.DataFrame:
    """The words and places whose means differ most over the training part, and how they fare on the held-out one.

    Columns: ``feature`` (``CG``, ``C at 205``, ``CG in 192-207``), ``generated`` and ``reference`` (mean counts per
    sequence) and ``auroc`` of the feature alone, at most 4,096 held-out sequences a side.
    """
    differences = np.abs(
        np.concatenate([separation(values, training.generated) for values in (training.counts, places(training.codes))])
    )
    best = np.argsort(-differences, kind="stable")[:TELLING]
    names = [*word_names(), *place_names(held_out.codes.shape[1])]
    rows = np.concatenate([np.flatnonzero(held_out.generated == side)[:SHOWN_ON] for side in (True, False)])
    side = held_out.generated[rows]
    values = np.concatenate([held_out.counts[rows], places(held_out.codes[rows])], axis=1)[:, best]
    return pd.DataFrame(
        {
            "view": f"Words and places: the {len(best)} of {len(names):,} that differ most",
            "quantity": "mean count per sequence",
            "feature": [names[column] for column in best],
            "generated": values[side].mean(0),
            "reference": values[~side].mean(0),
            "auroc": [auroc_estimate(generated=column[side], reference=column[~side]).value for column in values.T],
        }
    )
