"""One run, from its plan to its directory: manifest, cells, samples, models, tables."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import provenance
from dnabench.engines import local
from dnabench.errors import UserError
from dnabench.files import atomic_write
from dnabench.leaderboard import facts, table

if TYPE_CHECKING:
    from dnabench.cell import CellResult, CellRunner
    from dnabench.plan import Plan
    from dnabench.plugins import Catalog
    from dnabench.suites import Controls

TIMING_COLUMNS = ("cell", "generator", "seed", "slice", "metric", "status", "cached", "seconds", "peak_memory_mb")


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    results: list[CellResult]
    rows: list[facts.Row]
    leaderboard: list[dict[str, Any]]
    leaderboard_columns: list[str]

    @property
    def failed(self) -> list[CellResult]:
        """The cells that failed."""
        return [result for result in self.results if result.status == "failed"]


def default_directory(suite: str) -> Path:
    """``runs/<UTC time>-<suite>``, with a number where a run has just taken that."""
    path = Path("runs") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{suite}"
    others = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(candidate for candidate in chain([path], others) if not candidate.exists())


def open_directory(directory: Path, plan: Plan) -> None:
    """Make the run directory and write its manifest.

    The directory of an earlier run of the same plan is continued. UserError when it holds anything else, or cannot be
    written.
    """
    manifest = directory / "manifest.json"
    if manifest.is_file():
        try:
            written = json.loads(manifest.read_text(encoding="utf-8"))["plan"]
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{manifest}: not a manifest of dnabench; choose another --out") from None
        if written != json.loads(json.dumps(plan.to_json())):
            raise UserError(f"{directory}: holds a run of another plan; choose another --out")
    elif directory.is_dir() and any(directory.iterdir()):
        raise UserError(f"{directory}: is not empty and not a run of dnabench; choose another --out")
    elif directory.exists() and not directory.is_dir():
        raise UserError(f"{directory}: is a file; --out takes a directory")
    about = {"plan": plan.to_json(), "provenance": provenance.collect()}
    atomic_write(manifest, json.dumps(about, indent=1, sort_keys=True) + "\n")


def execute(
    plan: Plan,
    runner: CellRunner,
    catalog: Catalog,
    directory: Path,
    *,
    controls: Controls | None,
    finished: Callable[[CellResult], None],
) -> Outcome:
    """Run all cells and write what they came to; an interruption leaves the finished cells in the store."""
    results = []
    for result in local.execute(plan.cells(), runner.run):
        if result.sample is not None:
            _publish(result, directory)
        _observe(catalog, result)
        finished(result)
        results.append(result)
    outcome = assemble(plan, results, controls)
    atomic_write(directory / "results.csv", facts.to_csv(outcome.rows, facts.COLUMNS))
    atomic_write(directory / "leaderboard.csv", facts.to_csv(outcome.leaderboard, outcome.leaderboard_columns))
    atomic_write(directory / "timings.csv", facts.to_csv(_timings(results), TIMING_COLUMNS))
    return outcome


def assemble(plan: Plan, results: list[CellResult], controls: Controls | None) -> Outcome:
    """The tables of a finished run."""
    rows = facts.rows(plan, results)
    kinds = {generator.name: generator.kind for generator in plan.generators}
    board = table.build(rows, kinds, controls, plan.flags)
    return Outcome(results, rows, board, table.columns(metric.label for metric in plan.metrics))


def _publish(result: CellResult, directory: Path) -> None:
    """Copy a sample and its model from the store into the run directory."""
    assert result.sample is not None
    cell = result.cell
    atomic_write(
        directory / "samples" / cell.generator / f"seed{cell.seed}.fa.gz",
        (result.sample / "sample.fa.gz").read_bytes(),
    )
    model = directory / "models" / cell.generator / f"seed{cell.seed}"
    model.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=model.parent, prefix=".") as temporary:
        copy = shutil.copytree(result.sample / "model", Path(temporary) / "model")
        if model.exists():
            shutil.rmtree(model)
        copy.replace(model)


def _observe(catalog: Catalog, result: CellResult) -> None:
    for implementation in catalog.manager.hook.dnabench_cell_finished.get_hookimpls():
        arguments = {"cell": result.cell, "result": result}
        try:
            implementation.function(*(arguments[name] for name in implementation.argnames))
        except Exception as error:  # noqa: BLE001 - an observer changes nothing
            warnings.warn(f"observer {implementation.plugin_name}: {type(error).__name__}: {error}", stacklevel=2)


def _timings(results: Iterable[CellResult]) -> list[dict[str, Any]]:
    return [
        {
            "cell": r.cell.kind,
            "generator": r.cell.generator,
            "seed": r.cell.seed,
            "slice": r.cell.slice,
            "metric": r.cell.metric,
            "status": r.status,
            "cached": r.cached,
            "seconds": round(r.seconds, 3),
            "peak_memory_mb": round(r.peak_memory_mb, 1),
        }
        for r in results
    ]
