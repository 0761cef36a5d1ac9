"""The nearest training sequence of every query."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from dnabench import UserError
from dnabench_metrics.novelty.alignment import edit_distance, overlap_at
from dnabench_metrics.novelty.identical import distinct, find_identical
from dnabench_metrics.novelty.join import find_candidates
from dnabench_metrics.novelty.sketch import SeedIndex, Sketch, build_index, largest_index, sketch_for
from dnabench_metrics.novelty.strands import reverse_complement

if TYPE_CHECKING:
    from dnabench import SequenceSet

#: What is known of a query's nearest neighbour: the training row, -1 where it has no relative; 1 where its reverse
#: complement is meant; the edit distance and the length of the overlap.
NEIGHBOUR = np.dtype([("train_row", np.int64), ("strand", np.int8), ("edits", np.int32), ("overlap", np.int32)])


class TrainSearch:
    """A search among training sequences. What it needs of them is worked out once, when first asked for.

    Args:
        train: the training sequences, at least one.
        query_length: length of the queries in bp.
        identity: the least identity of a relative, above 0, up to 1.
        kmer: length of the seeds in bp, 0 to choose it from the sizes.
    """

    def __init__(self, train: SequenceSet, *, query_length: int, identity: float, kmer: int) -> None:
        self.train, self.query_length, self.identity = train.codes, query_length, identity
        self.distinct = distinct(train.codes)
        self.sketch: Sketch = sketch_for(
            query_length=query_length, train_length=train.length, train_size=len(self.distinct.rows), kmer=kmer
        )
        largest = largest_index(train.length, self.sketch)
        if len(self.distinct.rows) > largest:
            raise UserError(
                f"novelty: {len(self.distinct.rows)} distinct training sequences of {train.length} bp; "
                f"it takes at most {largest}"
            )

    @cached_property
    def index(self) -> SeedIndex:
        """The seeds of the distinct training sequences."""
        return build_index(self.train, self.distinct.rows, self.sketch)

    def nearest(self, sequences: SequenceSet) -> np.ndarray:
        """The nearest relative of every sequence, :data:`NEIGHBOUR`, shape ``(n,)``.

        Relatives are the candidates (:func:`~dnabench_metrics.novelty.join.find_candidates`) whose identity,
        ``1 - edits / overlap``, is at least ``identity``; the nearest is the one with most matches,
        ``overlap - edits``. A sequence's result depends on that sequence and the training sequences alone.
        """
        found = np.zeros(len(sequences), NEIGHBOUR)
        found["train_row"] = -1
        if sequences.length == self.train.shape[1]:
            self._fill_identical(sequences.codes, found)
        rest = np.flatnonzero(found["train_row"] < 0)
        candidates = find_candidates(
            sequences.codes[rest], self.index, train_length=self.train.shape[1], sketch=self.sketch
        )
        for row, *pairs in zip(rest, *candidates, strict=True):
            best = self._best(sequences.codes[row], *pairs)
            if best is not None:
                found[row] = best
        return found

    def _fill_identical(self, codes: np.ndarray, found: np.ndarray) -> None:
        places = find_identical(codes, self.distinct)
        known = np.flatnonzero(places >= 0)
        rows = self.distinct.rows[places[known]]
        found["train_row"][known] = rows
        found["strand"][known] = (codes[known] != self.train[rows]).any(1)
        found["overlap"][known] = codes.shape[1]

    def _best(
        self, query: np.ndarray, ranks: np.ndarray, strands: np.ndarray, offsets: np.ndarray
    ) -> tuple[int, int, int, int] | None:
        best, matches = None, 0
        for rank, strand, offset in zip(ranks.tolist(), strands.tolist(), offsets.tolist(), strict=True):
            if rank < 0:
                break
            overlap = overlap_at(offset, query_length=len(query), train_length=self.train.shape[1])
            # 1 - 0.8 is a little less than 0.2; and only more matches than known are of use.
            limit = min(int((1 - self.identity) * overlap.length + 1e-9), overlap.length - matches - 1)
            if limit < 0:
                continue
            row = int(self.distinct.rows[rank])
            oriented = reverse_complement(query) if strand else query
            edits = edit_distance(oriented, self.train[row], overlap, limit=limit)
            if edits is not None:
                best, matches = (row, strand, edits, overlap.length), overlap.length - edits
        return best
