"""Progress of one piece of work on stderr: bars on a terminal, else a line for each stage."""

from __future__ import annotations

from types import TracebackType
from typing import Self

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


class _Rate(ProgressColumn):
    """How many units of work a stage does in a second."""

    def render(self, task: Task) -> Text:
        """Blank until it is known."""
        return Text(f"{task.speed:.3g}/s" if task.speed else "")


class StageProgress:
    """A bar for each stage on a terminal, else a line when a stage begins. Use as a context manager."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._live = console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._live,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def stage(self, done: int, total: int, stage: str) -> None:
        """How far a stage is; a total of 0 is not known."""
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=None)
            if not self._live:
                click.echo(stage, err=True)
        self._bars.update(self._tasks[stage], completed=done, total=total or None)
