"""An MLflow run for each generator and seed, where ``MLFLOW_TRACKING_URI`` says.

A server may be slow, or away, and MLflow then tries again for minutes: a thread of its own talks to it, so that the run
of dnabench waits for nothing but, for a moment, its end.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import queue
import re
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from dnabench.orders import CellResult
    from dnabench_trackers.manifest import Manifest

PATIENCE = 10.0  # seconds that the end of a run waits for what is not logged yet
_LENGTH = 500  # of a text: what every version of MLflow takes
_AT_ONCE = 100  # parameters; of numbers it takes more


class MlflowRuns:
    """The MLflow runs of one run of dnabench."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self._session = _Session(directory.resolve(), manifest)
        self._failed: set[str] = set()
        self._error: Exception | None = None
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="dnabench-mlflow", daemon=True)
        self._thread.start()
        atexit.register(self._interrupted)

    def log(self, result: CellResult, name: str, found: dict[str, float], *, last: bool) -> None:
        """Have a result logged soon. Raises what went wrong with an earlier one; then nothing is logged any more."""
        if self._error is not None:
            self.close()
        cell = result.cell
        if result.failed:
            self._failed.add(name)
        if found or result.failed:
            error = {f"error.{cell.id.replace('/', '.')}": result.error} if result.failed else {}
            self._tasks.put(partial(self._session.log, name, cell.generator, cell.seed, found, error))
        if last:
            self._tasks.put(partial(self._session.end, name, "FAILED" if name in self._failed else "FINISHED"))

    def close(self) -> None:
        """Wait for what is not logged yet, not too long. Raises what went wrong, or TimeoutError."""
        atexit.unregister(self._interrupted)
        self._tasks.put(None)
        self._thread.join(PATIENCE)
        if self._error is not None:
            raise self._error
        if self._thread.is_alive():
            uri = os.environ.get("MLFLOW_TRACKING_URI")
            raise TimeoutError(
                f"MLflow at {uri} has not taken everything within {PATIENCE:g} s; the rest is not logged"
            )

    def _interrupted(self) -> None:
        """The process ends before the run does."""
        self._tasks.put(self._session.kill)
        self._tasks.put(None)
        self._thread.join(PATIENCE)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                if self._error is None:
                    task()
            except Exception as error:  # noqa: BLE001 - it is raised where the next result comes
                self._error = error


class _Run(NamedTuple):
    """An MLflow run, and the numbers that an earlier attempt has logged."""

    id: str
    known: dict[str, float]


class _Session:
    """What the thread does; nobody else calls it."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self._directory = directory
        self._manifest = manifest
        self._client: Any = None
        self._experiment = ""
        self._runs: dict[str, _Run] = {}

    def log(self, name: str, generator: str, seed: int, found: dict[str, float], tags: dict[str, str]) -> None:
        """Numbers and tags of a series."""
        from mlflow.entities import Metric

        run = self._run(name, generator, seed)
        numbers = {_key(tag): float(value) for tag, value in found.items()}
        fresh = {key: value for key, value in numbers.items() if run.known.get(key) != value}
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, 0) for key, value in fresh.items()]
        for start in range(0, len(metrics), _AT_ONCE):
            self._client.log_batch(run.id, metrics=metrics[start : start + _AT_ONCE])
        for tag, text in tags.items():
            self._client.set_tag(run.id, _key(tag), text[:_LENGTH])

    def end(self, name: str, status: str) -> None:
        """No number of a series comes any more."""
        if name in self._runs:
            self._client.set_terminated(self._runs.pop(name).id, status)

    def kill(self) -> None:
        """No number of any series comes any more, for now."""
        for name in tuple(self._runs):
            self.end(name, "KILLED")

    def _run(self, name: str, generator: str, seed: int) -> _Run:
        """The MLflow run of a series: that of an earlier attempt at the same run directory, else a new one."""
        if name in self._runs:
            return self._runs[name]
        if self._client is None:
            self._connect()
        own = hashlib.sha256(f"{self._directory}\n{name}".encode()).hexdigest()
        there = self._client.search_runs([self._experiment], f"tags.`dnabench.id` = '{own}'", max_results=1)
        if there:
            run = there[0]
            self._client.update_run(run.info.run_id, status="RUNNING")
        else:
            tags = {"dnabench.id": own, "dnabench.directory": str(self._directory)[:_LENGTH]}
            title = f"{generator or 'floor'} seed {seed}"
            run = self._client.create_run(self._experiment, run_name=title, tags=tags)
        self._describe(run, self._manifest.settings(generator, seed))
        self._runs[name] = _Run(run.info.run_id, dict(run.data.metrics))
        return self._runs[name]

    def _describe(self, run: Any, settings: dict[str, str]) -> None:
        from mlflow.entities import Param

        params = [Param(_key(name), text[:_LENGTH]) for name, text in settings.items()]
        missing = [param for param in params if param.key not in run.data.params]
        for start in range(0, len(missing), _AT_ONCE):
            self._client.log_batch(run.info.run_id, params=missing[start : start + _AT_ONCE])

    def _connect(self) -> None:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        self._client = MlflowClient()
        self._experiment = os.environ.get("MLFLOW_EXPERIMENT_ID", "")
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or f"dnabench-{self._manifest.suite}"
        if self._experiment:
            return
        known = self._client.get_experiment_by_name(name)
        try:
            self._experiment = known.experiment_id if known else self._client.create_experiment(name)
        except MlflowException:
            known = self._client.get_experiment_by_name(name)  # another run may just have made it
            if known is None:
                raise
            self._experiment = known.experiment_id


def _key(name: str) -> str:
    """As MLflow allows it: ``mmd@kmer/species=hs`` becomes ``mmd:kmer/species:hs``."""
    return re.sub(r"[^A-Za-z0-9_./: -]", "_", re.sub("[@=]", ":", name))
