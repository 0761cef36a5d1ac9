"""Progress on stderr: live bars on a terminal, else a line for each finished cell."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from dnabench.execution import Watcher
from dnabench.orders import SKIPPED

if TYPE_CHECKING:
    from dnabench.orders import CellResult
    from dnabench.plan import Cell


class _Rate(ProgressColumn):
    """How many units of work a stage does in a second."""

    def render(self, task: Task) -> Text:
        """Blank until it is known."""
        return Text(f"{task.speed:.3g}/s" if task.speed else "")


class _Bars:
    """Bars on a terminal, gone when they are left. Use as a context manager."""

    def __init__(self, count: ProgressColumn) -> None:
        console = Console(stderr=True)
        self._live = console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            count,
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._live,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


class StageProgress(_Bars):
    """A bar for each stage on a terminal, else a line when a stage begins. Use as a context manager."""

    def __init__(self) -> None:
        super().__init__(TaskProgressColumn())
        self._tasks: dict[str, TaskID] = {}

    def stage(self, done: int, total: int, stage: str) -> None:
        """How far a stage is; a total of 0 is not known."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=None)
            if not self._live:
                click.echo(stage, err=True)
        self._bars.update(self._tasks[stage], completed=done, total=total or None)


class RunProgress(_Bars, Watcher):
    """Shows how far a run is: all cells, and each that runs. Use as a context manager."""

    def __init__(self, total: int, *, verbose: bool = False) -> None:
        """``verbose``: print the whole log of every cell."""
        super().__init__(TextColumn("{task.completed:.0f}/{task.total:.0f}"))
        self._start = time.monotonic()
        self._verbose = verbose
        self._done = 0
        self._small_slices = 0
        self._total = total
        self._cells = self._bars.add_task("cells", total=total)
        self._running: dict[Cell, TaskID] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._small_slices:
            self._line(f"{self._small_slices} scores of slices were skipped: too few sequences; their rows say how few")

    def started(self, cell: Cell) -> None:
        """A cell has begun."""
        self._running[cell] = self._bars.add_task(f"  {cell}", total=1)

    def stage(self, cell: Cell, done: int, total: int, stage: str) -> None:
        """A plugin's own progress within its cell."""
        if cell in self._running:
            task = self._running[cell]
            if done < self._bars.tasks[self._bars.task_ids.index(task)].completed:
                self._bars.reset(task)  # a new stage: what the one before took says nothing of the time left
            self._bars.update(task, completed=done, total=max(total, 1), description=f"  {cell}: {stage}")

    def finished(self, result: CellResult) -> None:
        """A cell is finished."""
        self._done += 1
        self._bars.update(self._cells, advance=1)
        if result.cell in self._running:
            self._bars.remove_task(self._running.pop(result.cell))
        slices = result.answer.get("slices", {})
        self._small_slices += sum(outcome["status"] == "skipped" for outcome in slices.values())
        if self._verbose and (result.log or result.stack):
            self._line(f"--- {result.cell}\n{result.log}{result.stack}")
        if result.status == SKIPPED and not result.key:
            return  # never begun, for want of another cell, whose own line says why
        if result.error:
            self._line(f"{result.cell}: {result.status}: {result.error}")
        elif not self._live and result.cell.kind in ("train", "sample"):
            how = "from the store" if result.cached else f"{result.seconds:.1f} s"
            elapsed = time.monotonic() - self._start
            self._line(f"[{elapsed:6.1f} s, {self._done}/{self._total}] {result.cell}: {how}")

    def _line(self, text: str) -> None:
        if self._live:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)
