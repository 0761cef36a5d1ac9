"""Cells in processes of their own, watched: a fork server (:mod:`dnabench.engines.forkserver`) and its children."""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from dnabench.engines import Ended, Event, Progressed, Started
from dnabench.engines.forkserver import kill_group
from dnabench.orders import CRASHED, DONE, INTERRUPTED, OOM, TIMEOUT

GRACE = 0.5
"""Seconds from SIGTERM to SIGKILL."""
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
        self._server: subprocess.Popen[bytes] | None = None
        self._pending = b""

    def warm_up(self) -> None:
        """Start the server; what it imports is ready when the first cell comes."""
        if self._server is not None and (self._running or self._server.poll() is None):
            return  # one that died with cells is buried by events(), or nobody would hear of them
        self.close()
        environment = {**os.environ, **self._thread_variables()}
        # The server outlives this process by a moment, and clears up behind it, however it ends.
        self._place = Path(tempfile.mkdtemp(prefix="dnabench-"))
        command = [sys.executable, "-P", "-m", "dnabench.engines.forkserver", str(self._place)]
        # A session of its own keeps Ctrl-C away from it: this process decides what ends.
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        self._pending = b""

    def start(
        self,
        name: str,
        order: Mapping[str, Any],
        limits: Limits = Limits(),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Begin an order; ``environment`` is set beside this process's own."""
        self.warm_up()
        assert self._server is not None
        assert self._server.stdin is not None
        number = next(self._numbers)
        directory = self._place / str(number)
        directory.mkdir()
        request = {
            "order": order,
            "directory": str(Path.cwd()),
            "path": sys.path,
            "environment": {**os.environ, **self._thread_variables(), **(environment or {})},
        }
        (directory / "request.json").write_text(json.dumps(request), encoding="utf-8")
        self._running[number] = _Running(
            name=name, directory=directory, limits=limits, start=time.monotonic(), ooms=_kills_for_memory()
        )
        with contextlib.suppress(OSError):  # the server is gone: events() will find out
            self._server.stdin.write(json.dumps({"id": number, "directory": str(directory)}).encode() + b"\n")
            self._server.stdin.flush()

    def __len__(self) -> int:
        return len(self._running)

    def events(self, wait: float) -> Iterator[Event]:
        """What has happened, after at most ``wait`` seconds of nothing."""
        if self._server is None:
            return
        assert self._server.stdout is not None
        stream = self._server.stdout.fileno()
        ready, _, _ = select.select([stream], [], [], min(wait, self._patience()))
        if ready:
            data = os.read(stream, 1 << 16)
            if not data:
                yield from self._bury_all()
                return
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                yield from self._heard(json.loads(line))
        self._enforce()

    def kill(self, name: str | None = None) -> None:
        """Kill the cells of that name, or all, at once; their ends are events."""
        for cell in self._running.values():
            if name in (None, cell.name):
                self._kill(cell, INTERRUPTED, "interrupted", at_once=True)

    def close(self) -> None:
        """Kill all cells and the server; on return no process is left."""
        if self._server is None:
            return
        server, self._server = self._server, None
        for stream in (server.stdin, server.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        try:
            server.wait(GRACE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        for cell in self._running.values():
            kill_group(cell.pid)
        self._running.clear()
        shutil.rmtree(self._place, ignore_errors=True)

    def _thread_variables(self) -> dict[str, str]:
        return dict.fromkeys(_THREAD_VARIABLES, str(self._threads))

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

    def _bury_all(self) -> Iterator[Event]:
        """The server died, and with it every cell."""
        assert self._server is not None
        code = self._server.wait() or -signal.SIGKILL
        ends = [Ended(name=cell.name, answer=_answer(cell, code)) for cell in self._running.values()]
        self.close()
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
    place.start("question", order)
    while True:
        for event in place.events(wait=60):
            if isinstance(event, Ended):
                if event.answer.get("status") in (CRASHED, OOM):
                    raise RuntimeError(f"{event.answer['error']}; {event.answer['log'].strip()[-500:]}")
                return {name: value for name, value in event.answer.items() if name not in ("seconds", "log", "stack")}
