"""``python -m dnabench.rank ORDER.json``, as torchrun starts it: one of the processes that train a model together."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from datetime import timedelta
from pathlib import Path

from dnabench.cell import Execution, failure
from dnabench.files import atomic_write
from dnabench.numerics import make_deterministic
from dnabench.orders import Order
from dnabench.torchrun import ERROR, PROGRESS

_PAUSE = 0.25  # seconds between looks at the parent, and between reports of progress


def main(path: Path) -> int:
    """Train with the others of the group; 1 after an error, which is written beside the order."""
    rank, ranks, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    request = json.loads(path.read_text(encoding="utf-8"))
    threading.Thread(target=_end_with, args=(request["parent"],), daemon=True).start()
    sys.path[:] = request["path"]
    order = Order.from_json(request["order"])
    try:
        make_deterministic()
        device = order.plan.generator(order.cell.generator).device
        _join_group(device, local)
        execution = Execution(order, _Reports(path.parent / PROGRESS, silent=rank > 0))
        execution.fit(
            Path(request["scratch"]),
            Path(request["model"]),
            device=f"cuda:{local}" if device == "cuda" else device,
            rank=rank,
            ranks=ranks,
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's plugin may raise anything
        traceback.print_exc()
        atomic_write(path.parent / ERROR.format(rank=rank), json.dumps(failure(error)))
        return 1
    return 0


def _join_group(device: str, local: int) -> None:
    import torch
    import torch.distributed

    if device == "cuda":
        torch.cuda.set_device(local)
    # The first may be minutes ahead of the last, where each prepares the data for itself.
    torch.distributed.init_process_group("nccl" if device == "cuda" else "gloo", timeout=timedelta(hours=1))


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, if it is not already.

    The launcher gives it a session of its own, out of reach of a kill.
    """
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os._exit(1)


class _Reports:
    """Writes progress to a file, now and then."""

    def __init__(self, path: Path, *, silent: bool) -> None:
        self._path = path
        self._silent = silent
        self._next = 0.0

    def __call__(self, done: int, total: int, stage: str) -> None:
        if not self._silent and time.monotonic() >= self._next:
            atomic_write(self._path, json.dumps([done, total, stage]))
            self._next = time.monotonic() + _PAUSE


if __name__ == "__main__":
    code = main(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a group that lost a member would be waited for
