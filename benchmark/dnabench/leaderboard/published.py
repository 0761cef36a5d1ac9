"""Published results: facts in ``<suite>/<generator>.csv``, and ``<suite>.csv``, the table derived from them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dnabench.data.slices import ALL
from dnabench.errors import UserError
from dnabench.files import atomic_write
from dnabench.leaderboard import facts, table

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.suites import Controls

PROTOCOL = (
    "dataset_sha256", "split", "n_generated", "n_reference", "metric_version", "embedder", "embedder_sha256",
)  # fmt: skip
_WHOLE_NUMBERS = ("generator_version", "seed", "metric_version", "n_generated", "n_reference")
_NUMBERS = ("value", "ci_low", "ci_high", "floor")


def publish_facts(
    directory: Path,
    suite: str,
    rows: Sequence[Row],
    kinds: Mapping[str, str],
    controls: Controls | None,
    flags: Sequence[str] = (),
) -> Path:
    """Put a run's facts beside those that lie in ``directory`` already, and derive the table anew; returns its path.

    The facts of a generator that is there already are replaced by the run's. UserError, before anything is written,
    when facts that stay were measured by another protocol than the run's: such scores are never ranked together; and
    when a failure would replace facts.
    """
    names = list(dict.fromkeys(row["generator"] for row in rows))
    texts = {name: facts.to_csv((row for row in rows if row["generator"] == name), facts.COLUMNS) for name in names}
    known = dict(kinds)
    kept: list[Row] = []
    if (path := directory / f"{suite}.csv").exists():
        with path.open(encoding="utf-8", newline="") as file:
            for line in csv.DictReader(file):
                if line["generator"] not in names:
                    known[line["generator"]] = line["kind"]
                    kept += parse(_file(directory, suite, line["generator"]).read_text(encoding="utf-8"))
    _check_protocol(kept, rows, path)
    for row in rows:
        if row["status"] not in ("done", "skipped") and (there := _file(directory, suite, row["generator"])).exists():
            raise UserError(f"{there}: {row['generator']} failed in this run, and its earlier facts stay; run it again")
    written = [row for text in texts.values() for row in parse(text)]  # rounded, as everyone will read them
    together = sorted([*kept, *written], key=facts.order)
    metrics = sorted({row["metric"] for row in together if row["slice"] == ALL and "." not in row["metric"]})
    for name, text in texts.items():
        atomic_write(_file(directory, suite, name), text)
    board = table.build(together, known, controls, flags)
    atomic_write(path, facts.to_csv(board, table.columns(metrics)))
    return path


def parse(text: str) -> list[Row]:
    """The facts of a file's text, as ``facts.rows`` returns them but rounded."""
    found: list[Row] = list(csv.DictReader(io.StringIO(text)))
    for row in found:
        row |= {name: int(row[name]) if row[name] else None for name in _WHOLE_NUMBERS}
        row |= {name: float(row[name]) if row[name] else None for name in _NUMBERS}
    return found


def _file(directory: Path, suite: str, generator: str) -> Path:
    return directory / suite / f"{generator}.csv"


def _check_protocol(kept: Iterable[Row], rows: Iterable[Row], path: Path) -> None:
    ours = {row["metric"]: row for row in rows if row["slice"] == ALL and row["status"] == "done"}
    for row in kept:
        mine = ours.get(row["metric"])
        if row["slice"] != ALL or mine is None or row["status"] != "done":
            continue
        for column in PROTOCOL:
            if row[column] != mine[column]:
                raise UserError(
                    f"{path}: {row['generator']} has {column} {row[column]!r} for {row['metric']}, this run "
                    f"{mine[column]!r}; scores of different protocols are not ranked together: use another directory"
                )
