"""Boards found by a path: published results, or a run's directory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import manifest
from dnabench.data.slices import ALL
from dnabench.errors import UserError
from dnabench.leaderboard import directory as directories
from dnabench.leaderboard import names, reading, timings
from dnabench.leaderboard.board import Board
from dnabench.leaderboard.scores import whole_facts

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.plan import Plan


def open_boards(path: Path) -> list[Board]:
    """The boards of a directory of published results, of one table in it, or of a run's directory.

    UserError where there is none, or it is damaged.
    """
    if path.is_dir():
        if (path / manifest.NAME).is_file():
            return [of_run(path, manifest.read(path).plan)]
        return [_published(path, suite) for suite in directories.suites_in(path)]
    if path.suffix != ".csv" or not path.exists():
        raise UserError(f"{path}: no leaderboard; it takes DIR, DIR/SUITE.csv or the directory of a run")
    return [_published(path.parent, names.check_suite(path.stem, path.parent))]


def open_board(path: Path) -> Board:
    """The one board there. UserError where there are several."""
    boards = open_boards(path)
    if len(boards) > 1:
        tables = ", ".join(f"{path / board.suite}.csv" for board in boards)
        raise UserError(f"{path}: holds several leaderboards; name one of {tables}")
    return boards[0]


def of_run(directory: Path, plan: Plan) -> Board:
    """The board of the finished run by ``plan`` in ``directory``. UserError where its tables are missing or damaged."""
    results = directory / "results.csv"
    if not results.exists():
        raise UserError(f"{results}: is missing: the run has not ended; the same dnabench run --out continues it")
    rows = reading.parse(reading.read_text(results), results)
    _check_whole(rows, plan, results)
    reading.check_order(rows, results)
    return run_board(plan, rows, timings.read(directory))


def _check_whole(rows: Sequence[Row], plan: Plan, where: Path) -> None:
    """UserError unless the rows are those that a run by ``plan`` ends with: all of them, and no others."""
    again = "the same dnabench run --out writes it again"
    for line, row in enumerate(rows, 2):
        known: tuple[tuple[str, Any, Collection[Any]], ...] = (
            ("suite", row["suite"], (plan.suite,)),
            ("generator", row["generator"], plan.kinds),
            ("metric", row["metric"].partition(".")[0], plan.families),
            ("seed", row["seed"], plan.seeds),
        )
        for column, value, of_plan in known:
            if value not in of_plan:
                raise UserError(f"{where}: line {line}: {column} {row[column]} is none of the run's; {again}")
        if row["metric"] in plan.families and row["direction"] != plan.metric(row["metric"]).direction:
            raise UserError(f"{where}: line {line}: direction is {row['direction']!r}, which the run's is not; {again}")
    there = {(row["generator"], row["seed"], row["metric"]) for row in rows if row["slice"] == ALL}
    for fact in product(plan.kinds, plan.seeds, plan.families):
        if fact not in there:
            raise UserError(f"{where}: holds nothing of {fact[0]} seed {fact[1]}, {fact[2]}; {again}")


def run_board(plan: Plan, facts: Sequence[Row], timed: Iterable[Mapping[str, Any]]) -> Board:
    """The board of a run's ``facts``; ``timed``: the rows of ``timings.csv``."""
    return Board(
        suite=plan.suite,
        facts=facts,
        kinds=plan.kinds,
        families=plan.families,
        controls=plan.controls,
        flags=plan.flags,
        seconds=timings.sampling_seconds(timed, plan.n_generated),
    )


def _published(directory: Path, suite: str) -> Board:
    known = directories.load(directory, suite)
    if not whole_facts(known.facts):
        raise UserError(
            f"{directory / suite}: no facts of whole samples; it takes GENERATOR.csv with the columns of results.csv"
        )
    return known.board
