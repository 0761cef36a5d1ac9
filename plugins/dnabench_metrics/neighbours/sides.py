"""What the metrics on balls start from: as many embeddings of either side, in an order of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dnabench import UserError
from dnabench_metrics.features import embed_both
from dnabench_metrics.neighbours.tiles import Rows, comparable
from dnabench_metrics.sampling import shuffled

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.neighbours import NeighbourOptions


class Sides(NamedTuple):
    """Both sides' embeddings, equally many."""

    generated: Rows
    reference: Rows


def equal_sides(
    generated: SequenceSet, reference: SequenceSet, context: Context, *, metric: str, options: NeighbourOptions
) -> Sides:
    """Embeddings of min(n, m, ``options.most``) sequences of either side, by `context.embedder`.

    The rows are those of `sampling.thinned`, left in drawn order: the folds of the standard errors then do not depend
    on the order of the sequences either. Raises UserError when a side has no more than k sequences, and what
    `embed_both` raises.
    """
    features = embed_both(generated, reference, context, metric=metric)
    for side, sequences in (("generated", generated), ("reference", reference)):
        if len(sequences) <= options.k:
            raise UserError(
                f"{metric}: {len(sequences)} {side} sequences do not have k = {options.k} neighbours each; "
                f"it needs at least {options.k + 1}"
            )
    used = min(len(generated), len(reference), options.most)
    rows_g = shuffled(generated, seed=options.seed, side="generated")[:used]
    rows_r = shuffled(reference, seed=options.seed, side="reference")[:used]
    return Sides(*comparable(features[0][rows_g], features[1][rows_r]))
