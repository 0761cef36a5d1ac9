"""Reading TRANSFAC's matrices (https://meme-suite.org/meme/doc/transfac-format.html)."""

from __future__ import annotations

from pathlib import Path

from dnabench import UserError
from dnabench_metrics.motifs.published import PublishedMatrix, from_counts, place_error

BASES = "ACGT"


def read_transfac(path: Path, lines: list[str]) -> list[PublishedMatrix]:
    """Every motif of a TRANSFAC file: entries that end with ``//``, the counts between ``P0`` (or ``PO``) and ``XX``.

    A motif is named by its accession (AC), else its ID, else its name (NA). The line ``P0`` gives the order of the
    bases; a letter after a row's counts, the consensus, is passed over. Entries without a matrix, such as the file's
    own header, are too. Raises UserError, naming file and line, for rows that are no counts, a matrix without rows or
    without a name, two motifs of one name, and a file without any matrix.
    """
    found: dict[str, PublishedMatrix] = {}
    names: dict[str, str] = {}
    counts: list[list[float]] = []
    order: list[int] | None = None  # of A C G T among the columns, while in a matrix
    opened: int | None = None
    for number, line in enumerate([*lines, "//"]):
        words = line.split()
        tag = words[0] if words else ""
        if tag in ("P0", "PO"):
            if opened is not None:
                raise place_error(path, number, "a second matrix in one entry")
            order, opened = _order(words[1:], path, number), number
        elif order is not None and tag.isdigit():
            counts.append(_row(words[1:], order, line, path, number))
        elif tag == "//":
            if opened is not None:
                motif = _matrix(names, counts, path, opened)
                if motif.name in found:
                    raise place_error(path, opened, f"a second motif called {motif.name}")
                found[motif.name] = motif
            names, counts, order, opened = {}, [], None, None
        elif tag in ("AC", "ID", "NA") and len(words) > 1:
            names[tag] = words[1]
            order = None
        elif tag:
            order = None
    if not found:
        raise UserError(f"{path}: no matrix, which begins with 'P0 A C G T', in this file")
    return list(found.values())


def _order(letters: list[str], path: Path, number: int) -> list[int]:
    upper = [letter.upper() for letter in letters]
    if sorted(upper[:4]) != sorted(BASES):
        raise place_error(path, number, "the bases in their order are expected, as 'P0 A C G T'")
    return [upper.index(base) for base in BASES]


def _row(words: list[str], order: list[int], line: str, path: Path, number: int) -> list[float]:
    try:
        return [float(words[column]) for column in order]
    except (ValueError, IndexError):
        raise place_error(path, number, f"{line.strip()!r}: a position and four counts are expected") from None


def _matrix(names: dict[str, str], counts: list[list[float]], path: Path, opened: int) -> PublishedMatrix:
    name = names.get("AC") or names.get("ID") or names.get("NA")
    if name is None:
        raise place_error(path, opened, "a matrix of an entry without AC, ID or NA")
    if not counts:
        raise place_error(path, opened, f"no row of counts follows for motif {name}")
    return from_counts(name, counts, path=path, number=opened)
