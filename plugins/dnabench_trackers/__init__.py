"""dnabench plugin: results of a run in TensorBoard and MLflow, where these are. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import hookimpl

if TYPE_CHECKING:
    from dnabench.orders import CellResult


@hookimpl
def dnabench_cell_finished(result: CellResult) -> None:
    """Log what a cell came to."""
    from dnabench_trackers.tracking import observe

    observe(result)
