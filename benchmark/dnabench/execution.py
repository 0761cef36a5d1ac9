"""The execution of a plan: cells looked up or handed to an engine, each result kept before the next is asked for."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dnabench
from dnabench import keys, runs
from dnabench.engines import Ended, Needs, Progressed, Started
from dnabench.events import Events
from dnabench.orders import DONE, FAILURES, INTERRUPTED, SKIPPED, CellResult, Order, Site
from dnabench.schedule import Schedule

if TYPE_CHECKING:
    from dnabench.engines import Engine
    from dnabench.identity import Identity
    from dnabench.plan import Cell, Plan
    from dnabench.plugins import Catalog
    from dnabench.store import Store

_LOG_LINES = 3
_LOG_LINE = 200


class Watcher:
    """Who is told how a run goes, besides its files; this one does nothing about it."""

    def started(self, cell: Cell) -> None:
        """A cell has begun."""

    def stage(self, cell: Cell, done: int, total: int, stage: str) -> None:
        """How far a cell is."""

    def finished(self, result: CellResult) -> None:
        """A cell is finished."""


@dataclass(kw_only=True)
class Execution:
    """One attempt at a run.

    Attributes:
        kept: failures of an earlier attempt that are not tried again.
        max_failures: the attempt is given up after so many failures; None for never.
    """

    plan: Plan
    identity: Identity
    site: Site
    store: Store
    engine: Engine
    catalog: Catalog
    directory: Path
    watcher: Watcher
    kept: Mapping[Cell, CellResult]
    max_failures: int | None = None

    def run(self) -> list[CellResult]:
        """Execute all cells; the result of each, in the plan's order. An interruption leaves what is finished."""
        self._schedule = Schedule(self.plan)
        self._results: dict[Cell, CellResult] = {}
        self._keys: dict[Cell, str] = {}
        self._running: dict[str, Cell] = {}
        self._failures = 0  # of this attempt
        self._cells = {cell.id: cell for cell in self.plan.cells()}
        with Events(self.directory / runs.EVENTS) as self._events:
            self._events.write(
                "run-started", cells=len(self._cells), dnabench=dnabench.__version__, engine=type(self.engine).__name__
            )
            try:
                self._advance()
                self._follow()
            except BaseException:
                self.engine.cancel()
                self._events.write("run-interrupted", cells=sorted(self._running))
                raise
            counts = Counter(result.status for result in self._results.values())
            self._events.write("run-finished", cells=dict(sorted(counts.items())))
        return [self._results[cell] for cell in self._cells.values()]

    def _follow(self) -> None:
        for event in self.engine.events():
            cell = self._cells[event.name]
            if isinstance(event, Started):
                self._running[cell.id] = cell
                self._events.write("cell-started", cell=cell.id)
                self.watcher.started(cell)
            elif isinstance(event, Progressed):
                self.watcher.stage(cell, event.done, event.total, event.stage)
            else:
                self._ended(cell, event)
                if self._gives_up():
                    return
                self._advance()

    def _ended(self, cell: Cell, event: Ended) -> None:
        result = CellResult.from_answer(cell, self._keys[cell], event.answer)
        self._failures += result.failed
        # Of several processes the lines come in any order: rows are to be the same every time.
        self._finish(with_log(result) if needs_of(self.plan, cell).processes == 1 else result)

    def _gives_up(self) -> bool:
        """Whether enough has failed; then nothing runs any more, and what is left is skipped."""
        failures = self._failures
        if self.max_failures is None or failures < self.max_failures:
            return False
        running = dict(self._running)
        self.engine.cancel()
        why = f"given up after {failures} failures (--max-failures {self.max_failures})"
        for cell in self._schedule.abandon():
            self._finish(CellResult(cell=cell, status=INTERRUPTED if cell.id in running else SKIPPED, error=why))
        return True

    def _advance(self) -> None:
        """Hand out whatever can begin; what the store has is finished at once, so that more can begin."""
        while ready := self._schedule.take():
            for cell in ready:
                self._begin(cell)

    def _begin(self, cell: Cell) -> None:
        inputs = [self._results[needed] for needed in self.plan.needs(cell)]
        sample = next((str(result.answer["sha256"]) for result in inputs if "sha256" in result.answer), "")
        parts = self.identity.parts(cell, sample)
        key = self._keys[cell] = keys.key(cell.kind, parts)
        answer = self.store.cell(cell.kind, key)
        earlier = self.kept.get(cell)
        if answer is not None:
            known = {"status": DONE, "answer": answer, "cached": True}
            self._finish(CellResult.from_answer(cell, key, known))
        elif earlier is not None and earlier.key == key:
            self._finish(earlier)
        else:
            order = Order(
                site=self.site,
                plan=self.plan,
                cell=cell,
                key=key,
                key_parts=parts,
                input=inputs[0].key if inputs else "",
            )
            self._events.write("cell-submitted", cell=cell.id, key=key)
            self.engine.submit(cell.id, order.to_json(), needs_of(self.plan, cell))

    def _finish(self, result: CellResult) -> None:
        """Keep a result, tell everybody, and skip what cannot be done without it."""
        cell = result.cell
        result = dataclasses.replace(result, directory=str(self.directory))
        self._results[cell] = dataclasses.replace(result, log="", stack="")
        self._running.pop(cell.id, None)
        runs.publish(result, self.store, self.directory)
        self._events.write(
            "cell-finished",
            cell=cell.id,
            key=result.key,
            status=result.status,
            error=result.error,
            cached=result.cached,
            seconds=round(result.seconds, 3),
            peak_memory_mb=round(result.peak_memory_mb, 1),
            worker=result.worker,
            **({"answer": result.answer} if result.failed else {}),
        )
        for text in result.warnings:
            warnings.warn(text, stacklevel=2)
        _observe(self.catalog, result)
        self.watcher.finished(result)
        for other, needed in self._schedule.end(cell, result.status):
            why = f"needs {needed}, which is {result.status}"
            self._finish(CellResult(cell=other, status=SKIPPED, error=why))


def needs_of(plan: Plan, cell: Cell) -> Needs:
    """What a cell takes up while it runs."""
    if cell.metric:
        return Needs(gpus=int(plan.metric(cell.metric).device == "cuda"))
    planned = plan.generator(cell.generator)
    processes = planned.devices if cell.kind == "train" else 1
    return Needs(processes=processes, gpus=processes if planned.device == "cuda" else 0)


def with_log(result: CellResult) -> CellResult:
    """A failure, with the last lines that the cell printed in every error."""
    lines = [line.strip()[:_LOG_LINE] for line in result.log.splitlines() if line.strip()]
    if not result.failed or not lines:
        return result
    said = f"; last lines of its log: {' / '.join(lines[-_LOG_LINES:])}"
    slices = {
        name: outcome | {"error": outcome["error"] + said} if outcome["status"] in FAILURES else outcome
        for name, outcome in result.answer.get("slices", {}).items()
    }
    answer = {**result.answer, "slices": slices} if slices else result.answer
    return dataclasses.replace(result, error=result.error + said, answer=answer)


def _observe(catalog: Catalog, result: CellResult) -> None:
    for implementation in catalog.manager.hook.dnabench_cell_finished.get_hookimpls():
        arguments = {"cell": result.cell, "result": result}
        try:
            implementation.function(*(arguments[name] for name in implementation.argnames))
        except Exception as error:  # noqa: BLE001 - an observer changes nothing
            warnings.warn(f"observer {implementation.plugin_name}: {type(error).__name__}: {error}", stacklevel=2)
