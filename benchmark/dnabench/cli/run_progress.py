"""How far a run is, on stderr: on a terminal a table by generator and seed with the time left, else a line a cell."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dnabench.execution import Watcher
from dnabench.orders import FAILURES, SKIPPED

if TYPE_CHECKING:
    from rich.console import RenderableType

    from dnabench.orders import CellResult
    from dnabench.plan import Cell, Plan

FLOOR = "real against real"
# What each kind of cell is called while it runs.
_DOING = {"train": "training", "sample": "sampling"}
_DONE = {"train": "trained", "sample": "sampled"}
_SEED_WIDTH = 16  # columns of a terminal that the state of one seed takes up


@dataclass
class _Running:
    begun: float
    share: float = 0.0  # of its work that is done, as far as it says


@dataclass
class TimeLeft:
    """An estimate from what cells of the same kind, of the same generator or metric, have taken.

    Attributes:
        taken: seconds of finished cells, by kind and by generator or metric.
        at_once: the most cells that ran at the same time.
    """

    taken: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    at_once: int = 1

    def finished(self, cell: Cell, seconds: float) -> None:
        """One more that was computed."""
        self.taken[_sort(cell)].append(seconds)

    def estimate(self, waiting: Iterable[Cell], running: dict[Cell, _Running], now: float) -> tuple[float, bool]:
        """Seconds, and whether nothing is known of some cells, so that it will be more."""
        self.at_once = max(self.at_once, len(running))
        each = {sort: sum(seconds) / len(seconds) for sort, seconds in self.taken.items()}
        left, unknown = 0.0, False
        for cell, state in running.items():
            elapsed = now - state.begun
            total = elapsed / state.share if state.share > 0 else each.get(_sort(cell))
            unknown |= total is None
            left += max((total or 0.0) - elapsed, 0.0)
            if total is not None:
                each.setdefault(_sort(cell), total)
        for cell in waiting:
            unknown |= _sort(cell) not in each
            left += each.get(_sort(cell), 0.0)
        return left / self.at_once, unknown


def _sort(cell: Cell) -> tuple[str, str]:
    return cell.kind, cell.metric or cell.generator


class RunProgress(Watcher):
    """Shows how far a run is. Use as a context manager.

    Args:
        verbose: print the whole log of every cell.
        clock: seconds that only ever grow.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        verbose: bool = False,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._verbose = verbose
        self._console = console or Console(stderr=True)
        self._clock = clock
        self._start = clock()
        self._left = dict.fromkeys(plan.cells())
        self._total = len(self._left)
        self._running: dict[Cell, _Running] = {}
        self._scored: Counter[tuple[str, int]] = Counter()
        self._last: dict[tuple[str, int], str] = {}
        self._failed: dict[tuple[str, int], str] = {}
        self._time_left = TimeLeft()
        self._small_slices = 0
        self._live = Live(console=self._console, get_renderable=self.render, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._small_slices:
            self._line(f"{self._small_slices} scores of slices were skipped: too few sequences; their rows say how few")

    def started(self, cell: Cell) -> None:
        """A cell has begun."""
        self._left.pop(cell, None)
        self._running[cell] = _Running(self._clock())

    def stage(self, cell: Cell, done: int, total: int, stage: str) -> None:  # noqa: ARG002 - there is no room for it
        """A plugin's own progress within its cell."""
        if cell in self._running:
            self._running[cell].share = min(done / total, 1.0) if total > 0 else 0.0

    def finished(self, result: CellResult) -> None:
        """A cell is finished."""
        cell = result.cell
        self._left.pop(cell, None)
        self._running.pop(cell, None)
        place = cell.generator, cell.seed
        self._scored[place] += bool(cell.metric)
        self._last[place] = _DONE.get(cell.kind, "")
        if result.status in FAILURES:
            self._failed[place] = result.status
        if not result.cached and result.key:
            self._time_left.finished(cell, result.seconds)
        slices = result.answer.get("slices", {})
        self._small_slices += sum(outcome["status"] == "skipped" for outcome in slices.values())
        self._tell(result)

    def render(self) -> RenderableType:
        """The table: a row for each generator, a column for each seed; below it a bar, and the time left."""
        names = [*(generator.name for generator in self._plan.generators), ""]
        seeds = self._plan.seeds
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("")
        wide = max(map(len, [*names, FLOOR])) + 2 + _SEED_WIDTH * len(seeds) <= self._console.width
        for seed in seeds if wide else ():
            table.add_column(f"seed {seed}", min_width=_SEED_WIDTH - 2, no_wrap=True)
        for name in names:
            if wide:
                table.add_row(Text(name or FLOOR), *(self._state(name, seed) for seed in seeds))
            else:
                done = sum(self._is_done(name, seed) for seed in seeds)
                table.add_row(Text(name or FLOOR), Text(f"{done} of {len(seeds)} seeds done"))
        done = self._total - len(self._left) - len(self._running)
        below = Table.grid(padding=(0, 2, 0, 0))
        below.add_row(
            ProgressBar(total=self._total, completed=done, width=30),
            Text(f"{done} of {self._total} cells"),
            Text(_duration(self._clock() - self._start)),
            Text(self._remaining()),
        )
        return Group(table, below)

    def _is_done(self, name: str, seed: int) -> bool:
        return self._scored[name, seed] == len(self._plan.metrics)

    def _state(self, name: str, seed: int) -> Text:
        """What is done of a generator's seed, in words and signs that do without colours."""
        running = [cell for cell in self._running if (cell.generator, cell.seed) == (name, seed)]
        if (name, seed) in self._failed:
            return Text(f"✗ {self._failed[name, seed]}", style="bold")
        if self._is_done(name, seed):
            return Text("✓", style="dim")
        if running and running[0].kind in ("train", "sample"):
            share = self._running[running[0]].share
            return Text(f"{_DOING[running[0].kind]} {share:4.0%}" if share else _DOING[running[0].kind])
        scored = self._scored[name, seed]
        if running or scored:
            return Text(f"{scored} of {len(self._plan.metrics)} scores")
        return Text(self._last.get((name, seed), "·"), style="dim")

    def _remaining(self) -> str:
        seconds, unknown = self._time_left.estimate(self._left, self._running, self._clock())
        if unknown:
            return f"more than {_duration(seconds)} left" if seconds >= 1 else ""
        return f"about {_duration(seconds)} left"

    def _tell(self, result: CellResult) -> None:
        if self._verbose and (result.log or result.stack):
            self._line(f"--- {result.cell}\n{result.log}{result.stack}")
        if result.status == SKIPPED and not result.key:
            return  # never begun, for want of another cell, whose own line says why
        if result.error:
            self._line(f"{result.cell}: {result.status}: {result.error}")
        elif not self._console.is_terminal and result.cell.kind in ("train", "sample"):
            how = "from the store" if result.cached else f"{result.seconds:.1f} s"
            done = self._total - len(self._left) - len(self._running)
            self._line(f"[{self._clock() - self._start:6.1f} s, {done}/{self._total}] {result.cell}: {how}")

    def _line(self, text: str) -> None:
        if self._console.is_terminal:
            self._console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)


def _duration(seconds: float) -> str:
    """``42 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
