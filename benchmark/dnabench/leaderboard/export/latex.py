"""A board as a LaTeX table for a paper; it needs the packages booktabs and graphicx."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dnabench.leaderboard.export.sheet import MISSING, Cell, Line, sheet

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

_ARROWS = {"↓": r" $\downarrow$", "↑": r" $\uparrow$", "": ""}
_ESCAPED = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "±": r"$\pm$", "≈": r"$\approx$", "°": r"$^\circ$", "·": r"$\cdot$",
    "–": "--", "…": r"\ldots{}",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPED)))
_SCIENTIFIC = re.compile(r"^(.*)e([+-])0*(\d+)$")


def text(board: Board) -> str:
    """A ``table`` with the best in bold and the second underlined; controls below a line of their own."""
    shown = sheet(board)
    heads = ["", "generator", "mean rank", *(escape(metric) + _ARROWS[arrow] for metric, arrow in shown.metrics)]
    ranked = [_row(line) for line in shown.lines if line.rank]
    others = [_row(line) for line in shown.lines if not line.rank]
    floors = _joined(["", "floor", "", *(MISSING if f == MISSING else f"${f}$" for f in map(_number, shown.floors))])
    groups = [group for group in (ranked, others, [floors]) if group]
    body = [line for group in groups for line in (r"\midrule", *group)]
    notes = [rf"\par {escape(note)}" for note in shown.notes]
    return "\n".join([
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(shown.title)}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",  # shrunk only if it is too wide
        rf"\begin{{tabular}}{{rl{'r' * (len(heads) - 2)}}}",
        r"\toprule",
        _joined(heads),
        *body,
        r"\bottomrule",
        r"\end{tabular}}",
        r"\par\smallskip\raggedright\footnotesize",
        *notes,
        r"\end{table}",
    ]) + "\n"  # fmt: skip


def escape(plain: str) -> str:
    """Text without anything that LaTeX would take for its own, on one line."""
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], " ".join(plain.split()))


def _row(line: Line) -> str:
    flags = f" ({escape(', '.join(line.flags))})" if line.flags else ""
    return _joined([line.rank, escape(line.generator) + flags, escape(line.mean_rank), *map(_cell, line.cells)])


def _joined(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell) -> str:
    if cell.value == MISSING:
        return escape(MISSING)
    numbers = [_number(part) for part in (cell.value, cell.half) if part]
    if cell.place == "best":
        numbers = [rf"\mathbf{{{number}}}" for number in numbers]
    score = r" \pm ".join(numbers)
    if cell.place == "second":
        score = rf"\underline{{{score}}}"
    marks = r"\approx" * cell.tied + r"\circ" * cell.at_floor
    return f"${score}^{{{marks}}}$" if marks else f"${score}$"


def _number(plain: str) -> str:
    return _SCIENTIFIC.sub(lambda found: rf"{found[1]} \cdot 10^{{{found[2].strip('+')}{found[3]}}}", plain)
