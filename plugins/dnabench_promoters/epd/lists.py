"""EPDnew's lists of promoters: BED files of eight columns.

A line covers 49 bp before the TSS, the TSS and 10 bp behind it; its thick part begins at the TSS, on either strand::

    chr1 959245 959305 NOC2L_1 900 - 959245 959256      TSS at 959255, counted from 0
    chr1 960583 960643 KLHL17_1 900 + 960632 960643     TSS at 960632

Source: https://epd.expasy.org/ftp/epdnew/README
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dnabench import UserError


class Promoter(NamedTuple):
    """Where transcription starts.

    Attributes:
        name: EPD's.
        tss: the first base that is transcribed, counted from 0 along the plus strand.
        strand: ``+`` or ``-``.
    """

    name: str
    chromosome: str
    tss: int
    strand: str


def read_promoters(path: Path) -> list[Promoter]:
    """The promoters of a list, in its order. UserError, with the line, for whatever is not one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a list of promoters: not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    promoters = []
    for number, line in enumerate(lines, start=1):
        columns = line.split()
        if not columns or columns[0].startswith("#") or columns[0] in {"track", "browser"}:
            continue
        try:
            promoters.append(_promoter(columns))
        except ValueError as error:
            raise UserError(f"{path}, line {number}: {error}") from None
    if not promoters:
        raise UserError(f"{path}: no promoter is listed here; BED lines with thickStart and thickEnd were expected")
    return promoters


def _promoter(columns: list[str]) -> Promoter:
    """From the columns of a line; ValueError says what is wrong with them."""
    if len(columns) < 8:
        raise ValueError(
            f"{len(columns)} columns; eight were expected: "
            f"chromosome, start, end, name, score, strand, thickStart, thickEnd"
        )
    chromosome, start, end, name, _, strand, thick_start, thick_end = columns[:8]
    places = (start, thick_start, thick_end, end)
    if not all(place.isdecimal() and place.isascii() for place in places):
        wrong = next(place for place in places if not (place.isdecimal() and place.isascii()))
        raise ValueError(f"{wrong!r} is not a position; a whole number was expected")
    if not int(start) <= int(thick_start) < int(thick_end) <= int(end):
        raise ValueError(f"the thick part {thick_start}..{thick_end} does not lie within {start}..{end}")
    if strand not in {"+", "-"}:
        raise ValueError(f"strand {strand!r} is neither + nor -")
    return Promoter(name, chromosome, int(thick_start) if strand == "+" else int(thick_end) - 1, strand)
