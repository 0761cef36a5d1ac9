"""The facts of a run: one row per generator, seed, slice and metric, as ``results.csv`` holds them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dnabench.data.slices import ALL
from dnabench.keys import canonical
from dnabench.leaderboard.cells import to_text
from dnabench.leaderboard.scale import normalised_rows

if TYPE_CHECKING:
    from dnabench.orders import CellResult
    from dnabench.plan import Cell, Plan, PlannedMetric

COLUMNS = (
    "suite", "dataset", "dataset_sha256", "split", "slice", "generator", "generator_version", "options", "seed",
    "metric", "metric_version", "embedder", "embedder_sha256", "direction", "value", "ci_low", "ci_high", "floor",
    "n_generated", "n_reference", "status", "error",
)  # fmt: skip

Row = dict[str, Any]


def rows(plan: Plan, results: Iterable[CellResult]) -> list[Row]:
    """Rows of all score cells, sorted; a failed model or sample shows in the rows of all its metrics.

    Numbers are rounded as ``results.csv`` has them, so that whatever follows from them follows from that file, too.
    Normalised rows are there where all controls took part.
    """
    ended = {result.cell: result for result in results}
    floors = {(cell.metric, cell.seed): r.answer.get("record", {}) for cell, r in ended.items() if cell.kind == "floor"}
    table: list[Row] = []
    for result in ended.values():
        cell = result.cell
        if cell.kind != "score":
            continue
        generator = plan.generator(cell.generator)
        cause = _cause(plan, ended, result)
        outcome = {"status": cause.status, "error": cause.error}
        for name in plan.slices_of(cell.generator):
            scored = result.answer.get("slices", {}).get(name, outcome)
            record, whole = scored.get("record", {}), name == ALL
            common = {
                "suite": plan.suite,
                "dataset": plan.dataset,
                "dataset_sha256": plan.dataset_sha256,
                "split": plan.split,
                "slice": name,
                "generator": generator.name,
                "generator_version": generator.version,
                "options": canonical(generator.options),
                "seed": cell.seed,
                "n_generated": record.get("n_generated", plan.n_generated if whole else None),
                "n_reference": record.get("n_reference", plan.n_reference if whole else None),
                "status": scored["status"],
                "error": scored.get("error", ""),
            }
            floor = floors.get((cell.metric, cell.seed), {}) if whole else record.get("floor", {})
            table += score_rows(plan.metric(cell.metric), record, floor, common)
    if plan.kinds.keys() >= set(plan.controls.names):
        table += normalised_rows(table, plan.controls.useless)
    return sorted(map(_rounded, table), key=order)


def _rounded(row: Row) -> Row:
    return {name: float(to_text(value)) if isinstance(value, float) else value for name, value in row.items()}


def _cause(plan: Plan, ended: Mapping[Cell, CellResult], result: CellResult) -> CellResult:
    """The result that this one hangs on: its own, or that of the first cell whose failure left it without input."""
    for needed in plan.needs(result.cell):
        if ended[needed].status != "done":
            return _cause(plan, ended, ended[needed])
    return result


def score_rows(
    metric: PlannedMetric, record: Mapping[str, Any], floor: Mapping[str, Any], common: Mapping[str, Any]
) -> Iterator[Row]:
    """The row of a score and those of its parts, as ``metric.part``."""
    about = {
        "metric_version": metric.version,
        "embedder": metric.embedder or "",
        "embedder_sha256": record.get("embedder_sha256", ""),
    }
    named = {"": (record, floor)}
    floor_parts = floor.get("parts", {})
    named |= {f".{part}": (score, floor_parts.get(part, {})) for part, score in record.get("parts", {}).items()}
    for suffix, (score, real) in named.items():
        direction = score.get("direction") or metric.direction
        yield dict.fromkeys(COLUMNS, "") | dict(common) | about | {
            "metric": metric.label + suffix,
            "direction": "" if direction == "none" else direction,
            "value": score.get("value"),
            "ci_low": score.get("ci_low"),
            "ci_high": score.get("ci_high"),
            "floor": real.get("value"),
        }  # fmt: skip


def to_csv(table: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> str:
    """CSV with LF line ends and cells as :func:`dnabench.leaderboard.cells.to_text` writes them."""
    columns = list(columns)
    line = io.StringIO(newline="")
    writer = csv.writer(line, lineterminator="\r\n")  # what a line may end with is what it quotes: CR, too
    lines = []
    for cells in (columns, *([to_text(row.get(column)) for column in columns] for row in table)):
        line.seek(0)
        line.truncate()
        writer.writerow(cells)
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)


def order(row: Row) -> tuple[Any, ...]:
    """What facts are sorted by."""
    return (row["generator"], row["options"], row["seed"], row["slice"], row["metric"])


def mean_floors(table: Iterable[Row]) -> dict[str, float | None]:
    """Metric -> its floor on all sequences, the mean over seeds; None where there is none."""
    floors: dict[str, dict[int, float]] = {}
    for row in table:
        if row["slice"] != ALL:
            continue
        known = floors.setdefault(row["metric"], {})
        if row["floor"] is not None:
            known[row["seed"]] = row["floor"]
    return {metric: sum(known.values()) / len(known) if known else None for metric, known in floors.items()}
