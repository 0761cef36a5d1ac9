"""What a run left behind, read once for all sections."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dnabench import events, manifest
from dnabench.data.slices import ALL
from dnabench.errors import UserError
from dnabench.leaderboard import facts, opening, timings
from dnabench.report.material import Material

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dnabench.leaderboard.board import Board
    from dnabench.plan import Plan
    from dnabench.plugins import Catalog
    from dnabench.store import Store


@dataclass(kw_only=True)
class Run:
    """A finished run.

    Attributes:
        provenance: of the last attempt.
        board: its results, with all that follows from them.
        timings: those of ``timings.csv``.
        ended: cell id -> the last event of its end.
        left_out: what the report does not show and why, a sentence each; sections add to it.
    """

    directory: Path
    plan: Plan
    provenance: dict[str, Any]
    board: Board
    timings: pd.DataFrame
    ended: dict[str, dict[str, Any]]
    material: Material
    catalog: Catalog | None
    left_out: list[str] = field(default_factory=list)

    @cached_property
    def metrics(self) -> list[str]:
        """The labels of the run's metrics, in their order."""
        return [metric.label for metric in self.plan.metrics]

    @cached_property
    def rows(self) -> dict[str, Mapping[str, Any]]:
        """Generator -> its row of the table."""
        return {row["generator"]: row for row in self.board.rows}

    @cached_property
    def ranked(self) -> list[Mapping[str, Any]]:
        """The rows of those with a rank, best first."""
        return [row for row in self.board.rows if row["rank"] is not None]

    @cached_property
    def generators(self) -> list[str]:
        """The names of the run's generators in the order of the table, those that it lacks last."""
        return [*self.rows, *(name for name in self.plan.kinds if name not in self.rows)]

    @cached_property
    def results(self) -> pd.DataFrame:
        """The rows of ``results.csv``; missing numbers are NaN."""
        table = pd.DataFrame(self.board.facts, columns=list(facts.COLUMNS))
        numbers = ["value", "ci_low", "ci_high", "floor"]
        table[numbers] = table[numbers].astype(float)
        return table

    @cached_property
    def whole(self) -> pd.DataFrame:
        """Those of metrics, not of their parts, on all sequences."""
        table = self.results
        return table[(table["slice"] == ALL) & table["metric"].isin(self.metrics)]

    def kind(self, generator: str) -> str:
        """``model``, ``baseline`` or ``control``."""
        return self.plan.kinds[generator]

    def score(self, generator: str, metric: str) -> float | None:
        """A generator's value in the table; None where it has none."""
        row = self.rows.get(generator)
        return None if row is None else row.get(metric)

    def useless(self, metric: str) -> float | None:
        """The score of uniform random DNA, or of whatever control the suite has in its place."""
        return self.score(self.plan.controls.useless, metric)


def collect(
    directory: Path, store: Store, catalog: Catalog | None, *, board: Board | None = None, tss: int | None = None
) -> Run:
    """Read the run in ``directory``, all but its ``board`` where that is known. UserError when it is not finished."""
    about = manifest.read(directory)
    plan = about.plan
    if tss is not None and not 0 <= tss < plan.length:
        raise UserError(f"--tss {tss}: not a position in sequences of {plan.length} bp; they count from 0")
    ended = {
        event["cell"]: event
        for event in events.read(directory / "events.jsonl")
        if event.get("event") == "cell-finished" and isinstance(event.get("cell"), str)
    }
    return Run(
        directory=directory,
        plan=plan,
        provenance=about.provenance,
        board=board or opening.of_run(directory, plan),
        timings=pd.DataFrame(timings.read(directory), columns=list(timings.COLUMNS)),
        ended=ended,
        material=Material(directory, plan, store, ended, tss),
        catalog=catalog,
    )
