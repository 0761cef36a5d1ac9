"""A genome in a FASTA file of the user's: any stretch of it, through an index."""

from __future__ import annotations

import contextlib
import gzip
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from pyfaidx import Fasta, FastaIndexingError

from dnabench import UserError

N = 4
_CODES = np.full(256, N, np.uint8)  # N for the IUPAC codes of several bases as well
_CODES[list(b"ACGTacgt")] = [0, 1, 2, 3] * 2
_COMPLEMENT = np.array([3, 2, 1, 0, N], np.uint8)


class Genome:
    """Chromosomes by name."""

    def __init__(self, file: Path, fasta: Fasta) -> None:
        self._file = file
        self._fasta = fasta
        self._by_stem = {_stem(name): name for name in fasta.keys()}  # noqa: SIM118 - no mapping: iterates sequences

    def resolve(self, chromosomes: Iterable[str]) -> dict[str, str]:
        """What each chromosome is called here, where it may have or lack the letters ``chr``.

        UserError that names those that are not here, and some that are.
        """
        names = {name: name if name in self._fasta else self._by_stem.get(_stem(name)) for name in chromosomes}
        lacking = sorted(wanted for wanted, name in names.items() if name is None)
        if lacking:
            raise UserError(
                f"{self._file}: no chromosome named {_some(lacking)}, with or without 'chr'; "
                f"it has {_some(list(self._fasta.keys()))}"
            )
        return {wanted: name for wanted, name in names.items() if name is not None}

    def length(self, chromosome: str) -> int:
        """Bases of a chromosome."""
        return len(self._fasta[chromosome])

    def stretch(self, chromosome: str, start: int, stop: int, strand: str) -> np.ndarray:
        """uint8 codes, shape ``(stop - start,)``, A C G T N = 0 1 2 3 4, as read along ``strand``.

        ``start`` and ``stop`` count from 0 along the plus strand, without ``stop`` itself, and lie within the
        chromosome.
        """
        codes = _CODES[np.frombuffer(self._fasta[chromosome][start:stop].encode("ascii", "replace"), np.uint8)]
        return codes if strand == "+" else _COMPLEMENT[codes[::-1]]


@contextlib.contextmanager
def open_genome(file: Path, scratch: Path) -> Iterator[Genome]:
    """The genome in a FASTA file, plain, gzip or bgzip, told by its content.

    The index, and the text of a packed file, are written to the directory ``scratch`` and removed afterwards: nothing
    appears beside the user's file. UserError for what is not FASTA with lines of one length within each sequence.
    """
    text = scratch / f"{file.name}.fa"
    index = scratch / f"{file.name}.fa.fai"
    try:
        _unpack(file, text)
        with text.open("rb") as stream:
            if not stream.read(1 << 16).lstrip().startswith((b">", b";")):
                raise UserError(f"{file}: not FASTA: the first line does not start with '>'")
        try:
            fasta = Fasta(str(text), indexname=str(index), as_raw=True)
        except (FastaIndexingError, ValueError) as error:
            what = "it is not text" if isinstance(error, UnicodeError) else str(error).replace(str(text), "the file")
            raise UserError(f"{file}: not FASTA that can be indexed: {what}") from None
        with fasta:
            yield Genome(file, fasta)
    finally:
        text.unlink(missing_ok=True)
        index.unlink(missing_ok=True)


def _unpack(file: Path, text: Path) -> None:
    """Make ``text`` the content of ``file``: a link where it is text already."""
    try:
        with file.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        if not packed:
            text.symlink_to(file.resolve())
            return
        with gzip.open(file) as source, text.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UserError(f"{file}: the gzip data is damaged or cut short") from None
    except OSError as error:
        where = text if error.filename is None else error.filename  # a full disk has no name
        raise UserError(f"{where}: {error.strerror}; {file} is needed as text") from None


def _stem(chromosome: str) -> str:
    return re.sub(r"^chr", "", chromosome, flags=re.IGNORECASE)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(repr, names[:5])) + more
