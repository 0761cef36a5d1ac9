"""The ranked table on stdout. What colours say is said by signs and words, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dnabench.cli.render import natural_width, number, print_table, rounded
from dnabench.leaderboard.export.sheet import ARROWS, AT_FLOOR, MISSING, SHARED, TIED, best_of, is_tied

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

FRONT = "◆"
# Blue and yellow are told apart by those who do not tell red from green.
_AT_FLOOR_STYLE, _BLIND_STYLE = "cyan", "yellow"


def print_leaderboard(board: Board, title: str) -> None:
    """The ranked table: value ± half its interval, the scaled value beside it, the floor, and what the signs mean."""
    click.echo(title)
    metrics = list(board.directions)
    whole = _fits(_table(board, metrics, narrow=False))
    for block in [metrics] if whole else _blocks(board, metrics):
        print_table(_table(board, block, narrow=not whole))
    for note in _notes(board, scaled=whole and bool(board.scaled)):
        click.echo(note)
    if not whole:
        click.echo("a wider terminal shows kinds, and where scores lie between the floor and random DNA")


def _fits(table: Table) -> bool:
    """Whether stdout is as wide as the table, or no terminal."""
    console = Console()
    return not console.is_terminal or console.is_dumb_terminal or natural_width(table) <= console.width


def _blocks(board: Board, metrics: Sequence[str]) -> list[list[str]]:
    """The metrics in pieces, whose narrow tables fit the terminal."""
    blocks: list[list[str]] = [[]]
    for metric in metrics:
        wider = [*blocks[-1], metric]
        if blocks[-1] and not _fits(_table(board, wider, narrow=True)):
            blocks.append([metric])
        else:
            blocks[-1] = wider
    return blocks


def _table(board: Board, metrics: Sequence[str], *, narrow: bool) -> Table:
    """``narrow`` leaves kinds and scaled values out and puts intervals below their values."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("generator", no_wrap=True)
    if not narrow:
        table.add_column("kind")
    for metric in metrics:
        header = Text(f"{metric} {ARROWS[board.directions[metric]]}")
        if metric in board.blind:
            header.append("\nblind", style=_BLIND_STYLE)
        table.add_column(header, justify="right", no_wrap=True)
    best = {metric: best_of(board, metric) for metric in metrics}
    for row in board.rows:
        name = row["generator"]
        entry = board.ranking.entry(name)
        rank = "" if row["rank"] is None else f"{row['rank']}{SHARED if row['tied_with'] else ' '}"
        cells = [Text(rank), Text(f"{name} {FRONT}" if entry and entry.pareto else name)]
        cells += [] if narrow else [Text(row["kind"])]
        for metric in metrics:
            at_floor = f"at-floor:{metric}" in row["flags"].split(";")
            beside = None if narrow else board.scaled.get((name, metric))
            text = Text(_score(row, metric, "\n" if narrow else " "), style=_AT_FLOOR_STYLE if at_floor else "")
            text.append("" if beside is None else f" ({rounded(beside)})")
            text.append(TIED if is_tied(board, name, metric, best[metric]) else " ")
            text.append(AT_FLOOR if at_floor else " ")
            if name in best[metric]:
                text.stylize("bold")
            cells.append(text)
        table.add_row(*cells, style="dim" if row["kind"] == "control" else None)
    if any(floor is not None for floor in board.floors.values()):
        table.add_section()
        values = [Text(number(board.floors.get(metric)) + "  ") for metric in metrics]
        table.add_row(Text(""), Text("floor"), *([] if narrow else [Text("")]), *values, style="italic")
    return table


def _score(row: Mapping[str, Any], metric: str, gap: str) -> str:
    value, low, high = (row[metric + end] for end in ("", "_ci_low", "_ci_high"))
    if value is None:
        return MISSING
    return number(value) if low is None else f"{number(value)}{gap}± {number((high - low) / 2, 2)}"


def _notes(board: Board, *, scaled: bool) -> Iterator[str]:
    """What the signs mean, and what the numbers alone do not say."""
    note = "± half of the 95 % interval; floor: real held-out against real held-out sequences"
    yield note + (f"; in brackets: 0 is the floor, 1 {board.controls.useless}" if scaled else "")
    if any("at-floor:" in row["flags"] for row in board.rows):
        yield f"{AT_FLOOR} at the floor: as good as real sequences, as far as this metric can tell"
    names = [entry.generator for entry in board.ranking.entries]
    if any(is_tied(board, name, metric, best_of(board, metric)) for name in names for metric in board.directions):
        yield f"{TIED} cannot be told from the best of its column"
    if any(row["tied_with"] for row in board.rows):
        yield f"{SHARED} a rank that is shared: all metrics together do not tell its generators apart"
    if any(entry.pareto for entry in board.ranking.entries):
        yield f"{FRONT} no other is both as good and as quick to sample, within a tenth"
    for metric, controls in board.blind.items():
        yield f"{metric} is blind: it does not put held-out real sequences before {' and '.join(sorted(controls))}"
    if board.silent:
        nobody = "; nobody is ranked" * (len(board.silent) == len(board.directions))
        yield f"no control is worse than real DNA on {', '.join(board.silent)}: no voice in the ranks{nobody}"
    if board.unchecked:
        every = len(board.unchecked) == len(board.directions)
        lacking = ", ".join(dict.fromkeys(name for unknown in board.unchecked.values() for name in unknown))
        which = "a metric" if every else ", ".join(board.unchecked)
        yield f"whether {which} is blind is not known, for want of scores of {lacking}, or of intervals"
    for row in board.rows:
        if not row["complete"]:
            yield f"{row['generator']} is incomplete and has no rank"
