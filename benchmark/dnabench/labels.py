"""Label columns as whole numbers, for generators that condition on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dnabench.errors import UserError
from dnabench.specs import label_columns

if TYPE_CHECKING:
    import pandas as pd

    from dnabench.context import Context

NAMED = 10
"""Values that a message names."""


@dataclass(frozen=True)
class LabelCodes:
    """The values of some label columns among the training sequences, numbered in sorted order.

    Without columns every method still works, on arrays of no columns: a model that conditions on nothing needs no
    case of its own.

    Attributes:
        columns: the names, in the order of the option.
        values: for each column its values, sorted; the empty text, which stands for unknown, is one like any other.
        kinds: int64 (kinds, columns), the combinations that occur, sorted.
        counts: int64 (kinds,), how many training sequences have each.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    kinds: np.ndarray
    counts: np.ndarray

    @classmethod
    def learn(cls, option: str, labels: pd.DataFrame) -> Self:
        """Number what the training sequences have. UserError for a column that they have not, or for no sequences."""
        columns = label_columns(option)
        _check_columns(columns, labels, "the training sequences")
        if not len(labels):
            raise UserError("there are no training sequences to learn from")
        values = tuple(tuple(sorted(labels[column].unique())) for column in columns)
        unnumbered = cls(columns, values, np.empty((0, 0), np.int64), np.empty(0, np.int64))
        kinds, counts = np.unique(unnumbered.encode(labels), axis=0, return_counts=True)
        if not columns:
            kinds, counts = np.empty((1, 0), np.int64), np.array([len(labels)])
        return cls(columns, values, kinds, counts)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each column has."""
        return tuple(len(values) for values in self.values)

    def encode(self, labels: pd.DataFrame) -> np.ndarray:
        """int64 (n, columns): the number of each value. UserError for a value that no training sequence has."""
        codes = np.empty((len(labels), len(self.columns)), np.int64)
        for number, (column, values) in enumerate(zip(self.columns, self.values, strict=True)):
            known = {value: code for code, value in enumerate(values)}
            try:
                codes[:, number] = [known[value] for value in labels[column]]
            except KeyError as error:
                named = ", ".join(map(repr, values[:NAMED]))
                more = f", and {len(values) - NAMED} more" if len(values) > NAMED else ""
                raise UserError(f"no training sequence has {column}={error.args[0]!r}; known: {named}{more}") from None
        return codes

    def decode(self, codes: np.ndarray) -> pd.DataFrame:
        """The labels of codes (n, columns), one row each."""
        import pandas as pd

        named = zip(self.columns, self.values, strict=True)
        return pd.DataFrame(
            {column: np.array(values, object)[codes[:, number]] for number, (column, values) in enumerate(named)},
            index=range(len(codes)),
        )

    def named(self, kind: np.ndarray) -> str:
        """What a message calls one row of codes: ``species='hs', class='tata'``."""
        return ", ".join(
            f"{column}={values[code]!r}" for column, values, code in zip(self.columns, self.values, kind, strict=True)
        )

    def draw(self, n: int, context: Context) -> np.ndarray:
        """The labels to sample with, int64 (n, columns): row i is that of row i of ``context.labels``.

        Columns that are not asked for are drawn as often as the training sequences have them, given those that are.
        UserError for a value, or a combination of values, that no training sequence has, and where none of the columns
        is asked for.
        """
        if context.labels is None or not self.columns:
            drawn = context.rng.choice(len(self.counts), size=n, p=self.counts / self.counts.sum())
            chosen: np.ndarray = self.kinds[drawn]
            return chosen
        asked = [column for column in self.columns if column in context.labels]
        if not asked:
            _check_columns(self.columns, context.labels, "the labels asked for")
        part = self._only(asked)
        wanted = part.encode(context.labels[asked])
        if len(asked) == len(self.columns):
            known = set(map(tuple, self.kinds.tolist()))
            for kind in np.unique(wanted, axis=0):
                if tuple(kind.tolist()) not in known:
                    raise UserError(f"no training sequence has {self.named(kind)} together")
            return wanted
        of_kinds = self.kinds[:, [self.columns.index(column) for column in asked]]
        codes = np.empty((n, len(self.columns)), np.int64)
        for kind in np.unique(wanted, axis=0):
            rows = np.flatnonzero((wanted == kind).all(1))
            weights = self.counts * (of_kinds == kind).all(1)
            if not weights.any():
                raise UserError(f"no training sequence has {part.named(kind)} together")
            codes[rows] = self.kinds[context.rng.choice(len(weights), size=len(rows), p=weights / weights.sum())]
        return codes

    def to_json(self) -> dict[str, Any]:
        """Plain data that ``from_json`` reads."""
        values = dict(zip(self.columns, map(list, self.values), strict=True))
        return {"values": values, "kinds": self.kinds.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """What ``to_json`` returned."""
        columns, counts = tuple(plain["values"]), np.array(plain["counts"], np.int64)
        kinds = np.array(plain["kinds"], np.int64).reshape(len(counts), len(columns))
        return cls(columns, tuple(map(tuple, plain["values"].values())), kinds, counts)

    def _only(self, columns: Sequence[str]) -> LabelCodes:
        places = [self.columns.index(column) for column in columns]
        return LabelCodes(tuple(columns), tuple(self.values[place] for place in places), self.kinds, self.counts)


def _check_columns(columns: Sequence[str], labels: pd.DataFrame, whose: str) -> None:
    for column in columns:
        if column not in labels:
            there = ", ".join(labels.columns) or "none"
            raise UserError(f"{column!r} is a label that {whose} do not have; they have: {there}")
