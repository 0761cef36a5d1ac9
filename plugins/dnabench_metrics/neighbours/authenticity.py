"""`authenticity`: whether generated embeddings are nearer to training ones than these are to each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import Estimate, embed_both
from dnabench_metrics.neighbours.intervals import share_score
from dnabench_metrics.neighbours.tiles import Rows, comparable, nearest_across
from dnabench_metrics.sampling import shuffled

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.neighbours import AuthenticityOptions


class Authenticity:
    """The share of generated embeddings no nearer to a training one than its nearest is, from 0 to 1. Higher is better.

    Definition:
        For a generated embedding g let x be its nearest training embedding and x' that one's nearest among the others,
        in Euclidean distance. g is authentic if d(g, x) > d(x, x'); the value is the share of authentic g, AuthPct /
        100. Of several x at one distance the first in an order fixed by `seed` is taken. A copy of a training sequence
        is never authentic. At most `most` generated sequences are judged, drawn by `seed` and the sequences, not by
        their order (`details` says how many), but against all training sequences. The part `reference` is the same
        share of the real ones: a value below its interval is memorisation; a value above it is no merit. What an N in a
        sequence becomes, and strands, are up to the embedder.
    Interval:
        The wider ends of the normal and of Wilson's binomial interval, over draws of the generated sequences against
        the given training set, which is what would have been memorised; `reference` alike. 94 to 98 % of simulated
        draws in 3 and 30 dimensions, n = 60 and 500, held the true share.
    Floor:
        The part `reference`. It depends on the embedding: about 1/3 in one dimension; for human promoters of 256 bp on
        `ae` 0.80 ± 0.01 with 5,000 training sequences, 0.75 on `kmer` with 4,000, where the nearest neighbours are few
        sequences with many neighbours.
    Sees:
        Repeated training sequences (0.00) and slightly changed ones: on `ae` 5 % substituted bases 0.04, on `kmer` 1 %
        0.00, 3 % 0.01 and 10 % 0.03.
    Misses:
        Training sequences with 30 % substituted bases (0.81 on `kmer`), memorised ones that are a small part of the
        sample. It says nothing of sequences unlike real ones, which may be on either side of the floor with nothing
        memorised: on `ae` dinucleotide shuffles 0.76, per-position frequencies 0.75, order-5 Markov chains 0.85,
        uniform bases 0.87 (0.92 on `kmer`). So a value somewhat below the floor proves nothing by itself: `novelty`
        looks at the sequences.
    Cost:
        O(n m d) time for m training sequences, O((n + m) d) memory; 1.4 s for 5,000 generated and 5,000 reference
        sequences against 20,000 at d = 128, beside embedding.
    Source:
        Alaa et al. 2022, arXiv 2102.08921 (authenticity classifier); as AuthPct in Jiralerspong et al. 2023, arXiv
        2302.04440.
    """

    def __init__(self, options: AuthenticityOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The share, with the part `reference` for real sequences; ``details`` says how many were compared."""
        if context.train is None:
            raise UserError("authenticity compares with training sequences, and there are none")
        features_g, features_r = embed_both(generated, reference, context, metric="authenticity")
        # Of several nearest training sequences the first is taken: their order must be their own.
        order = shuffled(context.train, seed=self.options.seed, side="train")
        features_t = _embed_train(context, features_g.shape[1])[order]
        most, seed = self.options.most, self.options.seed
        rows_g = shuffled(generated, seed=seed, side="generated")[:most]
        rows_r = shuffled(reference, seed=seed, side="reference")[:most]
        queries_g, queries_r, train = comparable(features_g[rows_g], features_r[rows_r], features_t)
        authentic_g, authentic_r = authentic(queries_g, train), authentic(queries_r, train)
        details = pd.DataFrame(
            {
                "side": ["generated", "reference", "train"],
                "given": [len(generated), len(reference), len(train)],
                "used": [len(rows_g), len(rows_r), len(train)],
            }
        )
        value = _share(authentic_g)
        return Score(
            value=value.value,
            ci_low=value.ci_low,
            ci_high=value.ci_high,
            parts={"reference": replace(_share(authentic_r), direction="none")},
            details=details,
        )


def authentic(queries: Rows, train: Rows) -> np.ndarray:
    """Which queries are farther from their nearest training row than that is from the next: bool, shape ``(n,)``.

    The authenticity classifier of Alaa et al. 2022; a copy never is authentic.
    """
    nearest = nearest_across(queries, train)
    found, where = np.unique(nearest.index[:, 0], return_inverse=True)
    among = nearest_across(train.take(found), train, itself=found)
    own: np.ndarray = nearest.squared[:, 0] > among.squared[where, 0]
    return own


def _share(flags: np.ndarray) -> Score:
    share, n = float(flags.mean()), len(flags)
    return share_score(Estimate(share, float(np.sqrt(share * (1 - share) / n))), n)


def _embed_train(context: Context, dimension: int) -> np.ndarray:
    """Embeddings of the training sequences: float64, shape ``(n, dimension)``.

    Raises UserError when they are fewer than two or one point, ValueError when the embedder answers otherwise.
    """
    name, train = str(context.embedder), context.train
    assert train is not None
    if len(train) < 2:
        raise UserError(f"authenticity: {len(train)} training sequences; it needs at least 2")
    features = np.asarray(context.embed(name, train), np.float64)
    if features.shape != (len(train), dimension) or not np.isfinite(features).all():
        raise ValueError(f"embedder {name} answered with shape {features.shape} for {len(train)} sequences, or NaN")
    if (features == features[0]).all():
        raise UserError(
            f"authenticity: the {len(train)} training sequences all have the same embedding by {name}; "
            f"it needs at least 2 different ones"
        )
    return features
