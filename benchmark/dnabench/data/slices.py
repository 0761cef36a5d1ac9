"""Slices: the sequences of one value of a label, such as ``species=hs``."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from dnabench.sequences import SequenceSet

ALL = "all"
_MOST = 200


def slices_of(sequences: SequenceSet, columns: Iterable[str]) -> tuple[str, ...]:
    """Every ``column=value`` of the label columns that there are and that have several values.

    A column of too many values is warned of and has no slices.
    """
    found: list[str] = []
    labels = sequences.labels
    for column in columns:
        values = sorted(set(labels[column]) - {""}) if column in labels else []
        if len(values) > _MOST:
            warnings.warn(f"label {column!r} has over {_MOST} values: it is not scored value by value", stacklevel=2)
        elif len(values) > 1:
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
    rows: np.ndarray = (labels[column] == value).to_numpy(bool).nonzero()[0]
    return rows
