"""Training in several processes at once, by the launcher behind torchrun; each is :mod:`dnabench.rank`."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.errors import UserError
from dnabench.files import atomic_write
from dnabench.orders import CRASHED

if TYPE_CHECKING:
    from dnabench.orders import Order

_PAUSE = 0.1  # seconds between looks at the processes and their progress

# What the processes of a group leave for the one that started them, beside the order.
PROGRESS, ERROR = "progress.json", "error-{rank}.json"


class TrainingProcessError(UserError):
    """A training process raised or died; message and status are its own."""

    def __init__(self, message: str, status: str) -> None:
        super().__init__(message)
        self.status = status


def train(order: Order, processes: int, scratch: Path, model: Path, progress: Callable[[int, int, str], None]) -> None:
    """Have the order's generator trained by so many processes, and its model written into ``model``.

    Raises TrainingProcessError for what a process raised or died of.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    group = scratch.parent / "group"
    shutil.rmtree(group, ignore_errors=True)
    group.mkdir()
    request = {
        "order": order.to_json(),
        "path": sys.path,
        "scratch": str(scratch),
        "model": str(model),
        "parent": os.getpid(),
    }
    atomic_write(group / "order.json", json.dumps(request))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=order.key,
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        monitor_interval=_PAUSE,
        logs_specs=DefaultLogsSpecs(log_dir=str(group / "logs")),
    )
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # what it says comes as an exception
    done = threading.Event()
    reports = threading.Thread(target=_forward, args=(group / PROGRESS, progress, done))
    reports.start()
    try:
        elastic_launch(config, sys.executable)("-P", "-m", "dnabench.rank", str(group / "order.json"))
    except ChildFailedError as failed:
        raise _cause(group, failed.failures.values()) from None
    finally:
        done.set()
        reports.join()


def _cause(group: Path, failures: Iterable[Any]) -> Exception:
    """What went wrong first: where one process dies, the others only find that it is gone."""
    for failure in failures:
        # The launcher ends those that are left with SIGTERM.
        if failure.exitcode < 0 and failure.exitcode != -signal.SIGTERM:
            text = f"training process {failure.local_rank} was killed by {failure.signal_name()}"
            return TrainingProcessError(text, CRASHED)
    errors = sorted(group.glob(ERROR.format(rank="*")), key=lambda path: path.stat().st_mtime_ns)
    for path in errors:
        outcome = json.loads(path.read_text(encoding="utf-8"))
        return TrainingProcessError(outcome["error"], outcome["status"])
    return TrainingProcessError("a training process ended without a word; the log says more", CRASHED)


def _forward(path: Path, progress: Callable[[int, int, str], None], done: threading.Event) -> None:
    while not done.wait(_PAUSE):
        if path.exists():
            progress(*json.loads(path.read_text(encoding="utf-8")))
