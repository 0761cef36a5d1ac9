"""Which trackers take part in a run, and what each of them is told."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dnabench_trackers.manifest import Manifest
from dnabench_trackers.values import series, values

if TYPE_CHECKING:
    from dnabench.orders import CellResult


class Tracker(Protocol):
    """Where the numbers of one run go. Whatever a method raises ends its part in the run."""

    def log(self, result: CellResult, name: str, found: dict[str, float], *, last: bool) -> None:
        """A result, the series it belongs to, its numbers, if any, and whether it is the last of its series."""

    def close(self) -> None:
        """No result comes any more."""


class Tracking:
    """One run, from its first result to its last.

    Attributes:
        over: whether that has come.
    """

    def __init__(self, directory: Path) -> None:
        self.over = False
        self._trackers: list[Tracker] = []
        with_tensorboard, with_mlflow = _installed("tensorboard"), _wants_mlflow()
        manifest = Manifest.read(directory) if with_tensorboard or with_mlflow else Manifest()
        self._missing = dict(manifest.cells)
        if with_tensorboard:
            from dnabench_trackers.board import Board

            self._trackers.append(Board(directory / "tensorboard"))
        if with_mlflow:
            from dnabench_trackers.mlflow_runs import MlflowRuns

            self._trackers.append(MlflowRuns(directory, manifest))

    def add(self, result: CellResult) -> None:
        """Tell all trackers. The first error is raised once all have been told."""
        name, found = series(result.cell.generator, result.cell.seed), values(result)
        known = self._missing.pop(result.cell.id, None) is not None
        last, self.over = known and name not in self._missing.values(), known and not self._missing
        errors: list[Exception] = []
        for tracker in tuple(self._trackers):
            try:
                tracker.log(result, name, found, last=last)
                if self.over:
                    tracker.close()
            except Exception as error:  # noqa: BLE001 - whatever a foreign package raises must not reach the others
                self._trackers.remove(tracker)
                errors.append(error)
        if errors:
            raise errors[0]


_runs: dict[str, Tracking] = {}


def observe(result: CellResult) -> None:
    """Log what a cell came to."""
    if result.directory not in _runs:
        _runs[result.directory] = Tracking(Path(result.directory))
    tracking = _runs[result.directory]
    try:
        tracking.add(result)
    finally:
        if tracking.over:
            del _runs[result.directory]


def _wants_mlflow() -> bool:
    """Without a place of the user's choice MLflow would leave a folder wherever dnabench is called."""
    return bool(os.environ.get("MLFLOW_TRACKING_URI")) and _installed("mlflow")


def _installed(package: str) -> bool:
    """Whether it can be imported; a mere folder of that name cannot. Nothing is imported."""
    spec = find_spec(package)
    return spec is not None and spec.origin is not None
