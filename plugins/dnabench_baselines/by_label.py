"""Conditioning on labels, such as ``species``: a model of its own for each value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dnabench import Generator, LabelCodes, SequenceSet, UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dnabench import Context

LABELS = "labels.json"


class Model(Generator, Protocol):
    """A generator that knows no labels and gives codes."""

    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """uint8 codes, shape ``(n, context.length)``."""


def by_label(columns: str, new_model: Callable[[], Model]) -> Generator:
    """One model for all sequences, or where ``columns`` are named one for each value, or combination, they have."""
    return ByLabel(columns, new_model) if columns else new_model()


class ByLabel:
    """One model for each value that label columns have among the training sequences; empty is a value like any other.

    Memory and files grow with the number of values: a column is meant to name kinds of sequences, not sequences.
    """

    def __init__(self, columns: str, new_model: Callable[[], Model]) -> None:
        self._columns = columns
        self._new_model = new_model

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Fit each value's model to the sequences that have it.

        UserError when a column is missing, and, naming the value, for whatever a model refuses.
        """
        self._labels = LabelCodes.learn(self._columns, train.labels)
        codes = self._labels.encode(train.labels)
        self._models = [self._fitted(kind, train.take(_rows(codes, kind)), context) for kind in self._labels.kinds]

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` sequences labelled with the columns alone, row i by the model of row i of ``context.labels``.

        Without those, values are drawn as often as the training sequences have them. UserError for a value that no
        training sequence has.
        """
        drawn = self._labels.draw(n, context)
        codes = np.empty((n, context.length), np.uint8)
        for kind, model in zip(self._labels.kinds, self._models, strict=True):
            rows = _rows(drawn, kind)
            if len(rows):
                codes[rows] = model.sample(len(rows), context=context)
        return SequenceSet(codes, labels=self._labels.decode(drawn), copy=False)

    def save(self, directory: Path) -> None:
        """Write how many training sequences have each value, and each value's model into a numbered directory."""
        (directory / LABELS).write_text(json.dumps(self._labels.to_json()), encoding="utf-8")
        for number, model in enumerate(self._models):
            part = directory / str(number)  # a value is any text and need not be a file name
            part.mkdir()
            model.save(part)

    def load(self, directory: Path) -> None:
        """Read what ``save`` wrote."""
        self._labels = LabelCodes.from_json(json.loads((directory / LABELS).read_text(encoding="utf-8")))
        self._models = [self._new_model() for _ in self._labels.kinds]
        for number, model in enumerate(self._models):
            model.load(directory / str(number))

    def _fitted(self, kind: np.ndarray, train: SequenceSet, context: Context) -> Model:
        model = self._new_model()
        try:
            model.fit(train, context=context)
        except UserError as error:
            raise UserError(f"{self._labels.named(kind)}: {error}") from None
        return model


def _rows(codes: np.ndarray, kind: np.ndarray) -> np.ndarray:
    return np.flatnonzero((codes == kind).all(1))
