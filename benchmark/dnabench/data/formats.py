"""Files of sequences as bytes: plain or gzip, told by their content, with one line for whatever cannot be read."""

from __future__ import annotations

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from dnabench.errors import UserError

FASTA = (".fa", ".fasta", ".fna", ".fas", ".fsa", ".ffn")
TEXT_TABLES = {".csv": ",", ".tsv": "\t"}
PARQUET = (".parquet", ".pq")
GZIP = (".gz", ".bgz")
WHITE_SPACE = b" \t\r\n\v\f"

_CHUNK = 1 << 24
# What bgzip ends a file with (the SAM specification, 4.1.2), which tells a whole file from one cut between its blocks.
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def split_ending(path: Path) -> tuple[str, str]:
    """A file's name without its known endings, and its format's ending in lower case (``""`` for none known)."""
    name = path.name
    for ending in GZIP:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
    for ending in (*FASTA, *TEXT_TABLES, *PARQUET):
        if name.lower().endswith(ending):
            return name[: -len(ending)], ending
    return path.stem, ""


def stem(path: Path) -> str:
    """A file's name without its known endings."""
    return split_ending(path)[0]


@contextlib.contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The content of a file, unpacked where it is gzip. UserError for what cannot be read or unpacked."""
    try:
        with path.open("rb") as raw:
            head = raw.peek(16)[:16]
            packed = head[:2] == b"\x1f\x8b"
            if packed and head[12:16] == _BGZIP_END[12:16] and raw.seekable():
                raw.seek(-min(len(_BGZIP_END), os.fstat(raw.fileno()).st_size), os.SEEK_END)
                if raw.read() != _BGZIP_END:
                    raise EOFError
                raw.seek(0)
            with cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else contextlib.nullcontext(raw) as stream:
                yield stream
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"{path}: the gzip data is damaged or cut short") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None


def read_bytes(path: Path) -> bytearray:
    """The whole content, in memory once. UserError as from :func:`open_bytes`."""
    with open_bytes(path) as stream:
        if not isinstance(stream, gzip.GzipFile):
            buffer = bytearray(os.fstat(stream.fileno()).st_size)
            filled = 0
            while filled < len(buffer) and (count := stream.readinto(memoryview(buffer)[filled:])):  # type: ignore[attr-defined]
                filled += count
            del buffer[filled:]
        else:
            buffer = bytearray()
        while chunk := stream.read(_CHUNK):  # a pipe has no size, and a file may have grown
            buffer += chunk
    return buffer
