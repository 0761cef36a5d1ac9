"""How alike two sequences are where they overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import edlib

if TYPE_CHECKING:
    import numpy as np


class Overlap(NamedTuple):
    """The parts of a query and of a training sequence that lie on each other at an offset.

    Attributes:
        query: index in the query where the overlap starts.
        train: index in the training sequence where it starts.
        length: its length in bp, 0 or less where the two do not overlap.
    """

    query: int
    train: int
    length: int


def overlap_at(offset: int, *, query_length: int, train_length: int) -> Overlap:
    """The overlap where index i of the query lies on index ``i + offset`` of the training sequence."""
    first = max(0, -offset)
    return Overlap(first, first + offset, min(query_length, train_length - offset) - first)


def edit_distance(query: np.ndarray, train: np.ndarray, overlap: Overlap, *, limit: int) -> int | None:
    """Levenshtein distance of the overlapping parts; what overhangs costs nothing. None where it exceeds ``limit``.

    Both parts have the length of the overlap and are aligned from end to end (Sosic and Sikic 2017, Bioinformatics
    33:1394, mode NW). N is a letter of its own, equal to N alone.

    Args:
        query: uint8, shape ``(query_length,)``.
        train: uint8, shape ``(train_length,)``.
        overlap: see :func:`overlap_at`.
        limit: at least 0.
    """
    pieces = (
        query[overlap.query : overlap.query + overlap.length].tobytes(),
        train[overlap.train : overlap.train + overlap.length].tobytes(),
    )
    distance = int(edlib.align(*pieces, mode="NW", task="distance", k=limit)["editDistance"])
    return None if distance < 0 else distance
