"""Training in several processes at once, started by torchrun; each is :mod:`dnabench.rank`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dnabench.errors import UserError
from dnabench.files import atomic_write

if TYPE_CHECKING:
    from dnabench.orders import Order

_PAUSE = 0.1  # seconds between looks at the progress

# What the processes of a group leave for the one that started them, in its scratch directory.
PROGRESS, ERROR = "progress.json", "error-{rank}.json"


class TrainingProcessError(UserError):
    """A training process raised; the message is its own."""


def train(order: Order, processes: int, scratch: Path, model: Path, progress: Callable[[int, int, str], None]) -> None:
    """Have the order's generator trained by so many processes, and its model written into ``model``.

    Raises TrainingProcessError for what a process raised, RuntimeError for one that died.
    """
    group = scratch.parent / "group"
    group.mkdir(exist_ok=True)
    for left in group.iterdir():
        left.unlink()
    request = {"order": order.to_json(), "path": sys.path, "scratch": str(scratch), "model": str(model)}
    atomic_write(group / "order.json", json.dumps(request))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--max-restarts", "0"]
    meeting = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1"]
    with subprocess.Popen([*command, *meeting, "-m", "dnabench.rank", str(group / "order.json")]) as run:
        while run.poll() is None:
            time.sleep(_PAUSE)
            if (group / PROGRESS).exists():
                progress(*json.loads((group / PROGRESS).read_text()))
    if run.returncode:
        for error in sorted(group.glob(ERROR.format(rank="*"))):
            raise TrainingProcessError(json.loads(error.read_text())["error"])
        raise RuntimeError(f"one of {processes} training processes died; the log says more")
