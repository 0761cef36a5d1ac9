"""The facts of a run: one row per generator, seed, slice and metric, as ``results.csv`` holds them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dnabench.data.slices import ALL
from dnabench.keys import canonical

if TYPE_CHECKING:
    from dnabench.cell import CellResult
    from dnabench.plan import Plan, PlannedMetric

COLUMNS = (
    "suite", "dataset", "dataset_sha256", "split", "slice", "generator", "generator_version", "options", "seed",
    "metric", "metric_version", "embedder", "embedder_sha256", "direction", "value", "ci_low", "ci_high", "floor",
    "n_generated", "n_reference", "status", "error",
)  # fmt: skip

Row = dict[str, Any]


def rows(plan: Plan, results: Iterable[CellResult]) -> list[Row]:
    """Rows of all score cells, sorted; a failed sample shows in the rows of all its metrics."""
    results = list(results)
    floors = {(r.cell.metric, r.cell.seed): r.record for r in results if r.cell.kind == "floor"}
    samples = {(r.cell.generator, r.cell.seed): r for r in results if r.cell.kind == "sample"}
    table: list[Row] = []
    for result in results:
        cell = result.cell
        if cell.kind != "score":
            continue
        sample = samples[cell.generator, cell.seed]
        generator = plan.generator(cell.generator)
        common = {
            "suite": plan.suite,
            "dataset": plan.dataset,
            "dataset_sha256": plan.dataset_sha256,
            "split": plan.split,
            "slice": cell.slice,
            "generator": generator.name,
            "generator_version": generator.version,
            "options": canonical(generator.options),
            "seed": cell.seed,
            "n_generated": result.record.get("n_generated", plan.n_generated if cell.slice == ALL else None),
            "n_reference": result.record.get("n_reference", plan.n_reference if cell.slice == ALL else None),
            "status": result.status if sample.status == "done" else sample.status,
            "error": result.error if sample.status == "done" else sample.error,
        }
        floor = floors.get((cell.metric, cell.seed), {}) if cell.slice == ALL else result.record.get("floor", {})
        table += score_rows(plan.metric(cell.metric), result.record, floor, common)
    return sorted(table, key=_order)


def score_rows(
    metric: PlannedMetric, record: Mapping[str, Any], floor: Mapping[str, Any], common: Mapping[str, Any]
) -> Iterator[Row]:
    """The row of a score and those of its parts, as ``metric.part``."""
    about = {
        "metric_version": metric.version,
        "embedder": metric.embedder or "",
        "embedder_sha256": record.get("embedder_sha256", ""),
        "direction": metric.direction,
    }
    named = {"": (record, floor)}
    floor_parts = floor.get("parts", {})
    named |= {f".{part}": (score, floor_parts.get(part, {})) for part, score in record.get("parts", {}).items()}
    for suffix, (score, real) in named.items():
        yield dict.fromkeys(COLUMNS, "") | dict(common) | about | {
            "metric": metric.label + suffix,
            "value": score.get("value"),
            "ci_low": score.get("ci_low"),
            "ci_high": score.get("ci_high"),
            "floor": real.get("value"),
        }  # fmt: skip


def to_csv(table: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> str:
    """CSV with LF line ends, floats as ``.9g``, missing values empty, truth as true and false."""
    columns = list(columns)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell_text(row.get(column)) for column in columns] for row in table)
    return buffer.getvalue()


def cell_text(value: object) -> str:
    """One value as CSV text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, ".9g") if isinstance(value, float) else str(value)


def _order(row: Row) -> tuple[Any, ...]:
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
