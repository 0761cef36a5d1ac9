"""Which cells of a plan can begin, as others end. Pure bookkeeping: it executes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dnabench.orders import DONE

if TYPE_CHECKING:
    from dnabench.plan import Cell, Plan


class Schedule:
    """The cells of a plan in its order, each given out once, when those it needs are done and those before it ended."""

    def __init__(self, plan: Plan) -> None:
        self._needs = {cell: plan.needs(cell) for cell in plan.cells()}
        self._place = {cell: place for place, cell in enumerate(self._needs)}
        self._awaited = {cell: {*needs, *plan.after(cell)} for cell, needs in self._needs.items()}
        self._awaited_by: dict[Cell, list[Cell]] = {cell: [] for cell in self._needs}
        for cell, others in self._awaited.items():
            for other in others:
                self._awaited_by[other].append(cell)
        self._ready = [cell for cell, others in self._awaited.items() if not others]
        self._left = set(self._needs)

    def take(self) -> list[Cell]:
        """The cells that can begin now and were not given out before, in the plan's order."""
        ready, self._ready = sorted(self._ready, key=self._place.__getitem__), []
        return ready

    def end(self, cell: Cell, status: str) -> Iterator[tuple[Cell, Cell]]:
        """Note how a cell ended. Yields the cells that can never begin now, each with the one whose result it lacks."""
        self._left.discard(cell)
        for other in self._awaited_by[cell]:
            if other not in self._awaited:
                continue
            if status != DONE and cell in self._needs[other]:
                del self._awaited[other]
                yield other, cell
            else:
                self._awaited[other].discard(cell)
                if not self._awaited[other]:
                    self._ready.append(other)

    def abandon(self) -> list[Cell]:
        """Give up on all cells that have not ended; what they are, in the plan's order."""
        self._awaited.clear()
        self._ready = []
        return sorted(self._left, key=self._place.__getitem__)
