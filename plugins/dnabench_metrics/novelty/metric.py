"""`novelty`: whether a generator repeats what it was trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import require_samples
from dnabench_metrics.novelty import intervals
from dnabench_metrics.novelty.search import TrainSearch

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.novelty import NoveltyOptions


class Novelty:
    """Share of the generated sequences that have no relative among the training sequences, 0 to 1; higher is better.

    Definition:
        novelty = (number of generated sequences without a relative) / (number of generated sequences).
        A training sequence is a relative of a generated one at an identity of `identity` (0.8) or above on either
        strand. Laid on each other at an offset, two sequences overlap by l bases, and
            identity = 1 - e / l
        with e the Levenshtein distance of the two overlapping parts, both of l bases, aligned from end to end. What
        overhangs costs nothing. l must be at least half of the shorter sequence and at least 32 bp, or all of the
        shorter sequence where that is below 32 bp. The offset is the middle one of those of the seeds that the two
        share. The nearest of several relatives is the one with most matches, l - e. Generated and training sequences
        may differ in length.
        Relatives are looked for among at most 4 candidates, the training sequences that share most seeds with the
        sequence: canonical k-mers, of which those with a hash below a limit are kept so that some 256 remain for a
        sequence (all up to 256 bp, one in eight at 2,048 bp). k is the shortest length from 8 to 16 at which random
        sequences share fewer than 1,024 seeds with a random training set of this size, unless `kmer` fixes it: 10 for
        3,000 and 12 for 60,000 of 256 bp, 14 for 150,000 of 2,048 bp. A candidate shares two seeds or more on offsets
        that differ by at most 1/16 of the shorter length (at least 8 bp); rare seeds weigh more. Of a seed the first
        256 places in the training set are looked at, and for a sequence 4,096 places, those of its rarest seeds first:
        so repeats and poly-A neither take over nor hide the rest.
        N is a letter of its own, equal to N alone, and no seed holds one. Sequences shorter than k have identical
        training sequences as relatives only.
        Parts: `exact`, the share that equals a training sequence or its reverse complement; `reference`, novelty of the
        reference sequences, what fresh real sequences score; `excess-copies`, the share with a relative minus that of
        the reference, negative where a generator repeats less than real sequences do; `identity`, the mean over the
        generated sequences of the identity to the nearest relative, 0 for those without one.
    Interval:
        Of the share over draws of the generated sequences; the training set is taken as it is. Wilson's score interval,
        so that it is never of zero width, at 0 and 1 either. For `excess-copies` Newcombe's, over draws of both sides;
        for `identity` a normal one with two 0 and two 1 added. Simulated coverage: 0.945 to
        0.976 for shares of 0.05 to 0.95 from 50 sequences on, at least 0.91 for 0.01 and 0.99.
    Floor:
        Real sequences have relatives too. Promoters of EPD, 256 bp, split so that no 50-mer is shared: novelty 0.990
        (H. sapiens), 0.999 (P. falciparum), 0.9996 (A. thaliana), 1.000 (G. gallus); split at random 0.93 (H. sapiens),
        0.96 (P. falciparum). It falls as the training set grows, and does not depend on the number of generated ones.
    Sees:
        Copies: exact, reverse complements, with bases substituted, inserted and deleted, moved by up to half of their
        length; and pieces of at least half of the length in other surroundings where they end with either sequence. Of
        copies with 5 % substitutions or with 4 % insertions and deletions 1.000 were found in random, human and
        P. falciparum sets of 256 bp and in 150,000 random sequences of 2,048 bp (60,000 of 64 bp: 0.998). With 15 %
        substitutions, of those whose identity is 0.8 or more, 0.996 (random), 0.997 (human) and 0.96 (P. falciparum)
        were found, with 18 % 0.99, 0.99 and 0.91.
    Misses:
        Whatever is not copied: random sequences are novel. Copies further away than `identity`; patchworks of short
        pieces of many training sequences; some copies near the limit, in low-complexity sequence as above and among
        short ones (64 bp, 60,000 training sequences, 15 %: 0.88 found). Relatives by descent count as copies: look at
        `excess-copies`. Sequences below 32 bp are relatives by chance (16 bp: 0.15). The two parts that overlap are of
        one length, so that a net insertion of d bases costs up to 2 d edits.
    Cost:
        Linear in the training set and in the number of sequences. One thread of an EPYC of 2.6 GHz: 20,000 against
        60,000 x 256 bp 2.5 s (80,000: 7.2 s), 10,000 against 150,000 x 2,048 bp 7.8 s and 0.5 GiB beside the sequences
        (8 bytes a seed; all k-mers of the training set are seeds where the generated sequences are short). AT-rich
        promoters take up to 0.25 ms each instead of 0.08 ms.
    Source:
        Seeds: Rahman Hera, Pierce-Ward and Koslicki 2023, Genome Res 33:1061 (FracMinHash); Ondov et al. 2016, Genome
        Biol 17:132 (canonical k-mers). Edit distance: Sosic and Sikic 2017, Bioinformatics 33:1394. Intervals: Wilson
        1927, J Am Stat Assoc 22:209; Newcombe 1998, Stat Med 17:873, method 10; Agresti and Coull 1998, Am Stat 52:119.
    """

    def __init__(self, options: NoveltyOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The share with its interval, parts, and a table of the nearest training sequences.

        ``details`` has one row for each generated sequence with a relative: ``row``, ``train_row``, ``strand`` (``+``,
        ``-``), ``edits``, ``overlap`` (bp), ``identity``. Raises UserError without training sequences, or with fewer
        than two sequences on a side.
        """
        require_samples(generated, side="generated", metric="novelty")
        require_samples(reference, side="reference", metric="novelty")
        train = context.train
        if train is None:
            raise UserError("novelty needs training sequences, and there are none")
        if not len(train):
            raise UserError("novelty: 0 training sequences; it needs at least 1")
        searches: dict[int, TrainSearch] = {}

        def search(sequences: SequenceSet) -> np.ndarray:
            length = sequences.length
            if length not in searches:
                searches[length] = TrainSearch(
                    train, query_length=length, identity=self.options.identity, kmer=self.options.kmer
                )
            return searches[length].nearest(sequences)

        name = f"nearest training sequence {train.digest} identity={self.options.identity} kmer={self.options.kmer}"
        neighbours_g = context.per_sequence(name, generated, search)
        neighbours_r = context.per_sequence(name, reference, search)
        related_g, related_r = neighbours_g["train_row"] >= 0, neighbours_r["train_row"] >= 0
        identity = np.where(related_g, 1 - neighbours_g["edits"] / np.maximum(neighbours_g["overlap"], 1), 0.0)
        whole = related_g & (neighbours_g["overlap"] == generated.length) & (generated.length == train.length)
        value = intervals.share(~related_g)
        return Score(
            value=value.value,
            ci_low=value.ci_low,
            ci_high=value.ci_high,
            parts={
                "exact": replace(intervals.share(whole & (neighbours_g["edits"] == 0)), direction="lower"),
                "excess-copies": replace(
                    intervals.difference(intervals.share(related_g), intervals.share(related_r)), direction="lower"
                ),
                "identity": replace(intervals.mean(identity), direction="lower"),
                "reference": replace(intervals.share(~related_r), direction="none"),
            },
            details=_table(neighbours_g, identity),
        )


def _table(neighbours: np.ndarray, identity: np.ndarray) -> pd.DataFrame:
    rows = np.flatnonzero(neighbours["train_row"] >= 0)
    found = neighbours[rows]
    return pd.DataFrame(
        {
            "row": rows,
            "train_row": found["train_row"],
            "strand": np.where(found["strand"] == 1, "-", "+"),
            "edits": found["edits"],
            "overlap": found["overlap"],
            "identity": identity[rows],
        }
    )
