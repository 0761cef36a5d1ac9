"""Slices: the sequences of one value of a label, such as ``species=hs``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dnabench.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from dnabench.sequences import SequenceSet

ALL = "all"
_MOST = 200


def slices_of(sequences: SequenceSet, columns: Iterable[str]) -> tuple[str, ...]:
    """Every ``column=value`` of the label columns that there are and that have several values.

    White space in a value is written ``_``, as FASTA headers hold it. UserError for a column of too many values.
    """
    found: list[str] = []
    labels = sequences.labels
    for column in columns:
        if column not in labels:
            continue
        values = sorted({word(value) for value in labels[column].unique()} - {""})
        if len(values) > _MOST:
            raise UserError(f"label {column!r} has {len(values)} values; slices are for labels of {_MOST} at most")
        if len(values) > 1:
            found += [f"{column}={value}" for value in values]
    return tuple(found)


def column_of(name: str) -> str:
    """The label column of a slice."""
    return name.partition("=")[0]


def slice_rows(sequences: SequenceSet, name: str) -> np.ndarray:
    """The rows of a slice, ascending; none where the sequences lack the label."""
    column, _, value = name.partition("=")
    labels = sequences.labels
    if column not in labels:
        labels = labels.assign(**{column: ""})
    rows: np.ndarray = (labels[column].map(word) == value).to_numpy(bool).nonzero()[0]
    return rows


def word(text: str) -> str:
    """``text`` without white space, which would end it in a FASTA header."""
    return "_".join(text.split())
