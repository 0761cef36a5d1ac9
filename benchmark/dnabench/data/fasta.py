"""FASTA in and out."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from dnabench.data.formats import WHITE_SPACE, open_bytes, read_bytes
from dnabench.data.records import LETTERS, Fault, Place, Records, collect
from dnabench.data.slices import word
from dnabench.errors import UserError
from dnabench.files import atomic_write
from dnabench.sequences import AMBIGUOUS, CODE_TABLE, SequenceSet


def read_fasta(path: Path) -> Records:
    """The records of a FASTA file, plain, gzip or bgzip; ``key=value`` words of a header become labels.

    Lines may be wrapped and letters lower-case; an IUPAC code for several bases is read as N and counted. A record
    without a sequence or with another letter is a fault of that record. UserError for a file that is not FASTA.

    One pass that works within the file's own bytes: codes overwrite the text that they come from, which takes no more
    memory than the file and about five times as long as reading it.
    """
    buffer = read_bytes(path)
    if buffer.count(b"\r") != buffer.count(b"\r\n"):
        buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    position = 3 if buffer.startswith(b"\xef\xbb\xbf") else 0
    while position < len(buffer) and buffer[position] in WHITE_SPACE:
        position += 1
    if position == len(buffer):
        raise UserError(f"{path}: the file is empty; FASTA records were expected")
    if buffer[position] != ord(">"):
        raise UserError(f"{path}: not FASTA: the first line does not start with '>'")
    headers, lengths = [], []
    written = 0
    with memoryview(buffer) as view:
        while position < len(buffer):
            end = buffer.find(b"\n>", position)
            end = len(buffer) if end < 0 else end
            line_end = buffer.find(b"\n", position, end)
            line_end = end if line_end < 0 else line_end
            headers.append(bytes(view[position + 1 : line_end]))
            bases = buffer[line_end:end].translate(CODE_TABLE, WHITE_SPACE)
            view[written : written + len(bases)] = bases
            written += len(bases)
            lengths.append(len(bases))
            position = end + 1
    del buffer[written:]
    codes, sizes = np.frombuffer(buffer, np.uint8), np.array(lengths, np.int64)
    names, labels = _parse(headers)
    places = np.zeros((len(names), 2), np.int64)
    places[:, 0] = np.arange(1, len(names) + 1)
    return collect(path, codes, sizes, names, labels, places, _faults(path, codes, sizes, names))


def line_of(path: Path, number: int) -> int:
    """The line that the header of a record (from 1) is on."""
    for line, _, record in _lines(path):
        if record == number:
            return line
    return 0


def write_fasta(sequences: SequenceSet, path: Path) -> None:
    """Write ``sequences`` atomically; the same sequences give the same bytes, gzip included.

    White space in names and labels becomes ``_``, since it ends them in a header.
    """
    columns = list(sequences.labels.columns)
    rows = sequences.labels.itertuples(index=False, name=None)
    lines = []
    for name, row, bases in zip(sequences.names, rows, sequences.strings(), strict=True):
        labels = "".join(f" {word(key)}={word(value)}" for key, value in zip(columns, row, strict=True) if value)
        lines.append(f">{word(name) or '-'}{labels}\n{bases}\n")
    content = "".join(lines).encode()
    if path.name.endswith(".gz"):
        content = gzip.compress(content, compresslevel=6, mtime=0)
    atomic_write(path, content)


def _parse(headers: list[bytes]) -> tuple[list[str], pd.DataFrame]:
    """Names and labels of the headers; a label that a record lacks is empty."""
    names: list[str] = []
    columns: dict[str, list[str]] = {}
    for row, header in enumerate(headers):
        name, *words = header.decode(errors="replace").split() or [f"record {row + 1}"]
        names.append(name)
        for word in words:
            key, equals, value = word.partition("=")
            if equals and key:
                column = columns.setdefault(key, [])
                del column[row:]  # of a key given twice the last counts
                column += [""] * (row - len(column))
                column.append(value)
    for column in columns.values():
        column += [""] * (len(headers) - len(column))
    return names, pd.DataFrame(columns, index=pd.RangeIndex(len(headers)), dtype=str)


def _faults(path: Path, codes: np.ndarray, sizes: np.ndarray, names: list[str]) -> list[tuple[int, Fault]]:
    """Rows without a sequence or with a letter that is none, with line and column, in order."""
    wrong = set(np.flatnonzero(sizes == 0).tolist())
    if codes.size and codes.max() > AMBIGUOUS:
        ends = np.cumsum(sizes)
        wrong |= set(np.searchsorted(ends, np.flatnonzero(codes > AMBIGUOUS), side="right").tolist())
    if not wrong:
        return []
    # The text is gone: read it again for what the messages say.
    faults: dict[int, Fault] = {}
    column = 0
    for line, text, number in _lines(path):
        row = number - 1
        if row not in wrong:
            continue
        if text.startswith(b">"):
            column = 0
            if not sizes[row]:
                faults[row] = Fault(Place(path, line, number, names[row]), " has no sequence")
            continue
        bases = text.translate(None, WHITE_SPACE)
        bad = next((i for i, code in enumerate(bases.translate(CODE_TABLE)) if code > AMBIGUOUS), None)
        if bad is not None and row not in faults:
            letter = bases[bad : bad + 1].decode(errors="replace")
            what = f", column {column + bad + 1}: letter {letter!r}; {LETTERS}"
            faults[row] = Fault(Place(path, line, number, names[row]), what)
        column += len(bases)
    return sorted(faults.items())


def _lines(path: Path) -> Iterator[tuple[int, bytes, int]]:
    """Line number, text, and number of the record that the line belongs to (0 before the first)."""
    record = 0
    with open_bytes(path) as stream:
        text = stream.read().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for line, content in enumerate(text.split(b"\n"), start=1):
        record += content.startswith(b">")
        yield line, content, record
