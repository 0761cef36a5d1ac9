"""The local engine: cells one after another in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dnabench.cell import CellResult
    from dnabench.plan import Cell


def execute(cells: Iterable[Cell], run: Callable[[Cell], CellResult]) -> Iterator[CellResult]:
    """Yield each cell's result as soon as it is there."""
    for cell in cells:
        yield run(cell)
