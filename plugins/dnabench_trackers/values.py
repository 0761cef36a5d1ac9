"""The numbers in a cell's result, by the names that trackers show them under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dnabench.orders import CellResult


def series(generator: str, seed: int) -> str:
    """What a cell's numbers belong to: a generator and a seed, or the floor of a seed; a relative path."""
    return f"{generator.replace('/', '_') or 'floor'}/seed{seed}"


def values(result: CellResult) -> dict[str, float]:
    """Name -> number; empty for a cell that has none to show.

    ``fred/all`` is a score as in the column ``value`` of results.csv, ``fred/species=hs`` that of a slice,
    ``motif-profile.tata/all`` that of a part; each may have ``.ci_low`` and ``.ci_high``, and a slice ``.floor``. For
    what was computed, not looked up, ``seconds/`` and ``memory_mb/`` with the kind of the cell and the metric. No name
    is another's folder, since MLflow may keep them as files.
    """
    cell = result.cell
    found: dict[str, float] = {}
    slices: Mapping[str, Mapping[str, Any]] = result.answer.get("slices") or {"all": result.answer}
    for name, outcome in slices.items():
        found.update(_of_record(cell.metric, name.replace("/", "_"), outcome.get("record", {})))
    if result.status == "done" and not result.cached:
        what = "/".join(filter(None, (cell.kind, cell.metric)))
        found |= {f"seconds/{what}": result.seconds, f"memory_mb/{what}": result.peak_memory_mb}
    return found


def _of_record(metric: str, part: str, record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers of a slice's score record, and of its parts; of one without a value nothing."""
    if record.get("value") is None:
        return
    yield f"{metric}/{part}", record["value"]
    for name in ("ci_low", "ci_high"):
        if record.get(name) is not None:
            yield f"{metric}/{part}.{name}", record[name]
    if (floor := record.get("floor", {}).get("value")) is not None:
        yield f"{metric}/{part}.floor", floor
    for name, inner in record.get("parts", {}).items():
        yield from _of_record(f"{metric}.{name}", part, inner)
