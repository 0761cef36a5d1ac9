"""The local engine: cells on this machine, as many at once as it has room for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dnabench.engines import Ended, Event, Needs
from dnabench.engines.sandbox import Limits, sandbox


def cores() -> int:
    """How many cores this process may use: those it is bound to, and no more than its control group is given."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="utf-8").split()
        count = min(count, max(1, int(quota) // int(period)))
    return count


class LocalEngine:
    """Runs ``jobs`` processes at once; a cell that needs GPUs has some of ``gpus`` to itself.

    Args:
        gpus: how CUDA_VISIBLE_DEVICES calls each of them.
    """

    def __init__(self, *, jobs: int, threads: int, gpus: Sequence[str] = (), limits: Limits = Limits()) -> None:  # noqa: B008
        self._free = jobs
        self._gpus = list(gpus)
        self._limits = limits
        self._sandbox = sandbox(threads)
        self._jobs = jobs
        self._waiting: list[tuple[str, Mapping[str, Any], Needs]] = []
        self._taken: dict[str, tuple[int, list[str]]] = {}

    def submit(self, name: str, order: Mapping[str, Any], needs: Needs) -> None:
        """See :class:`dnabench.engines.Engine`."""
        self._waiting.append((name, order, needs))
        self._begin()  # who submits may have other things to do before it asks for events

    def events(self) -> Iterator[Event]:
        """See :class:`dnabench.engines.Engine`."""
        while self._waiting or self._taken:
            self._begin()
            for event in self._sandbox.events(wait=60):
                if isinstance(event, Ended):
                    free, gpus = self._taken.pop(event.name)
                    self._free += free
                    self._gpus = sorted(self._gpus + gpus)
                    self._begin()
                yield event

    def cancel(self) -> None:
        """See :class:`dnabench.engines.Engine`."""
        self._waiting.clear()
        self._taken.clear()
        self._sandbox.close()

    def close(self) -> None:
        """See :class:`dnabench.engines.Engine`; the fork server stays for the next run of this process."""

    def _begin(self) -> None:
        """Start what there is room for, in order; what has to wait for a GPU holds up nobody who needs none."""
        for item in list(self._waiting):
            name, order, needs = item
            processes = min(needs.processes, self._jobs)
            if processes > self._free:
                return
            if needs.gpus > len(self._gpus):
                continue
            self._waiting.remove(item)
            gpus, self._gpus = self._gpus[: needs.gpus], self._gpus[needs.gpus :]
            self._free -= processes
            self._taken[name] = processes, gpus
            visible = {"CUDA_VISIBLE_DEVICES": ",".join(gpus)}
            self._sandbox.start(name, order, self._limits, visible)
