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

ARROWS = {"lower": "↓", "higher": "↑"}
_WIDTH_WITHOUT_TERMINAL = 120


def stdout_console() -> Console:
    """A console on stdout; 120 columns wide where there is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)


def print_json(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, indent=1, default=str))


def print_leaderboard(
    board: Sequence[Mapping[str, Any]], directions: Mapping[str, str], floors: Mapping[str, float | None], title: str
) -> None:
    """The ranked table: value ± half its interval, the floor below, ties and flags beside it."""
    table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("rank", justify="right")
    table.add_column("generator", no_wrap=True)
    table.add_column("kind")
    for metric, direction in directions.items():
        table.add_column(f"{metric} {ARROWS[direction]}", justify="right", no_wrap=True)
    for row in board:
        cells = [_rank(row["rank"]), row["generator"], row["kind"]]
        cells += [_score(row, metric) for metric in directions]
        style = "dim" if row["kind"] == "control" else None
        table.add_row(*(Text(cell) for cell in cells), style=style)
    if any(floor is not None for floor in floors.values()):
        table.add_section()
        values = [Text(_number(floors.get(metric))) for metric in directions]
        table.add_row(Text(""), Text("floor"), Text(""), *values, style="italic")
    console = stdout_console()
    console.print(table)
    for note in _notes(board):
        console.print(Text(note))


def print_scores(rows: Iterable[Mapping[str, Any]]) -> None:
    """One line per scored file and metric."""
    table = Table(box=box.SIMPLE_HEAD)
    for name, justify in (
        ("generator", "left"), ("metric", "left"), ("value", "right"), ("95 % interval", "right"), ("floor", "right"),
        ("n", "right"), ("reference", "right"), ("error", "left"),
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
            row["error"],
        ]
        table.add_row(*(Text(cell) for cell in cells))
    stdout_console().print(table)


def _rank(rank: int | None) -> str:
    return "" if rank is None else str(rank)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _score(row: Mapping[str, Any], metric: str) -> str:
    value, low, high = (row[metric + end] for end in ("", "_ci_low", "_ci_high"))
    if value is None:
        return "–"
    return _number(value) if low is None else f"{_number(value)} ± {(high - low) / 2:.2g}"


def _notes(board: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the numbers alone do not say: ties, blind metrics, missing scores."""
    notes = ["± half of the 95 % interval; floor: real held-out against real held-out sequences"]
    for row in board:
        name = row["generator"]
        if row["tied_with"]:
            notes.append(f"{name} cannot be told from {row['tied_with'].replace(';', ', ')}")
        flags = filter(None, row["flags"].split(";"))
        notes += [f"{flag.replace(':', ': ')} does not see what is wrong with {name}" for flag in flags]
        if not row["complete"]:
            notes.append(f"{name} is incomplete and has no rank")
    return notes
