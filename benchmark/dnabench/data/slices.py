"""Slices: the sequences of one value of a label, such as ``species=hs``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dnabench.errors import UserError

if TYPE_CHECKING:
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


def take_slice(sequences: SequenceSet, name: str) -> SequenceSet:
    """The sequences of a slice, in their order; all of them for ``all``, none where they lack the label."""
    if name == ALL:
        return sequences
    column, _, value = name.partition("=")
    labels = sequences.labels
    if column not in labels:
        return sequences.take(labels.index[:0].to_numpy())
    return sequences.take((labels[column].map(word) == value).to_numpy(bool))


def word(text: str) -> str:
    """``text`` without white space, which would end it in a FASTA header."""
    return "_".join(text.split())
