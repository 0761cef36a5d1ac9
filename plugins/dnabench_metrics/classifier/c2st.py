"""`c2st`: the classifier two-sample test."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.classifier import C2STOptions

#: Rows of the table of what tells the sides apart, and of the held-out sequences that it is worked out on, a side.
TELLING, SHOWN_ON = 30, 4096


class ClassifierTwoSampleTest:
    """Held-out AUROC of a classifier that tells generated from real sequences: no unit, lower is better, 0.5 is chance.

    Definition:
        AUROC = mean over held-out pairs of [s(g) > s(r)] + [s(g) = s(r)] / 2, where s is the trained classifier's score
        of a generated sequence g and of a reference sequence r, higher for what looks generated. It is the AUROC
        itself, not its distance from 0.5: below 0.5 it lies by chance alone.
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
        DeLong's standard error, normal on the logit scale. It is that of the held-out sequences for the classifier as
        trained; another draw of the training part adds to the spread. Over draws of both sets the standard error was
        0.8 to 1.2 of the spread and the interval held the mean in 83 to 100 % (human promoters against 10 % mutated,
        moved and Markov ones, 30 draws of 300 and 16 of 1,000 a side), and 1.0 to 1.2 of it at 10,000 a side (simulated
        promoters, 14 draws). Where both sides have one source the held-out part alone decides: 0.9 to 1.05, and 93 to
        97 %. At complete separation it has no width.
    Floor:
        0.5 at any n. The part `chance` is the 95 % band of two samples of one source at these held-out sizes, 0.5 +-
        1.96 sqrt((n + m + 1) / (12 n m)): 0.475 to 0.525 at 2,000 a side, of which 1,000 are held out. Human promoters
        against others, 12 splits of 2,000 a side: mean 0.501, sd 0.014 (0.013 expected).
    Sees:
        Whatever words or places tell, and repetition: 2,000 draws from 200 human promoters are at 0.98, and 2,000 with
        replacement from 2,000 at 0.65 (with `repeats = once` at 0.48 and 0.51). Human promoters, 2,000 a side, `trees`
        (`cnn`): 10 % mutated 0.75 (0.67), moved by 30 bp in a circle 0.93 (0.89), order-5 Markov chain 0.96 (0.95),
        per-position frequencies 0.99 (0.99), dinucleotide shuffle 0.92 (0.90); band 0.475 to 0.525. 3 % mutated 0.54
        (0.51) is at its edge; at 5,000 a side it is 0.55 to 0.57, with a band of 0.484 to 0.516. The value grows with
        the training part: compare values at equal n only. ``details`` names the 30 features that differ most in the
        training part, with both sides' means and the feature's own AUROC on the held-out part.
    Misses:
        1 % mutated (0.50 at 5,000 a side); words longer than 4 bp and their order, beyond what the features hold.
        Memorising: copies of training sequences look real; see `novelty`.
    Cost:
        Linear in n up to `most`, then constant but for counting words. One thread, 256 bp, 20,000 a side: 1.5 s with
        features; 2,000 a side: 0.7 s. 2,048 bp, 5,000 a side: 3.6 s. `cnn`, 2,000 a side: 4 s.
    Source:
        Lopez-Paz and Oquab 2017, arXiv 1610.06545 (sec. 3, with the AUROC for the accuracy). DeLong et al. 1988,
        Biometrics 44:837. Mann and Whitney 1947, Ann Math Stat 18:50 (the band). Friedman 2001, Ann Stat 29:1189.
    """

    def __init__(self, options: C2STOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The AUROC; the part `chance` is what two samples of one source give; ``details`` name what tells most.

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
        low, high = auroc_interval(estimate)
        band = Z95 * null_standard_error(int(held_out.generated.sum()), int((~held_out.generated).sum()))
        return Score(
            value=estimate.value,
            ci_low=low,
            ci_high=high,
            parts={"chance": Score(value=0.5, ci_low=0.5 - band, ci_high=0.5 + band, direction="none")},
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
            "feature": [names[column] for column in best],
            "generated": values[side].mean(0),
            "reference": values[~side].mean(0),
            "auroc": [auroc_estimate(generated=column[side], reference=column[~side]).value for column in values.T],
        }
    )
