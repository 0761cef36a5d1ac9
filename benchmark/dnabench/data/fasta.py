"""FASTA in and out."""

from __future__ import annotations

import gzip
from pathlib import Path

from dnabench.data.formats import WHITE_SPACE, read_bytes
from dnabench.data.records import Collector, Records, wrong_letter
from dnabench.errors import UserError
from dnabench.files import atomic_write
from dnabench.sequences import CODE_TABLE, INVALID, SequenceSet, word

_LINE_END, _RECORD = ord("\n"), ord(">")


def read_fasta(path: Path) -> Records:
    """The records of a FASTA file, plain, gzip or bgzip; ``key=value`` words of a header become labels.

    Lines may be wrapped and letters lower-case; an IUPAC code for several bases is read as N and counted. A record
    without a sequence or with another letter is a fault of that record. UserError for a file that is not FASTA.

    One pass that works within the file's own bytes: codes overwrite the text that they come from, which takes no more
    memory than the file and about five times as long as reading it.
    """
    text = _normal_lines(read_bytes(path))
    begin, line = _first_record(path, text)
    records = Collector(path)
    written = 0
    number = 0
    with memoryview(text) as view:
        while begin < len(text):
            number += 1
            end = _end_of_record(text, begin)
            header_end = text.find(b"\n", begin, end)
            header_end = end if header_end < 0 else header_end
            name, *words = text[begin + 1 : header_end].decode(errors="replace").split() or [f"record {number}"]
            body = text[header_end:end]
            codes = body.translate(CODE_TABLE, b"\n")
            line_ends = len(body) - len(codes)
            if INVALID in codes:
                codes = body.translate(CODE_TABLE, WHITE_SPACE)
            if not codes:
                records.refuse(" has no sequence", line, number, name)
            elif INVALID in codes:
                at, what = wrong_letter(body)
                column = at - body.rfind(b"\n", 0, at)
                line_of_fault = line + body.count(b"\n", 0, at)
                records.refuse(f", column {column}: {what}", line_of_fault, number, name)
            else:
                codes = records.take(codes, _labels(words), line, number, name)
                view[written : written + len(codes)] = codes
                written += len(codes)
            begin = end + 1
            line += line_ends + 1
    del text[written:]
    return records.records(text)


def write_fasta(sequences: SequenceSet, path: Path) -> None:
    """Write ``sequences`` atomically; the same sequences give the same bytes, gzip included.

    White space in names becomes ``_``, since it ends them in a header; labels have none.
    """
    columns = sequences.labels.columns
    rows = sequences.labels.itertuples(index=False, name=None)
    lines = []
    for name, row, bases in zip(sequences.names, rows, sequences.strings(), strict=True):
        labels = "".join(f" {key}={value}" for key, value in zip(columns, row, strict=True) if value)
        lines.append(f">{word(name) or '-'}{labels}\n{bases}\n")
    content = "".join(lines).encode()
    if path.name.endswith(".gz"):
        content = gzip.compress(content, compresslevel=6, mtime=0)
    atomic_write(path, content)


def _normal_lines(text: bytearray) -> bytearray:
    """``text`` without a byte order mark and with LF line ends."""
    if text.startswith(b"\xef\xbb\xbf"):
        del text[:3]
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
        if b"\r" in text:
            text = text.replace(b"\r", b"\n")
    return text


def _first_record(path: Path, text: bytearray) -> tuple[int, int]:
    """Where the first record begins and on which line. UserError for anything but blank lines before it."""
    begin = 0
    while begin < len(text) and text[begin] in WHITE_SPACE:
        begin += 1
    if begin == len(text):
        raise UserError(f"{path}: the file is empty; FASTA records were expected")
    if not _begins_record(text, begin):
        raise UserError(f"{path}: not FASTA: the first line does not start with '>'")
    return begin, text.count(b"\n", 0, begin) + 1


def _begins_record(text: bytearray, at: int) -> bool:
    return text[at] == _RECORD and (at == 0 or text[at - 1] == _LINE_END)


def _end_of_record(text: bytearray, begin: int) -> int:
    """Where the line end before the next record is, or the text ends."""
    # Finding one byte is many times faster than finding two, and '>' is rare within lines.
    after = text.find(b">", begin + 1)
    while after >= 0 and text[after - 1] != _LINE_END:
        after = text.find(b">", after + 1)
    return len(text) if after < 0 else after - 1


def _labels(words: list[str]) -> list[tuple[str, str]]:
    """The ``key=value`` words of a header."""
    pairs = []
    for text in words:
        key, equals, value = text.partition("=")
        if equals and key:
            pairs.append((key, value))
    return pairs
