"""SequenceSet: the one form in which DNA travels through dnabench."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import torch

ALPHABET = "ACGTN"
N = 4

# What IUPAC writes for "one of several bases". A set knows A C G T N alone, so readers make these N, and count them.
IUPAC = "RYSWKMBDHV"
AMBIGUOUS, INVALID = 5, 255

_CODE = np.full(256, INVALID, np.uint8)
for _letters, _code in [*zip(ALPHABET, range(5), strict=True), (IUPAC, AMBIGUOUS)]:
    for _letter in _letters + _letters.lower():
        _CODE[ord(_letter)] = _code
CODE_TABLE = _CODE.tobytes()
_LETTER = np.frombuffer(ALPHABET.encode(), np.uint8)


def encode(letters: np.ndarray) -> np.ndarray:
    """ASCII bytes to codes, either case; AMBIGUOUS for an IUPAC code, INVALID for any other letter."""
    codes: np.ndarray = _CODE[letters]
    return codes


class SequenceSet:
    """Sequences of one length with their labels. Immutable: the arrays it hands out cannot be written to.

    Attributes:
        codes: uint8, shape ``(n, length)``, A C G T N = 0 1 2 3 4.
        labels: one row per sequence, columns of text such as ``species``, empty where unknown; white space in them
            becomes ``_``, as FASTA headers hold it.
        names: one name per sequence.
    """

    def __init__(
        self,
        codes: np.ndarray,
        *,
        labels: pd.DataFrame | None = None,
        names: Sequence[str] | None = None,
        copy: bool = True,
    ) -> None:
        """With ``copy=False`` the set takes ``codes`` over, and nobody else may write to them any more."""
        codes = np.asarray(codes)
        if codes.ndim != 2 or codes.dtype != np.uint8:
            raise ValueError(f"codes must be uint8 of shape (n, length), not {codes.dtype} of shape {codes.shape}")
        if codes.size and codes.max() > N:
            raise ValueError(f"codes hold {codes.max()}; A C G T N are 0 to 4")
        codes = np.array(codes, order="C", copy=True if copy else None)
        # Such a view cannot be written to, not even by setting a flag; the digest is computed once and must stay true.
        self.codes: np.ndarray = np.asarray(codes.data.toreadonly())
        if labels is None:
            labels = pd.DataFrame(index=pd.RangeIndex(len(codes)))
        if len(labels) != len(codes):
            raise ValueError(f"{len(labels)} rows of labels for {len(codes)} sequences")
        self._labels = _as_words(labels).reset_index(drop=True)
        self._names = None if names is None else tuple(names)
        if self._names is not None and len(self._names) != len(codes):
            raise ValueError(f"{len(self._names)} names for {len(codes)} sequences")

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        columns = ", ".join(self._labels.columns) or "none"
        return f"<SequenceSet of {len(self)} x {self.length} bp, labels: {columns}>"

    @property
    def length(self) -> int:
        """Bases per sequence."""
        return int(self.codes.shape[1])

    @property
    def labels(self) -> pd.DataFrame:
        """A copy of the labels."""
        return self._labels.copy()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The given names, or ``seq1``, ``seq2``, ..."""
        return self._names or tuple(f"seq{i}" for i in range(1, len(self) + 1))

    @cached_property
    def digest(self) -> str:
        """sha256 over codes and labels, in hexadecimal; names do not count."""
        state = hashlib.sha256(f"dnabench sequences 1 {self.codes.shape}\n".encode())
        state.update(self.codes.data)
        for column in sorted(self._labels.columns):
            state.update(f"\n{column}\n".encode())
            state.update("\n".join(self._labels[column]).encode())
        return state.hexdigest()

    def take(self, rows: np.ndarray) -> SequenceSet:
        """The sequences at ``rows`` (indices or a mask), in that order."""
        rows = np.asarray(rows)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        names = None if self._names is None else [self._names[i] for i in rows]
        return SequenceSet(self.codes[rows], labels=self._labels.iloc[rows], names=names, copy=False)

    def one_hot(self, device: str | torch.device = "cpu") -> torch.Tensor:
        """float32, shape ``(n, 4, length)``, channels A C G T; N is 0.25 in each."""
        import torch

        codes = torch.from_numpy(self.codes.copy()).to(device)[:, None, :]
        bases = torch.arange(4, dtype=torch.uint8, device=device)[None, :, None]
        return torch.where(codes == N, 0.25, (codes == bases).float())

    def strings(self) -> list[str]:
        """Every sequence as text."""
        return [row.tobytes().decode() for row in _LETTER[self.codes]]

    @classmethod
    def from_strings(cls, sequences: Iterable[str], *, labels: pd.DataFrame | None = None) -> SequenceSet:
        """From texts of one length over ACGTN, either case; ValueError otherwise."""
        rows = [encode(np.frombuffer(sequence.encode(), np.uint8)) for sequence in sequences]
        if len({len(row) for row in rows}) > 1:
            raise ValueError("the sequences have different lengths")
        return cls(np.array(rows, np.uint8).reshape(len(rows), -1), labels=labels)

    @classmethod
    def from_fasta(cls, path: str | Path, *, length: int | None = None) -> SequenceSet:
        """From a FASTA, CSV, TSV or Parquet file, or a directory of them (see :mod:`dnabench.data.read`).

        With ``length`` longer sequences are cropped to their central ``length`` bp. UserError for any fault in the
        file, a shorter sequence, or differing lengths.
        """
        from dnabench.data.read import read

        return read([Path(path)]).to_set(length=length)

    def to_fasta(self, path: str | Path) -> None:
        """To a FASTA file, gzip when ``path`` ends in ``.gz``; labels as ``key=value`` in the headers."""
        from dnabench.data.fasta import write_fasta

        write_fasta(self, Path(path))


def word(text: str) -> str:
    """``text`` with ``_`` for white space, which would end it in the header of a FASTA record."""
    return "_".join(text.split())


def label_name(text: str) -> str:
    """``text`` as the name of a label: a word without ``=``, ``-`` for none."""
    return word(text).replace("=", "_") or "-"


def _as_words(labels: pd.DataFrame) -> pd.DataFrame:
    """Every value as text, ``""`` for a missing one, in the form that a FASTA header holds."""
    if not (labels.dtypes == "str").all():
        labels = labels.astype(object).where(labels.notna(), "").astype(str)
    labels = labels.fillna("")
    for column in labels:
        values = labels[column].unique()
        words = {value: word(value) for value in values}
        if any(value != text for value, text in words.items()):
            labels[column] = labels[column].map(words)
    labels.columns = [label_name(column) for column in map(str, labels)]
    if not labels.columns.is_unique:
        raise ValueError(f"two labels have one name: {', '.join(labels.columns)}")
    return labels
