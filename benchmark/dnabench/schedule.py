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
        self._plan = plan
        self._status: dict[Cell, str] = {}
        self._untaken = list(plan.cells())

    def take(self) -> list[Cell]:
        """The cells that can begin now and were not given out before, in the plan's order."""
        ready = [cell for cell in self._untaken if self._can_begin(cell)]
        self._untaken = [cell for cell in self._untaken if cell not in set(ready)]
        return ready

    def end(self, cell: Cell, status: str) -> Iterator[tuple[Cell, Cell]]:
        """Note how a cell ended. Yields the cells that can never begin now, each with the one whose result it lacks."""
        self._status[cell] = status
        if status == DONE:
            return
        for other in list(self._untaken):
            if cell in self._plan.needs(other):
                self._untaken.remove(other)
                yield other, cell

    def abandon(self) -> list[Cell]:
        """Give up on all cells that have not ended; what they are."""
        self._untaken = []
        return [cell for cell in self._plan.cells() if cell not in self._status]

    def _can_begin(self, cell: Cell) -> bool:
        needed = all(self._status.get(other) == DONE for other in self._plan.needs(cell))
        return needed and all(other in self._status for other in self._plan.after(cell))
