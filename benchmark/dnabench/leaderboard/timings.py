"""What the cells of a run took, as ``timings.csv`` holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.errors import UserError
from dnabench.leaderboard import reading

if TYPE_CHECKING:
    from dnabench.orders import CellResult

NAME = "timings.csv"
COLUMNS = ("cell", "generator", "seed", "metric", "status", "cached", "seconds", "peak_memory_mb")


def rows(results: Iterable[CellResult]) -> list[dict[str, Any]]:
    """A row for each cell, with COLUMNS."""
    return [
        {
            "cell": r.cell.kind,
            "generator": r.cell.generator,
            "seed": r.cell.seed,
            "metric": r.cell.metric,
            "status": r.status,
            "cached": r.cached,
            "seconds": round(r.seconds, 3),
            "peak_memory_mb": round(r.peak_memory_mb, 1),
        }
        for r in results
    ]


def read(directory: Path) -> list[dict[str, Any]]:
    """The timings of the run in ``directory``; none where the file is gone. UserError where it is damaged."""
    path = directory / NAME
    if not path.exists():
        return []
    found = reading.parse_table(reading.read_text(path), path, COLUMNS, "timings.csv")
    for number, row in found:
        for name, kind in (("seed", int), ("seconds", float), ("peak_memory_mb", float)):
            row[name] = reading.number(row[name], kind, f"{path}: line {number}: {name}")
            if row[name] is None:
                raise UserError(f"{path}: line {number}: {name} is empty")
        row["cached"] = row["cached"] == "true"
    return [row for _, row in found]


def sampling_seconds(timings: Iterable[Mapping[str, Any]], n_generated: int) -> dict[str, float]:
    """Generator -> the mean over seeds of the seconds that a sequence took, from rows with COLUMNS.

    A generator whose samples were all made before stores kept how long that took is left out.
    """
    found: dict[str, list[float]] = {}
    for row in timings:
        if row["cell"] == "sample" and row["status"] == "done" and row["seconds"] > 0:
            found.setdefault(str(row["generator"]), []).append(row["seconds"] / n_generated)
    return {name: sum(seconds) / len(seconds) for name, seconds in found.items()}
