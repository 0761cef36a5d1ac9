"""The ranked table on stdout. What colours say is said by signs and words, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from dnabench.cli.render import ARROWS, number, print_table, rounded

AT_FLOOR, SHARED, FRONT = "≈", "=", "◆"
# Blue and yellow are told apart by those who do not tell red from green.
_AT_FLOOR_STYLE, _BLIND_STYLE = "cyan", "yellow"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A leaderboard and what stands beside its numbers.

    Attributes:
        board: the rows of ``leaderboard.csv``.
        directions: metric -> direction, in the order of the columns.
        floors: metric -> floor; None where there is none.
        scaled: (generator, metric) -> the score where 0 is the floor and 1 uniform random DNA.
    """

    board: Sequence[Mapping[str, Any]]
    directions: Mapping[str, str]
    floors: Mapping[str, float | None]
    scaled: Mapping[tuple[str, str], float]

    def flagged(self, kind: str) -> dict[str, list[str]]:
        """What the flags ``KIND:WHAT`` of a kind name -> the generators that carry them; no text for a flag alone."""
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.board:
            for flag in row["flags"].split(";"):
                what, _, which = flag.partition(":")
                if what == kind:
                    found[which].append(row["generator"])
        return found

    def best(self, metric: str) -> set[float]:
        """The best value among those that are ranked."""
        values = [row[metric] for row in self.board if row["rank"] is not None and row[metric] is not None]
        return {max(values) if self.directions[metric] == "higher" else min(values)} if values else set()


def print_leaderboard(shown: Shown, title: str) -> None:
    """The ranked table: value ± half its interval, the scaled value beside it, the floor, and what the signs mean."""
    click.echo(title)
    whole = print_table(_table(shown, narrow=False), _table(shown, narrow=True))
    for note in _notes(shown, scaled=whole and bool(shown.scaled)):
        click.echo(note)
    if not whole:
        click.echo("a wider terminal shows kinds, and where scores lie between the floor and random DNA")


def _table(shown: Shown, *, narrow: bool) -> Table:
    """``narrow`` leaves kinds and scaled values out and puts intervals below their values."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("generator", no_wrap=True)
    if not narrow:
        table.add_column("kind")
    blind, reached, front = (shown.flagged(kind) for kind in ("blind", "at-floor", "pareto"))
    for metric, direction in shown.directions.items():
        header = Text(f"{metric} {ARROWS[direction]}")
        if metric in blind:
            header.append("\nblind", style=_BLIND_STYLE)
        table.add_column(header, justify="right", no_wrap=True)
    for row in shown.board:
        name = row["generator"]
        shared = SHARED if row["tied_with"] else " "
        rank = "" if row["rank"] is None else f"{row['rank']}{shared}"
        cells = [Text(rank), Text(f"{name} {FRONT}" if name in front[""] else name)]
        cells += [] if narrow else [Text(row["kind"])]
        for metric in shown.directions:
            beside = None if narrow else shown.scaled.get((name, metric))
            floor = name in reached[metric]
            text = Text(_score(row, metric, "\n" if narrow else " "), style=_AT_FLOOR_STYLE if floor else "")
            text.append("" if beside is None else f" ({rounded(beside)})")
            text.append(f" {AT_FLOOR}" if floor else "  " if reached[metric] else "")
            if row[metric] in shown.best(metric) and row["rank"] is not None:
                text.stylize("bold")
            cells.append(text)
        table.add_row(*cells, style="dim" if row["kind"] == "control" else None)
    if any(floor is not None for floor in shown.floors.values()):
        table.add_section()
        values = [Text(number(shown.floors.get(m)) + "  " * bool(reached[m])) for m in shown.directions]
        table.add_row(Text(""), Text("floor"), *([] if narrow else [Text("")]), *values, style="italic")
    return table


def _score(row: Mapping[str, Any], metric: str, gap: str) -> str:
    value, low, high = (row[metric + end] for end in ("", "_ci_low", "_ci_high"))
    if value is None:
        return "–"
    return number(value) if low is None else f"{number(value)}{gap}± {(high - low) / 2:.2g}"


def _notes(shown: Shown, *, scaled: bool) -> Iterator[str]:
    """What the signs mean, and what the numbers alone do not say."""
    note = "± half of the 95 % interval; floor: real held-out against real held-out sequences"
    yield note + ("; in brackets: 0 is the floor, 1 uniform random DNA" if scaled else "")
    if shown.flagged("at-floor"):
        yield f"{AT_FLOOR} at the floor: as good as real sequences, as far as this metric can tell"
    if any(row["tied_with"] for row in shown.board):
        yield f"{SHARED} ranks shared by generators that cannot be told apart"
    if shown.flagged("pareto"):
        yield f"{FRONT} no other is both as good and as quick to sample"
    for metric, controls in sorted(shown.flagged("blind").items()):
        yield f"{metric} is blind: it does not put held-out real sequences before {', '.join(sorted(controls))}"
    for row in shown.board:
        if not row["complete"]:
            yield f"{row['generator']} is incomplete and has no rank"
    for field in shown.flagged("field"):
        yield f"ranks are relative to these generators, metrics and data: field {field}"
