"""What a run left behind, read once for all sections."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dnabench import events
from dnabench.data.slices import ALL
from dnabench.errors import UserError
from dnabench.leaderboard.families import known_families
from dnabench.leaderboard.ranking import Ranking, ranking, sampling_seconds
from dnabench.plan import Plan
from dnabench.report.material import Material

if TYPE_CHECKING:
    from dnabench.plugins import Catalog
    from dnabench.store import Store

#: The columns of numbers in ``results.csv``, ``leaderboard.csv`` and ``timings.csv``; in the second also the metrics'.
_NUMBERS = ("seed", "value", "ci_low", "ci_high", "floor", "n_generated", "n_reference", "rank", "mean_rank", "seeds",
            "seconds", "peak_memory_mb")  # fmt: skip


@dataclass(kw_only=True)
class Run:
    """A finished run.

    Attributes:
        provenance: of the last attempt.
        results, board, timings: the tables of the run directory; missing numbers are NaN, missing texts empty.
        ended: cell id -> the last event of its end.
        left_out: what the report does not show and why, a sentence each; sections add to it.
    """

    directory: Path
    plan: Plan
    provenance: dict[str, Any]
    results: pd.DataFrame
    board: pd.DataFrame
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
    def generators(self) -> list[str]:
        """The names of the run's generators in the order of the table, those that it lacks last."""
        names = list(self.board["generator"])
        return names + [generator.name for generator in self.plan.generators if generator.name not in names]

    @cached_property
    def whole(self) -> pd.DataFrame:
        """The rows of metrics, not of their parts, on all sequences."""
        table = self.results
        return table[(table["slice"] == ALL) & table["metric"].isin(self.metrics)]

    @cached_property
    def floors(self) -> dict[str, float | None]:
        """Metric -> its floor on all sequences, the mean over seeds; None where there is none."""
        means = self.whole.drop_duplicates(["metric", "seed"]).groupby("metric")["floor"].mean()
        return {name: float(means[name]) if name in means and pd.notna(means[name]) else None for name in self.metrics}

    @cached_property
    def seconds(self) -> dict[str, float]:
        """Generator -> the seconds that a sequence of its samples took, where that is known."""
        return sampling_seconds(self.timings.to_dict("records"), self.plan.n_generated)

    @cached_property
    def ranking(self) -> Ranking:
        """What the ranks rest on, and how sure they are."""
        kinds = {generator.name: generator.kind for generator in self.plan.generators}
        facts = map(_fact, self.whole.to_dict("records"))
        return ranking(facts, kinds, known_families(self.metrics), self.seconds)

    def kind(self, generator: str) -> str:
        """``model``, ``baseline`` or ``control``."""
        return self.plan.generator(generator).kind

    def named(self, plugin: str) -> str | None:
        """The generator that is the plugin of that name, such as ``random``, if the run has one."""
        return next((g.name for g in self.plan.generators if g.plugin == plugin), None)

    def score(self, generator: str | None, metric: str) -> float | None:
        """A generator's value in the table; None where it has none."""
        if metric not in self.board:
            return None
        found = self.board.loc[self.board["generator"] == generator, metric].dropna()
        return float(found.iloc[0]) if len(found) else None


def collect(directory: Path, store: Store, catalog: Catalog | None, *, tss: int | None = None) -> Run:
    """Read the run in ``directory``. UserError when it holds none, or one that is not finished."""
    about = _manifest(directory / "manifest.json")
    try:
        plan = Plan.from_json(about["plan"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{directory}: its manifest is not of this version of dnabench: {error}") from None
    if tss is not None and not 0 <= tss < plan.length:
        raise UserError(f"--tss {tss}: not a position in sequences of {plan.length} bp; they count from 0")
    ended = {
        str(event.get("cell")): event
        for event in events.read(directory / "events.jsonl")
        if event.get("event") == "cell-finished"
    }
    return Run(
        directory=directory,
        plan=plan,
        provenance=about["provenance"],
        results=_table(directory / "results.csv", ()),
        board=_table(
            directory / "leaderboard.csv",
            [metric.label + end for metric in plan.metrics for end in ("", "_ci_low", "_ci_high")],
        ),
        timings=_table(directory / "timings.csv", ()),
        ended=ended,
        material=Material(directory, plan, store, ended, tss),
        catalog=catalog,
    )


def _fact(row: dict[str, Any]) -> dict[str, Any]:
    """A row with whole numbers as such, and None for what is missing."""
    whole = ("generator_version", "seed", "metric_version", "n_generated", "n_reference")
    found = {name: None if pd.isna(value) else value for name, value in row.items()}
    return found | {name: int(value) for name in whole if (value := found[name]) is not None}


def _manifest(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UserError(f"{path.parent}: not the directory of a run: it has no {path.name}") from None
    except ValueError:
        raise UserError(f"{path}: not a manifest of dnabench") from None
    if not isinstance(about, dict) or not {"plan", "provenance"} <= about.keys():
        raise UserError(f"{path}: not a manifest of dnabench")
    return about


def _table(path: Path, numbers: list[str] | tuple[str, ...]) -> pd.DataFrame:
    """A table as text, since a generator may be called ``nan``, but for its columns of numbers."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(
            f"{path.parent}: its run is not finished: there is no {path.name}; the same command continues it"
        ) from None
    except ValueError as error:
        raise UserError(f"{path}: not a table of dnabench: {error}") from None
    for column in table.columns.intersection([*_NUMBERS, *numbers]):
        table[column] = pd.to_numeric(table[column], errors="coerce")
    return table
