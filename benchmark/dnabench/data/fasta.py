"""FASTA in and out: plain or gzip, one file or a directory whose file names are the species."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from dnabench.errors import UserError
from dnabench.files import atomic_write
from dnabench.sequences import SequenceSet, encode

ENDINGS = (".fa", ".fasta", ".fna", ".fa.gz", ".fasta.gz", ".fna.gz")
_WHITE_SPACE = b" \t\r\n\v\f"


class _Record(NamedTuple):
    name: str
    number: int  # within its file, from 1
    labels: dict[str, str]
    bases: bytes
    file: Path


def stem(path: Path) -> str:
    """A file's name without its FASTA endings."""
    name = path.name
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return path.stem


def read_fasta(path: Path, *, length: int | None = None) -> SequenceSet:
    """Read a FASTA file, or every FASTA file of a directory with its stem as the label ``species``.

    ``key=value`` words of a header become labels. Lower-case letters count as their upper case. With ``length`` longer
    sequences are cropped around their centre. Raises UserError, naming file, record and column, for a missing or empty
    file, one that is not FASTA, a letter outside ACGTN, a sequence shorter than ``length``, or differing lengths.
    """
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.name.lower().endswith(ENDINGS))
        if not files:
            raise UserError(f"{path}: no FASTA file in this directory (looked for {', '.join(ENDINGS)})")
        records = [record for file in files for record in _records(file, {"species": stem(file)})]
    else:
        records = _records(path, {})
    return _assemble(records, length)


def write_fasta(sequences: SequenceSet, path: Path) -> None:
    """Write ``sequences`` atomically; the same sequences give the same bytes, gzip included.

    White space in names and labels becomes ``_``, since it ends them in a header.
    """
    columns = list(sequences.labels.columns)
    rows = sequences.labels.itertuples(index=False, name=None)
    lines = []
    for name, row, bases in zip(sequences.names, rows, sequences.strings(), strict=True):
        labels = "".join(f" {_word(key)}={_word(value)}" for key, value in zip(columns, row, strict=True) if value)
        lines.append(f">{_word(name) or '-'}{labels}\n{bases}\n")
    content = "".join(lines).encode()
    if path.name.endswith(".gz"):
        content = gzip.compress(content, compresslevel=6, mtime=0)
    atomic_write(path, content)


def _word(text: str) -> str:
    return "_".join(text.split())


def _read_bytes(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"{path}: the gzip data is damaged or cut short") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    return content


def _records(path: Path, file_labels: dict[str, str]) -> list[_Record]:
    content = _read_bytes(path)
    if not content.strip():
        raise UserError(f"{path}: the file is empty; FASTA records were expected")
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip()
    if not content.startswith(b">"):
        raise UserError(f"{path}: not FASTA: the first line does not start with '>'")
    records: list[_Record] = []
    for chunk in content[1:].split(b"\n>"):
        header, _, body = chunk.partition(b"\n")
        words = header.decode(errors="replace").split()
        name = words[0] if words else f"record {len(records) + 1}"
        pairs = (word.partition("=") for word in words[1:])
        labels = {key: value for key, equals, value in pairs if equals and key}
        bases = body.translate(None, _WHITE_SPACE)
        if not bases:
            raise UserError(f"{path}: record {name!r} (number {len(records) + 1}) has no sequence")
        records.append(_Record(name, len(records) + 1, file_labels | labels, bases, path))
    return records


def _assemble(records: list[_Record], length: int | None) -> SequenceSet:
    first = records[0]
    width = length or len(first.bases)
    rows = []
    for record in records:
        size = len(record.bases)
        if length is None and size != width:
            raise UserError(
                f"{record.file}: record {record.name!r} has {size} bases, but {first.name!r} has {width}; "
                f"--length L would crop every sequence to its central L bases"
            )
        if size < width:
            raise UserError(
                f"{record.file}: record {record.name!r} has {size} bases, fewer than --length {length}; "
                f"--length crops longer sequences around their centre and never pads"
            )
        _check_letters(record)
        start = (size - width) // 2
        rows.append(record.bases[start : start + width])
    codes = encode(np.frombuffer(b"".join(rows), np.uint8)).reshape(len(rows), width)
    labels = pd.DataFrame([record.labels for record in records], dtype=object).fillna("")
    return SequenceSet(codes, labels=labels, names=[record.name for record in records])


def _check_letters(record: _Record) -> None:
    wrong = record.bases.translate(None, b"ACGTNacgtn")
    if wrong:
        column = record.bases.index(wrong[:1]) + 1
        raise UserError(
            f"{record.file}: record {record.name!r} (number {record.number}), column {column}: letter "
            f"{wrong[:1].decode(errors='replace')!r}; only A, C, G, T and N are read"
        )
