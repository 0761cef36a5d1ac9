"""Results on stdout: a rich table, JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

ARROWS = {"lower": "↓", "higher": "↑", "": ""}


def print_table(table: Table, narrower: Table | None = None) -> bool:
    """Print on stdout: where there is no terminal as wide as it must be, so that nothing is cut.

    On a terminal that is too narrow for it, ``narrower`` takes its place. Returns whether it was printed as it is.
    """
    console = Console()
    width = Console(width=10_000).measure(table).maximum
    if not console.is_terminal:
        console = Console(width=width)
    fits = narrower is None or width <= console.width
    console.print(table if fits else narrower)
    return fits


def print_json(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, indent=1, default=str))


def print_leaderboard(
    board: Sequence[Mapping[str, Any]],
    directions: Mapping[str, str],
    floors: Mapping[str, float | None],
    scaled: Mapping[tuple[str, str], float],
    title: str,
) -> None:
    """The ranked table: value ± half its interval and ``scaled`` beside it, with the floor, ties and flags below."""
    click.echo(title)
    wide, narrow = (_leaderboard(board, directions, floors, scaled, narrow=narrow) for narrow in (False, True))
    whole = print_table(wide, narrow)
    for note in _notes(board, scaled if whole else {}):
        click.echo(note)
    if not whole:
        click.echo("a wider terminal shows kinds, and where scores lie between the floor and random DNA")


def _leaderboard(
    board: Sequence[Mapping[str, Any]],
    directions: Mapping[str, str],
    floors: Mapping[str, float | None],
    scaled: Mapping[tuple[str, str], float],
    *,
    narrow: bool,
) -> Table:
    """The table; ``narrow`` leaves kinds and scaled values out and puts intervals below their values."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("generator", no_wrap=True)
    if not narrow:
        table.add_column("kind")
    for metric, direction in directions.items():
        table.add_column(f"{metric} {ARROWS[direction]}", justify="right", no_wrap=True)
    for row in board:
        cells = [_rank(row["rank"]), row["generator"]]
        cells += [] if narrow else [row["kind"]]
        for metric in directions:
            beside = None if narrow else scaled.get((row["generator"], metric))
            scale = "" if beside is None else f" ({_rounded(beside)})"
            cells.append(_score(row, metric, "\n" if narrow else " ") + scale)
        style = "dim" if row["kind"] == "control" else None
        table.add_row(*(Text(cell) for cell in cells), style=style)
    if any(floor is not None for floor in floors.values()):
        table.add_section()
        values = [Text(_number(floors.get(metric))) for metric in directions]
        table.add_row(Text(""), Text("floor"), *([] if narrow else [Text("")]), *values, style="italic")
    return table


def print_scores(rows: Iterable[Mapping[str, Any]]) -> None:
    """One line per scored file and metric."""
    table = Table(box=box.SIMPLE_HEAD)
    for name, justify in (
        ("generator", "left"), ("metric", "left"), ("value", "right"), ("95 % interval", "right"), ("floor", "right"),
        ("n", "right"), ("reference", "right"), ("flags", "left"), ("error", "left"),
    ):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    rows = list(rows)
    for row in rows:
        interval = "" if row["ci_low"] is None else f"{_number(row['ci_low'])} to {_number(row['ci_high'])}"
        cells = [
            row["generator"],
            f"{row['metric']} {ARROWS[row['direction']]}",
            _number(row["value"]),
            interval,
            _number(row["floor"]),
            str(row["n_generated"]),
            str(row["n_reference"]),
            row["flags"],
            row["error"],
        ]
        table.add_row(*(Text(cell) for cell in cells))
    print_table(table)


def _rounded(value: float) -> str:
    """Two digits, and no minus before zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def _rank(rank: int | None) -> str:
    return "" if rank is None else str(rank)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _score(row: Mapping[str, Any], metric: str, gap: str) -> str:
    value, low, high = (row[metric + end] for end in ("", "_ci_low", "_ci_high"))
    if value is None:
        return "–"
    return _number(value) if low is None else f"{_number(value)}{gap}± {(high - low) / 2:.2g}"


def _notes(board: Sequence[Mapping[str, Any]], scaled: Mapping[tuple[str, str], float]) -> list[str]:
    """What the numbers alone do not say: ties, who is at the floor, blind metrics, missing scores."""
    notes = ["± half of the 95 % interval; floor: real held-out against real held-out sequences"]
    if scaled:
        notes[0] += "; in brackets: 0 is the floor, 1 uniform random DNA"
    for row in board:
        name = row["generator"]
        reached = [flag.removeprefix("at-floor:") for flag in row["flags"].split(";") if flag.startswith("at-floor:")]
        if reached:
            notes.append(f"{name} is at the floor of {', '.join(reached)}")
        if row["tied_with"]:
            notes.append(f"{name} cannot be told from {row['tied_with'].replace(';', ', ')}")
        blind = (flag.removeprefix("blind:") for flag in row["flags"].split(";") if flag.startswith("blind:"))
        notes += [f"{metric} is blind: it does not put held-out real sequences before {name}" for metric in blind]
        if not row["complete"]:
            notes.append(f"{name} is incomplete and has no rank")
    return notes
