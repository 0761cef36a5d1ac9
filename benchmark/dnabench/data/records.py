"""Records: sequences of any length as a reader found them, with the faults of those it could not take."""

from __future__ import annotations

import hashlib
import re
import warnings
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dnabench.data.formats import WHITE_SPACE
from dnabench.errors import UserError
from dnabench.sequences import ALPHABET, AMBIGUOUS, IUPAC, N, SequenceSet

_WRONG_LETTER = re.compile(rb"[^%b%b]" % (WHITE_SPACE, (ALPHABET + IUPAC + (ALPHABET + IUPAC).lower()).encode()))

_NAMED = 20  # faulty records that are warned of one by one
_SHARED_VALUES = 10_000  # of labels kept once for all records; measurements would fill it without end


class Place(NamedTuple):
    """Where a record was read: file, line of its beginning or of the fault (0: none), number from 1, name."""

    file: Path
    line: int
    number: int
    name: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return f"{self.file}{line}: record {self.name!r} (number {self.number})"


class Fault(NamedTuple):
    """A record that was not taken, and why."""

    place: Place
    what: str

    def __str__(self) -> str:
        return f"{self.place}{self.what}"


class Cleaned(NamedTuple):
    """A set and, by reason, how many records are not in it."""

    sequences: SequenceSet
    dropped: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Records:
    """What one file held.

    Attributes:
        file: the file.
        codes: uint8, all sequences end to end, A C G T N = 0 1 2 3 4.
        offsets: int64, shape ``(n + 1,)``: where each begins, and the end of the last.
        names: one per record.
        labels: columns of text, one row per record.
        places: number and line of each record in the file, int64 of shape ``(n, 2)``; no lines (0) in Parquet.
        faults: the records that were not taken.
        ambiguous: how many IUPAC codes were read as N.
    """

    file: Path
    codes: np.ndarray
    offsets: np.ndarray
    names: list[str]
    labels: pd.DataFrame
    places: np.ndarray
    faults: list[Fault] = field(default_factory=list)
    ambiguous: int = 0

    def __len__(self) -> int:
        return len(self.names)

    @property
    def lengths(self) -> np.ndarray:
        """Bases per record, int64."""
        return np.diff(self.offsets)

    def place(self, row: int) -> Place:
        """Where the record of that row stands."""
        number, line = self.places[row]
        return Place(self.file, int(line), int(number), self.names[row])


@dataclass(frozen=True)
class Reading:
    """What several files held, in their order."""

    files: list[Records]

    def __len__(self) -> int:
        return sum(map(len, self.files))

    @property
    def faults(self) -> list[Fault]:
        """The records that were not taken."""
        return [fault for records in self.files for fault in records.faults]

    @property
    def ambiguous(self) -> int:
        """How many IUPAC codes were read as N."""
        return sum(records.ambiguous for records in self.files)

    @property
    def lengths(self) -> np.ndarray:
        """Bases per record, int64."""
        return np.concatenate([records.lengths for records in self.files])

    def without_faults(self) -> Reading:
        """The records that were taken, as if there had been no others."""
        return Reading([replace(records, faults=[]) for records in self.files])

    def warn_of_faults(self) -> None:
        """A warning for each record that was not taken, up to a number, and one for IUPAC codes read as N."""
        for fault in self.faults[:_NAMED]:
            warnings.warn(f"left out: {fault}", stacklevel=2)
        if len(self.faults) > _NAMED:
            warnings.warn(f"left out: {len(self.faults) - _NAMED} more faulty records", stacklevel=2)
        self._warn_of_ambiguous()

    def to_set(self, *, length: int | None = None) -> SequenceSet:
        """Every record, cropped to its central ``length`` bp.

        Warns of IUPAC codes read as N. Raises UserError for a fault, differing lengths, a record shorter than
        ``length``, or no record at all.
        """
        if faults := self.faults:
            more = f" (and {len(faults) - 1} more faulty records)" if len(faults) > 1 else ""
            raise UserError(f"{faults[0]}{more}")
        first = next((records for records in self.files if len(records)), None)
        if first is None:
            raise UserError(f"{self._title}: no record can be read")
        width = length if length is not None else int(first.lengths[0])
        for records in self.files:
            wrong = records.lengths < width if length is not None else records.lengths != width
            if wrong.any():
                raise UserError(_wrong_length(records, int(np.argmax(wrong)), length, first))
        self._warn_of_ambiguous()
        return self._assemble([np.arange(len(records)) for records in self.files], width)

    def clean(self, *, length: int | None = None, crop: bool = True, keep_n: bool = False) -> Cleaned:
        """The records that are fit to be a set, each sequence once, and how many are not.

        ``length`` is by default the most frequent one. Longer records are cropped to their central ``length`` bp or,
        without ``crop``, dropped; shorter ones, those with N and repetitions of an earlier sequence are dropped.
        Raises UserError when nothing is left.
        """
        if not len(self):
            raise UserError(f"{self._title}: no record can be read; the first fault: {self.faults[0]}")
        lengths = self.lengths
        if length is None:
            values, counts = np.unique(lengths, return_counts=True)
            length = int(values[np.argmax(counts)])
        wrong = lengths < length if crop else lengths != length
        kept = self._assemble(np.split(~wrong, np.cumsum([len(r) for r in self.files])[:-1]), length)
        kept, dropped = clean(kept, keep_n=keep_n)
        dropped = {"faulty": len(self.faults), "wrong length": int(wrong.sum()), **dropped}
        if not len(kept):
            reasons = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
            raise UserError(f"{self._title}: no sequence of {length} bp is left: {reasons}")
        return Cleaned(kept, dropped)

    def _warn_of_ambiguous(self) -> None:
        if self.ambiguous:
            warnings.warn(f"{self._title}: {self.ambiguous} IUPAC codes for several bases were read as N", stacklevel=3)

    @property
    def _title(self) -> str:
        first = str(self.files[0].file)
        return first if len(self.files) == 1 else f"{first} and {len(self.files) - 1} more files"

    def _assemble(self, rows: Sequence[np.ndarray], width: int) -> SequenceSet:
        """The chosen rows (indices or a mask per file) as a set; all must have ``width`` bases or more."""
        chosen = [np.flatnonzero(part) if part.dtype == bool else part for part in rows]
        if len(self.files) == 1 and len(chosen[0]) == len(self) and (self.files[0].lengths == width).all():
            codes = self.files[0].codes.reshape(-1, width)
        else:
            codes = np.empty((sum(map(len, chosen)), width), np.uint8)
            filled = 0
            for records, part in zip(self.files, chosen, strict=True):
                starts = records.offsets[part] + (records.lengths[part] - width) // 2
                for first in range(0, len(part), 4096):  # indices take eight times the memory of the codes
                    index = starts[first : first + 4096, None] + np.arange(width)
                    codes[filled : filled + len(index)] = records.codes[index]
                    filled += len(index)
        labels = pd.concat(
            [records.labels.iloc[part] for records, part in zip(self.files, chosen, strict=True)], ignore_index=True
        )
        names = [records.names[i] for records, part in zip(self.files, chosen, strict=True) for i in part]
        return SequenceSet(codes, labels=labels, names=names, copy=False)


class Collector:
    """Takes the records of one file, one by one; the reader keeps the codes, end to end in the same order."""

    def __init__(self, file: Path) -> None:
        self._faults: list[Fault] = []
        self._file = file
        self._names: list[str] = []
        self._labels: dict[str, list[str]] = {}
        self._values: dict[str, str] = {}
        self._sizes = array("q")
        self._numbers = array("q")
        self._lines = array("q")
        self._ambiguous = 0

    def take(self, codes: bytearray, labels: Iterable[tuple[str, str]], line: int, number: int, name: str) -> bytearray:
        """Take a record of codes up to AMBIGUOUS; its codes with N in place of those, to be kept.

        Of a label given twice the last counts; one that other records have and this one lacks is empty.
        """
        if AMBIGUOUS in codes:
            self._ambiguous += codes.count(AMBIGUOUS)
            codes = codes.replace(bytes([AMBIGUOUS]), bytes([N]))
        row = len(self._names)
        for key, value in labels:
            column = self._labels.setdefault(key, [])
            if len(column) != row:
                del column[row:]
                column += [""] * (row - len(column))
            if len(self._values) < _SHARED_VALUES:
                self._values.setdefault(value, value)
            column.append(self._values.get(value, value))
        self._names.append(name)
        self._sizes.append(len(codes))
        self._numbers.append(number)
        self._lines.append(line)
        return codes

    def refuse(self, what: str, line: int, number: int, name: str) -> None:
        """Count a record as faulty."""
        self._faults.append(Fault(Place(self._file, line, number, name), what))

    def records(self, codes: bytearray) -> Records:
        """All of them; ``codes`` are taken over."""
        n = len(self._names)
        labels = {key: column + [""] * (n - len(column)) for key, column in self._labels.items()}
        return Records(
            file=self._file,
            codes=np.frombuffer(codes, np.uint8),
            offsets=np.concatenate([[0], np.cumsum(self._sizes, dtype=np.int64)]),
            names=self._names,
            labels=pd.DataFrame(labels, index=pd.RangeIndex(n), dtype=str),
            places=np.column_stack([np.array(self._numbers, np.int64), np.array(self._lines, np.int64)]),
            faults=self._faults,
            ambiguous=self._ambiguous,
        )


def _wrong_length(records: Records, row: int, length: int | None, first: Records) -> str:
    size = records.lengths[row]
    if length is not None:
        return (
            f"{records.place(row)} has {size} bases, fewer than --length {length}; "
            f"--length crops longer sequences around their centre and never pads"
        )
    where = "" if records is first else f" of {first.file}"
    return (
        f"{records.place(row)} has {size} bases, but {first.names[0]!r}{where} has {first.lengths[0]}; "
        f"--length L would crop every sequence to its central L bases"
    )


def wrong_letter(text: bytes | bytearray) -> tuple[int, str]:
    """Where the first letter outside DNA is, which there must be, and what there is to say about it."""
    found = _WRONG_LETTER.search(text)
    assert found is not None
    start = found.start()
    letter = text[start : start + 4].decode(errors="replace")[0]  # of up to four bytes in UTF-8
    hint = "; write the U of RNA as T" if letter in "Uu" else ""
    return start, f"letter {letter!r}; only A, C, G, T, N and the IUPAC codes for several bases are read{hint}"


def clean(sequences: SequenceSet, *, keep_n: bool = False) -> Cleaned:
    """``sequences`` without those that hold N and without repetitions of an earlier one."""
    dropped = {}
    if not keep_n:
        with_n = (sequences.codes == N).any(axis=1)
        dropped["with N"] = int(with_n.sum())
        sequences = sequences.take(~with_n) if with_n.any() else sequences
    first = first_occurrences(sequences.codes)
    dropped["repeated"] = int((~first).sum())
    return Cleaned(sequences if first.all() else sequences.take(first), dropped)


def first_occurrences(codes: np.ndarray) -> np.ndarray:
    """Which rows repeat no earlier row: bool, shape ``(n,)``."""
    seen: set[bytes] = set()
    first = np.ones(len(codes), bool)
    for row, bases in enumerate(np.ascontiguousarray(codes)):
        digest = hashlib.blake2b(bases, digest_size=16).digest()  # a sixteenth and less of the sequences' memory
        first[row] = digest not in seen
        seen.add(digest)
    return first
