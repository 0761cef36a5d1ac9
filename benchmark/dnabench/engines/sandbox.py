"""Cells in processes of their own, watched: fork servers (:mod:`dnabench.engines.forkserver`) and their children.

There is a server for each interpreter: this process's own, and those of environments that generators have to themselves
(:mod:`dnabench.environments`).
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dnabench import environments
from dnabench.engines import Ended, Event, Progressed, Started
from dnabench.engines.forkserver import kill_group
from dnabench.engines.server_process import GRACE, ServerProcess
from dnabench.orders import CRASHED, DONE, INTERRUPTED, OOM, TIMEOUT

LOG_KEPT = 64 << 10
"""Bytes of the end of a log that go into the answer."""
_WATCH = 0.1  # seconds between looks at the memory of running cells

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a cell may take.

    Attributes:
        seconds: from its start; None for any.
        memory: bytes, resident, of all its processes together; None for any.
    """

    seconds: float | None = None
    memory: int | None = None


@dataclass(kw_only=True)
class _Running:
    name: str
    python: str
    directory: Path
    limits: Limits
    start: float
    ooms: int
    pid: int = 0
    killed: str = ""
    reason: str = ""
    kill_at: float = 0.0


class Sandbox:
    """Runs orders, each in a process of its own that computes with ``threads`` threads."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._numbers = itertools.count()
        self._running: dict[int, _Running] = {}
        self._servers: dict[str, ServerProcess] = {}

    def warm_up(self) -> None:
        """Start the server of this interpreter; what it imports is ready when the first cell comes."""
        self._server("")

    def _server(self, python: str) -> ServerProcess:
        server = self._servers.get(python)
        if server is not None:
            # One that died with cells is buried by events(), or nobody would hear of them.
            if self._cells_of(python) or server.process.poll() is None:
                return server
            self._close(python)
        environment = self._variables(python, {})
        server = self._servers[python] = ServerProcess(python or sys.executable, environment)
        return server

    def start(
        self,
        name: str,
        order: Mapping[str, Any],
        limits: Limits = Limits(),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Begin an order, in the interpreter that its ``python`` names; ``environment`` is set beside our own."""
        python = order.get("python", "")
        server = self._server(python)
        number = next(self._numbers)
        directory = server.place / str(number)
        directory.mkdir()
        request = {
            "order": order,
            "directory": str(Path.cwd()),
            "path": None if python else sys.path,
            "environment": self._variables(python, environment or {}),
        }
        (directory / "request.json").write_text(json.dumps(request), encoding="utf-8")
        self._running[number] = _Running(
            name=name,
            python=python,
            directory=directory,
            limits=limits,
            start=time.monotonic(),
            ooms=_kills_for_memory(),
        )
        server.request(number, directory, scores=bool(order.get("cell", {}).get("metric")))

    def __len__(self) -> int:
        return len(self._running)

    def events(self, wait: float) -> Iterator[Event]:
        """What has happened, after at most ``wait`` seconds of nothing."""
        if not self._servers:
            return
        ready, _, _ = select.select(self._servers.values(), [], [], min(wait, self._patience()))
        for python, server in list(self._servers.items()):
            if server not in ready or self._servers.get(python) is not server:  # who hears of events may close it
                continue
            replies = server.replies()
            if replies is None:
                yield from self._bury(python)
            for reply in replies or ():
                yield from self._heard(reply)
        self._enforce()

    def kill(self, name: str | None = None) -> None:
        """Kill the cells of that name, or all, at once; their ends are events."""
        for cell in self._running.values():
            if name in (None, cell.name):
                self._kill(cell, INTERRUPTED, "interrupted", at_once=True)

    def close(self) -> None:
        """Kill all cells and the server; on return no process is left."""
        for server in self._servers.values():
            server.leave()
        for python in list(self._servers):
            self._close(python)

    def _close(self, python: str) -> None:
        server = self._servers.pop(python)
        server.close()
        for number, cell in self._cells_of(python).items():
            kill_group(cell.pid)
            del self._running[number]
        server.clear_up()

    def _cells_of(self, python: str) -> dict[int, _Running]:
        return {number: cell for number, cell in self._running.items() if cell.python == python}

    def _variables(self, python: str, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a server and its cells."""
        own = environments.variables(os.environ) if python else os.environ
        return {**own, **dict.fromkeys(_THREAD_VARIABLES, str(self._threads)), **more}

    def _heard(self, reply: dict[str, Any]) -> Iterator[Event]:
        cell = self._running.get(reply.get("id", -1))
        if cell is None:
            return
        if "pid" in reply:
            cell.pid, cell.start = reply["pid"], time.monotonic()
            if cell.killed:
                kill_group(cell.pid)
            yield Started(name=cell.name)
        elif "progress" in reply:
            done, total, stage = reply["progress"]
            yield Progressed(name=cell.name, done=done, total=total, stage=stage)
        else:
            del self._running[reply["id"]]
            yield Ended(name=cell.name, answer=_answer(cell, reply["ended"]))

    def _bury(self, python: str) -> Iterator[Event]:
        """A server died, and with it every cell of its."""
        server = self._servers[python]
        code = server.process.wait() or -signal.SIGKILL
        ends = [Ended(name=cell.name, answer=_answer(cell, code)) for cell in self._cells_of(python).values()]
        if not server.ready:
            why = f"{python or sys.executable} could not import what cells need; stderr says why"
            ends = [Ended(name=end.name, answer={**end.answer, "error": why}) for end in ends]
        self._close(python)
        yield from ends

    def _patience(self) -> float:
        """Seconds until some cell has to be looked at."""
        now = time.monotonic()
        waits = [float("inf")]
        for cell in self._running.values():
            if cell.kill_at:
                waits.append(cell.kill_at - now)
            elif cell.pid and not cell.killed and cell.limits.seconds is not None:
                waits.append(cell.start + cell.limits.seconds - now)
            if cell.limits.memory is not None:
                waits.append(_WATCH)
        return max(0.0, min(waits))

    def _enforce(self) -> None:
        now = time.monotonic()
        for cell in self._running.values():
            limits = cell.limits
            if cell.kill_at and now >= cell.kill_at:
                cell.kill_at = 0.0
                kill_group(cell.pid)
            elif cell.killed or not cell.pid:
                continue
            elif limits.seconds is not None and now - cell.start >= limits.seconds:
                self._kill(cell, TIMEOUT, f"stopped after {limits.seconds:g} s, the limit set with --timeout")
            elif limits.memory is not None and resident(cell.pid) > limits.memory:
                reason = f"stopped beyond {limits.memory / 1e9:.3g} GB of memory, the limit set with --memory"
                self._kill(cell, OOM, reason, at_once=True)

    def _kill(self, cell: _Running, status: str, reason: str, *, at_once: bool = False) -> None:
        cell.killed, cell.reason = status, reason
        if cell.pid:
            kill_group(cell.pid, signal.SIGKILL if at_once else signal.SIGTERM)
            cell.kill_at = 0.0 if at_once else time.monotonic() + GRACE


def _answer(cell: _Running, code: int) -> dict[str, Any]:
    """What the cell answered, or what became of its process; with its log."""
    log, stack = (_tail(cell.directory / name) for name in ("log.txt", "stack.txt"))
    answer = _given(cell.directory / "answer.json") if code == 0 else {}
    if cell.killed and answer.get("status") != DONE:
        # It may have taken the polite signal for an error of its own.
        answer = {"status": cell.killed, "error": cell.reason}
    elif answer:
        pass
    elif code == 0:
        answer = {"status": CRASHED, "error": "its process ended without an answer"}
    elif code == -signal.SIGKILL and _kills_for_memory() > cell.ooms:
        answer = {"status": OOM, "error": "killed by the system, which ran out of memory"}
    else:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        answer = {"status": CRASHED, "error": f"its process {how}"}
    shutil.rmtree(cell.directory, ignore_errors=True)
    return {"seconds": time.monotonic() - cell.start, "stack": stack} | answer | {"log": log}


def _given(path: Path) -> dict[str, Any]:
    """The answer in a file; empty where there is none."""
    try:
        answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return answer


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_KEPT))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def resident(pid: int) -> int:
    """Bytes of memory that a process and all below it hold."""
    total = 0
    with contextlib.suppress(psutil.Error):
        cell = psutil.Process(pid)
        for process in [cell, *cell.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
    return total


def _kills_for_memory() -> int:
    """How often the system has killed a process for want of memory, here or in this control group."""
    count = 0
    for path, word in (("/proc/vmstat", "oom_kill"), ("/sys/fs/cgroup/memory.events", "oom_kill")):
        with contextlib.suppress(OSError), open(path) as file:  # noqa: PTH123
            count += sum(int(line.split()[1]) for line in file if line.split()[0] == word)
    return count


_SANDBOXES: dict[int, Sandbox] = {}


def sandbox(threads: int) -> Sandbox:
    """The sandbox for so many threads, the same for every run of this process: its server is started once."""
    if threads not in _SANDBOXES:
        _SANDBOXES[threads] = Sandbox(threads)
        atexit.register(_SANDBOXES[threads].close)
    return _SANDBOXES[threads]


def ask(order: Mapping[str, Any], threads: int) -> dict[str, Any]:
    """The answer to one order that is no cell, from a process of its own. RuntimeError where it died."""
    place = sandbox(threads)
    try:
        place.start("question", order)
        answer = next(
            event.answer for _ in itertools.count() for event in place.events(wait=60) if isinstance(event, Ended)
        )
    except BaseException:
        place.close()  # or the answer would be taken for that to the next question
        raise
    if answer.get("status") in (CRASHED, OOM):
        raise RuntimeError(f"{answer['error']}; {answer['log'].strip()[-500:]}")
    return {name: value for name, value in answer.items() if name not in ("seconds", "log", "stack")}
