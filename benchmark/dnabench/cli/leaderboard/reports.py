"""What the commands about leaderboards print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from dnabench.cli import render
from dnabench.cli.board import print_leaderboard
from dnabench.leaderboard import facts, table
from dnabench.leaderboard.differences import COLUMNS

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board
    from dnabench.leaderboard.directory import Published

PUBLISHED = ("suite", "table", "generators", "facts", "agrees", "difference")


def print_published(known: Sequence[Published], format: str, differences: Sequence[str] = ()) -> None:
    """A line for each suite: its table, and whether that follows from the facts."""
    rows = [
        {
            "suite": one.suite,
            "table": str(one.directory / f"{one.suite}.csv"),
            "generators": len(one.kinds),
            "facts": len(one.facts),
            "agrees": not difference,
            "difference": difference,
        }
        for one, difference in zip(known, differences or [""] * len(known), strict=True)
    ]
    if format == "json":
        render.print_json(rows)
    elif format == "csv":
        click.echo(facts.to_csv(rows, PUBLISHED), nl=False)
    else:
        for row in rows:
            state = row["difference"] or "agrees with its facts"
            click.echo(f"{row['table']}: {row['generators']} generators, {row['facts']:,} facts; {state}")


def print_boards(boards: Sequence[Board], format: str) -> None:
    """The tables one below the other; as JSON with ranks and facts; as CSV those that are published."""
    if format == "json":
        from dnabench.leaderboard.export import structure

        render.print_json([structure.plain(board) for board in boards])
        return
    for board in boards:
        if format == "csv":
            click.echo(facts.to_csv(board.rows, table.columns(board.directions)), nl=False)
            continue
        print_leaderboard(board, board.title)
        for note in _mean_ranks(board):
            click.echo(note)


def _mean_ranks(board: Board) -> list[str]:
    """What a row of the table has no room for."""
    notes = [f"ranks are relative to these generators, metrics and data: field {board.ranking.field}"]
    for entry in board.ranking.entries:
        families = ", ".join(f"{family} {rank:.3g}" for family, rank in entry.family_ranks.items())
        front = "; on the Pareto front of mean rank and cost of sampling" if entry.pareto else ""
        mean = entry.mean_rank
        notes.append(
            f"{entry.generator}: mean rank {mean.value:.3g} ({mean.low:.3g} to {mean.high:.3g}); {families}{front}"
        )
    return notes if board.ranking.entries else []


def print_differences(rows: Sequence[Mapping[str, Any]], format: str) -> None:
    """A line for each thing that is not the same."""
    if format == "json":
        render.print_json([{column: row.get(column) for column in COLUMNS} for row in rows])
    elif format == "csv":
        click.echo(facts.to_csv(rows, COLUMNS), nl=False)
    elif not rows:
        click.echo("the same")
    else:
        _print_table(rows)


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD)
    for column in COLUMNS:
        shown.add_column(column, justify="right" if column in ("before", "after", "change") else "left")
    for row in rows:
        shown.add_row(*(Text(_text(row.get(column))) for column in COLUMNS))
    render.print_table(shown)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
