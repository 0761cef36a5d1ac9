"""A board as a Markdown table (GitHub's dialect), aligned to be read as it is, too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dnabench.leaderboard.export.sheet import AT_FLOOR, TIED, Cell, Line, Sheet, sheet

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def text(board: Board) -> str:
    """The title, the table with the best in bold and the second in italics, and the notes."""
    shown = sheet(board)
    rows = [_header(shown), *map(_row, shown.lines), _floors(shown)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    left = {1, 2, len(widths) - 2, len(widths) - 1}
    lines = [_joined(row, widths, left) for row in rows]
    rule = "|" + "|".join("-" * (w + 2) if i in left else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    notes = [f"- {escape(note)}" for note in shown.notes]
    return "\n".join([escape(shown.title), "", lines[0], rule, *lines[1:], "", *notes]) + "\n"


def escape(plain: str) -> str:
    """Text without anything that Markdown would take for its own, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(plain.split()))


def _joined(row: Sequence[str], widths: Sequence[int], left: set[int]) -> str:
    cells = (c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
    return f"| {' | '.join(cells)} |"


def _header(shown: Sheet) -> list[str]:
    metrics = (f"{escape(metric)} {arrow}".strip() for metric, arrow in shown.metrics)
    return ["rank", "generator", "kind", "mean rank", *metrics, "tied with", "flags"]


def _row(line: Line) -> list[str]:
    ties, flags = (escape(", ".join(names)) for names in (line.tied_with, line.flags))
    return [line.rank, escape(line.generator), line.kind, line.mean_rank, *map(_cell, line.cells), ties, flags]


def _cell(cell: Cell) -> str:
    score = f"{cell.value} ± {cell.half}" if cell.half else cell.value
    score = {"best": f"**{score}**", "second": f"*{score}*"}.get(cell.place, score)
    marks = TIED * cell.tied + AT_FLOOR * cell.at_floor
    return f"{score} {marks}".rstrip()


def _floors(shown: Sheet) -> list[str]:
    return ["", "floor", "", "", *shown.floors, "", ""]
