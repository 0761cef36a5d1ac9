"""Reading JASPAR's matrices: its own format, and plain tables of four rows (https://jaspar.elixir.no/docs/)."""

from __future__ import annotations

from pathlib import Path

from dnabench_metrics.motifs.published import PublishedMatrix, from_counts, place_error

BASES = "ACGT"


def read_jaspar(path: Path, lines: list[str]) -> list[PublishedMatrix]:
    """Every motif of a file of four rows per motif, the counts of A, C, G and T along its positions.

    A motif's name is the first word after ``>``; without such a line the file holds one motif, named after the file. A
    row may begin with its base and have brackets around its counts, ``A [ 3 0 12 ]``; rows without a base are in the
    order A C G T. Raises UserError, naming file and line, for rows that are missing, repeated, of different lengths or
    hold anything but numbers, and for two motifs of one name.
    """
    found: dict[str, PublishedMatrix] = {}
    name, opened = path.name.partition(".")[0], 0
    rows: dict[str, list[float]] = {}
    begun = False
    for number, line in enumerate(lines):
        text = line.strip()
        if text.startswith(">"):
            if begun:
                found[name] = _matrix(name, rows, path, opened)
            words = text[1:].split()
            if not words:
                raise place_error(path, number, "> without a name")
            name, opened, rows, begun = words[0], number, {}, True
            if name in found:
                raise place_error(path, number, f"a second motif called {name}")
        elif text:
            begun = True
            _read_row(text, rows, name, path, number)
    found[name] = _matrix(name, rows, path, opened)
    return list(found.values())


def _read_row(text: str, rows: dict[str, list[float]], name: str, path: Path, number: int) -> None:
    words = text.replace("[", " ").replace("]", " ").split()
    if words and words[0].upper() in tuple(BASES):
        base = words.pop(0).upper()
    elif len(rows) < len(BASES):
        base = BASES[len(rows)]
    else:
        raise place_error(path, number, f"a fifth row for motif {name}")
    if base in rows:
        raise place_error(path, number, f"a second row {base} for motif {name}")
    try:
        rows[base] = [float(word) for word in words]
    except ValueError:
        raise place_error(path, number, f"{text!r} is no row of counts, as 'A [ 3 0 12 ]'") from None
    width = len(next(iter(rows.values())))
    if not rows[base] or len(rows[base]) != width:
        raise place_error(path, number, f"{len(rows[base])} counts for motif {name}, {width or 'at least 1'} expected")


def _matrix(name: str, rows: dict[str, list[float]], path: Path, opened: int) -> PublishedMatrix:
    if missing := [base for base in BASES if base not in rows]:
        raise place_error(path, opened, f"no row {missing[0]} for motif {name}")
    counts = [list(position) for position in zip(*(rows[base] for base in BASES), strict=True)]
    return from_counts(name, counts, path=path, number=opened)
