"""A board as an HTML page of one plain table, which screen readers can find their way in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from dnabench.leaderboard.export.sheet import AT_FLOOR, TIED, Cell, Line, Sheet, sheet

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0 0 .5em; }
th, td { padding: .25em .75em; text-align: right; white-space: nowrap; }
th[scope=row], td.text, th.text { text-align: left; }
thead tr, tbody + tbody { border-top: 1px solid; }
thead, table { border-bottom: 1px solid; }
.scroll { overflow-x: auto; }
"""
_DIRECTIONS = {"↓": "lower is better", "↑": "higher is better", "": ""}
_MEANINGS = {TIED: "not told apart from the best", AT_FLOOR: "at the floor"}


def text(board: Board) -> str:
    """The page: best in bold, second underlined; ranked generators, the others and the floor in bodies of their own."""
    shown = sheet(board)
    ranked = [_row(line) for line in shown.lines if line.rank]
    others = [_row(line) for line in shown.lines if not line.rank]
    floors = "".join(f"<td>{escape(floor)}</td>" for floor in shown.floors)
    last = f'<tr><td></td><th scope="row">floor</th><td></td><td></td>{floors}<td></td><td></td></tr>'
    bodies = ["<tbody>\n" + "\n".join(rows) + "\n</tbody>" for rows in (ranked, others, [last]) if rows]
    return "\n".join([
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(board.suite)}: leaderboard</title>",
        f"<style>{_STYLE}</style></head>",
        "<body><main>",
        f"<h1>{escape(board.suite)}</h1>",
        '<div class="scroll" role="region" aria-label="leaderboard" tabindex="0">',
        "<table>",
        f"<caption>{escape(shown.title)}</caption>",
        f"<thead>{_head(shown)}</thead>",
        *bodies,
        "</table>",
        "</div>",
        "<ul>",
        *(f"<li>{escape(note)}</li>" for note in shown.notes),
        "</ul>",
        "</main></body>",
        "</html>",
    ]) + "\n"  # fmt: skip


def _head(shown: Sheet) -> str:
    metrics = "".join(
        f'<th scope="col">{escape(metric)} <span title="{_DIRECTIONS[arrow]}">{arrow}</span></th>'
        for metric, arrow in shown.metrics
    )
    return (
        '<tr><th scope="col">rank</th><th scope="col" class="text">generator</th><th scope="col" class="text">kind</th>'
        f'<th scope="col">mean rank</th>{metrics}<th scope="col" class="text">tied with</th>'
        '<th scope="col" class="text">flags</th></tr>'
    )


def _row(line: Line) -> str:
    cells = "".join(f"<td>{_cell(cell)}</td>" for cell in line.cells)
    ties, flags = (escape(", ".join(names)) for names in (line.tied_with, line.flags))
    name, kind = escape(line.generator), escape(line.kind)
    return (
        f'<tr><td>{line.rank}</td><th scope="row">{name}</th><td class="text">{kind}</td>'
        f'<td>{escape(line.mean_rank)}</td>{cells}<td class="text">{ties}</td><td class="text">{flags}</td></tr>'
    )


def _cell(cell: Cell) -> str:
    score = escape(f"{cell.value} ± {cell.half}" if cell.half else cell.value)
    score = {"best": f"<strong>{score}</strong>", "second": f"<u>{score}</u>"}.get(cell.place, score)
    marks = [mark for mark, applies in ((TIED, cell.tied), (AT_FLOOR, cell.at_floor)) if applies]
    return score + "".join(f' <abbr title="{_MEANINGS[mark]}">{mark}</abbr>' for mark in marks)
