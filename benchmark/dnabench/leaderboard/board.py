"""A ranked table with everything that it rests on, wherever it comes from: published results, or a run's directory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.data.slices import ALL
from dnabench.errors import UserError
from dnabench.leaderboard import directory as directories
from dnabench.leaderboard import facts, names, reading
from dnabench.leaderboard.families import known_families
from dnabench.leaderboard.ranking import Ranking, ranking, sampling_seconds
from dnabench.leaderboard.scale import mean_normalised
from dnabench.plan import Plan

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row

_MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Board:
    """One suite's results.

    Attributes:
        facts: sorted.
        kinds: generator -> ``model``, ``baseline`` or ``control``.
        rows: of the table, as of ``leaderboard.csv``.
        seconds: generator -> what sampling a sequence takes, for those of a run that sampled in it.
    """

    suite: str
    facts: Sequence[Row]
    kinds: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]
    seconds: Mapping[str, float]

    @cached_property
    def whole(self) -> list[Row]:
        """The facts that the table holds: of whole samples, without parts."""
        return [row for row in self.facts if row["slice"] == ALL and "." not in row["metric"]]

    @cached_property
    def directions(self) -> dict[str, str]:
        """Metric -> which way is better, in the order of the table's columns."""
        found = {row["metric"]: row["direction"] for row in self.whole}
        return {metric: found[metric] for metric in sorted(found)}

    @cached_property
    def ranking(self) -> Ranking:
        """How the ranks come about, and how sure they are."""
        return ranking(self.facts, self.kinds, known_families(self.directions), self.seconds)

    @cached_property
    def floors(self) -> dict[str, float | None]:
        """Metric -> what real sequences score."""
        return facts.mean_floors(self.whole)

    @cached_property
    def scaled(self) -> dict[tuple[str, str], float]:
        """(generator, metric) -> the score on the scale from the floor, 0, to uniform random DNA, 1."""
        return mean_normalised(self.facts)

    @cached_property
    def blind(self) -> dict[str, list[str]]:
        """Metric -> the controls that show it to be blind."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for flag in row["flags"].split(";"):
                if flag.startswith("blind:"):
                    found.setdefault(flag.removeprefix("blind:"), []).append(row["generator"])
        return found

    @cached_property
    def common_flags(self) -> list[str]:
        """What every line carries, such as ``other-data``."""
        lines = [row["flags"].split(";") for row in self.rows]
        return [flag for flag in lines[0] if flag and ":" not in flag and all(flag in line for line in lines)]

    @property
    def seeds(self) -> list[int]:
        """The seeds that anyone has a score of."""
        return sorted({row["seed"] for row in self.whole})

    @property
    def title(self) -> str:
        """What the table is about, in a line."""
        first = self.whole[0]
        n = len(self.seeds)
        return (
            f"{self.suite} · {first['dataset']} (sha256 {first['dataset_sha256'][:12]}...), {first['split']} · "
            f"{first['n_generated']} generated against {first['n_reference']} held out · {n} seed{'s' * (n > 1)}"
        )


def open_boards(path: Path) -> list[Board]:
    """The boards of a directory of published results, of one table in it, or of a run's directory.

    UserError where there is none, or it is damaged.
    """
    if path.is_dir():
        if (path / _MANIFEST).is_file():
            return [_of_run(path)]
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


def _published(directory: Path, suite: str) -> Board:
    known = directories.load(directory, suite)
    if not known.facts:
        raise UserError(f"{directory / suite}: holds no facts; it takes GENERATOR.csv with the columns of results.csv")
    return Board(suite, known.facts, known.kinds, known.rows(), {})


def _of_run(directory: Path) -> Board:
    manifest = directory / _MANIFEST
    try:
        plan = Plan.from_json(json.loads(reading.read_text(manifest))["plan"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{manifest}: not a manifest of this version of dnabench: {error}") from None
    results = directory / "results.csv"
    if not results.exists():
        raise UserError(f"{results}: is missing: the run has not ended; the same dnabench run --out continues it")
    rows = reading.parse(reading.read_text(results), results)
    kinds = {generator.name: generator.kind for generator in plan.generators}
    for row in rows:
        if row["generator"] not in kinds:
            raise UserError(f"{results}: {row['generator']} takes no part in the run of {manifest}")
    seconds = sampling_seconds(_timings(directory / "timings.csv"), plan.n_generated)
    return Board(plan.suite, rows, kinds, reading.read_table(directory / "leaderboard.csv"), seconds)


def _timings(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    rows = list(csv.DictReader(io.StringIO(reading.read_text(path), newline="")))
    try:
        for row in rows:
            float(row["seconds"])
            _ = row["cell"], row["generator"], row["status"], row["cached"]
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path}: not the timings of a run: a column is missing, or seconds are no number") from None
    return rows
