"""A run's directory: the manifest that is written first, and what the cells came to."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import events
from dnabench.data.slices import ALL
from dnabench.errors import UserError
from dnabench.files import atomic_write
from dnabench.leaderboard import facts, table, timings
from dnabench.leaderboard.opening import run_board
from dnabench.manifest import NAME as MANIFEST
from dnabench.orders import FAILURES, CellResult

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board
    from dnabench.plan import Cell, Plan
    from dnabench.store import Store

SCHEMA = 1
EVENTS = "events.jsonl"
DETAILS = "details"


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    results: list[CellResult]
    board: Board

    @property
    def failed(self) -> list[CellResult]:
        """The cells that failed."""
        return [result for result in self.results if result.failed]


def default_directory(suite: str) -> Path:
    """``runs/<UTC time>-<suite>``, with a number where a run has just taken that."""
    path = Path("runs") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{suite}"
    others = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(candidate for candidate in chain([path], others) if not candidate.exists())


def open_directory(directory: Path, plan: Plan, provenance: Mapping[str, Any]) -> None:
    """Make the run directory and write its manifest.

    The directory of an earlier run of the same plan is continued; what its attempts were made with, where it was
    anything else, stays in the manifest as ``earlier``. UserError when it holds anything else, or cannot be
    written.
    """
    manifest = directory / MANIFEST
    earlier: list[Any] = []
    if manifest.is_file():
        try:
            known = json.loads(manifest.read_text(encoding="utf-8"))
            written, earlier = known["plan"], [*known["earlier"], known["provenance"]]
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{manifest}: not a manifest of dnabench; choose another --out") from None
        if written != json.loads(json.dumps(plan.to_json())):
            raise UserError(f"{directory}: holds a run of another plan; choose another --out")
    elif directory.is_dir() and any(directory.iterdir()):
        raise UserError(f"{directory}: is not empty and not a run of dnabench; choose another --out")
    elif directory.exists() and not directory.is_dir():
        raise UserError(f"{directory}: is a file; --out takes a directory")
    about = {
        "schema": SCHEMA,
        "plan": plan.to_json(),
        "cells": plan.cells_to_json(),
        "provenance": dict(provenance),
        "earlier": [attempt for attempt in earlier if attempt != provenance],
    }
    atomic_write(manifest, json.dumps(about, indent=1, sort_keys=True) + "\n")


def earlier_failures(directory: Path, plan: Plan) -> dict[Cell, CellResult]:
    """The cells that failed in the last attempt that reached them, and how."""
    cells = {cell.id: cell for cell in plan.cells()}
    last = {
        event.get("cell"): event for event in events.read(directory / EVENTS) if event.get("event") == "cell-finished"
    }
    return {
        cells[name]: CellResult.from_answer(cells[name], event["key"], event)
        for name, event in last.items()
        if name in cells and event.get("status") in FAILURES
    }


def publish(result: CellResult, store: Store, directory: Path) -> None:
    """Copy a finished sample or model, or a score's details, from the store into the run directory; keep a cell's log.

    UserError when they cannot be written.
    """
    cell = result.cell
    try:
        if result.log or result.stack:
            atomic_write(directory / "logs" / f"{cell.id}.txt", result.log + result.stack)
        if result.status != "done":
            return
        if cell.kind == "sample":
            sample = (store.files("sample", result.key) / "sample.fa.gz").read_bytes()
            atomic_write(directory / "samples" / cell.generator / f"seed{cell.seed}.fa.gz", sample)
        elif cell.kind == "train":
            _copy(store.files("train", result.key), directory / "models" / cell.generator / f"seed{cell.seed}")
        elif cell.kind == "score":
            _publish_details(result, store, directory / DETAILS / cell.generator / f"seed{cell.seed}")
    except OSError as error:
        # shutil collects what went wrong, file by file.
        why = error.strerror or next((reason for *_, reason in error.args[0]), "")
        raise UserError(f"{directory}: {cell} cannot be copied here: {why}") from None


def _publish_details(result: CellResult, store: Store, directory: Path) -> None:
    """Copy the table of a score's details; one that has been pruned from the store, and only plots lack it, is not."""
    key = result.answer["slices"][ALL]["record"].get("details")
    if key and store.details(key).is_file():
        atomic_write(directory / f"{result.cell.metric}.csv", store.details(key).read_bytes())


def _copy(source: Path, target: Path) -> None:
    """Copy a directory, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as temporary:
        copy = shutil.copytree(source, Path(temporary) / "copy")
        if target.exists():
            shutil.rmtree(target)
        copy.replace(target)


def write_tables(directory: Path, plan: Plan, results: Sequence[CellResult]) -> Outcome:
    """The tables of a finished run, written and returned."""
    timed = timings.rows(results)
    board = run_board(plan, facts.rows(plan, results), timed)
    atomic_write(directory / "results.csv", facts.to_csv(board.facts, facts.COLUMNS))
    atomic_write(directory / "leaderboard.csv", facts.to_csv(board.rows, table.columns(board.directions)))
    atomic_write(directory / timings.NAME, facts.to_csv(timed, timings.COLUMNS))
    return Outcome(list(results), board)
