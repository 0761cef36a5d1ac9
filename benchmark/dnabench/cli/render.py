"""Results on stdout: a rich table, JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Without a height rich takes a dumb terminal to be 80 columns wide, whatever width it is given.
HEIGHT = 25
ARROWS = {"lower": "↓", "higher": "↑", "": ""}


def print_table(table: Table) -> None:
    """Print on stdout: where there is no terminal as wide as it must be, so that nothing is cut."""
    console = Console()
    if not console.is_terminal or console.is_dumb_terminal:
        console = Console(width=natural_width(table), height=HEIGHT)
    console.print(table)


def natural_width(table: Table) -> int:
    """How many columns the table takes where nothing is in its way."""
    return Console(width=10_000, height=HEIGHT).measure(table).maximum


def print_json(value: Any) -> None:
    """JSON on stdout."""
    click.echo(json.dumps(value, indent=1, default=str))


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
        interval = "" if row["ci_low"] is None else f"{number(row['ci_low'])} to {number(row['ci_high'])}"
        cells = [
            row["generator"],
            f"{row['metric']} {ARROWS[row['direction']]}",
            number(row["value"]),
            interval,
            number(row["floor"]),
            str(row["n_generated"]),
            str(row["n_reference"]),
            row["flags"],
            row["error"],
        ]
        table.add_row(*(Text(cell) for cell in cells))
    print_table(table)


def rounded(value: float) -> str:
    """Two digits, and no minus before zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def number(value: float | None, digits: int = 3) -> str:
    """So many digits, and no exponent for what is merely large; nothing for None."""
    return "" if value is None else f"{float(f'{value:.{digits}g}'):g}"
