"""Conditioning on a label, such as ``species``: a model of its own for each value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from dnabench import Generator, SequenceSet, UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dnabench import Context

COUNTS = "counts.json"
NAMED = 10  # values that a message names


class Model(Generator, Protocol):
    """A generator that knows no labels and gives codes."""

    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """uint8 codes, shape ``(n, context.length)``."""


def by_label(column: str, new_model: Callable[[], Model]) -> Generator:
    """One model for all sequences, or where ``column`` is not empty one for each value of that label."""
    return ByLabel(column, new_model) if column else new_model()


class ByLabel:
    """One model for each value that a label column has among the training sequences; empty is a value like any other.

    Memory and files grow with the number of values: a column is meant to name kinds of sequences, not sequences.
    """

    def __init__(self, column: str, new_model: Callable[[], Model]) -> None:
        self._column = column
        self._new_model = new_model

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Fit each value's model to the sequences that have it.

        UserError when the column is missing, and, naming the value, for whatever a model refuses.
        """
        groups = _groups(self._values(train.labels, "the training sequences"))
        if not groups:
            raise UserError("there are no training sequences to learn from")
        self._counts = {value: len(rows) for value, rows in groups}
        self._models = {value: self._fitted(value, train.take(rows), context) for value, rows in groups}

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` sequences labelled with the column alone, row i by the model of row i of ``context.labels``.

        Without those, values are drawn as often as the training sequences have them. UserError when the column is
        missing, and for a value that no training sequence has.
        """
        if context.labels is None:
            values = self._draw_values(n, context.rng)
        else:
            values = self._values(context.labels, "the labels asked for")
            self._check_known(values)
        codes = np.empty((n, context.length), np.uint8)
        for value, rows in _groups(values):
            codes[rows] = self._models[value].sample(len(rows), context=context)
        return SequenceSet(codes, labels=pd.DataFrame({self._column: values}), copy=False)

    def save(self, directory: Path) -> None:
        """Write how many training sequences have each value, and each value's model into a numbered directory."""
        counts = {self._column: self._counts}
        (directory / COUNTS).write_text(json.dumps(counts), encoding="utf-8")
        for number, model in enumerate(self._models.values()):
            part = directory / str(number)  # a value is any text and need not be a file name
            part.mkdir()
            model.save(part)

    def load(self, directory: Path) -> None:
        """Read what ``save`` wrote."""
        self._counts = json.loads((directory / COUNTS).read_text(encoding="utf-8"))[self._column]
        self._models = {value: self._new_model() for value in self._counts}
        for number, model in enumerate(self._models.values()):
            model.load(directory / str(number))

    def _fitted(self, value: str, train: SequenceSet, context: Context) -> Model:
        model = self._new_model()
        try:
            model.fit(train, context=context)
        except UserError as error:
            raise UserError(f"{self._column}={value!r}: {error}") from None
        return model

    def _values(self, labels: pd.DataFrame, whose: str) -> pd.Series:
        if self._column not in labels:
            there = ", ".join(labels.columns) or "none"
            raise UserError(f"option by is {self._column!r}, a label that {whose} do not have; they have: {there}")
        return labels[self._column]

    def _draw_values(self, n: int, rng: np.random.Generator) -> pd.Series:
        counts = np.array(list(self._counts.values()))
        drawn = rng.choice(len(counts), size=n, p=counts / counts.sum())
        return pd.Series(np.array(list(self._counts), object)[drawn])

    def _check_known(self, values: pd.Series) -> None:
        unknown = [value for value in values.unique() if value not in self._counts]
        if unknown:
            known = [repr(value) for value in self._counts]
            if len(known) > NAMED:
                known[NAMED:] = [f"and {len(known) - NAMED} more"]
            raise UserError(f"no training sequence has {self._column}={unknown[0]!r}; known: {', '.join(known)}")


def _groups(values: pd.Series) -> list[tuple[str, np.ndarray]]:
    """Each value with the rows that have it, sorted: what a model draws does not depend on the order of the rows."""
    return sorted(values.groupby(values).indices.items())
