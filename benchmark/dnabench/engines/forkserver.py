"""The process that cells are forked from: it has imported what takes seconds to import, and does nothing else.

It reads requests on stdin, a JSON object a line, and writes what becomes of them on stdout, likewise. The request
``{"id", "directory", "scores"}`` forks a process in a session of its own. In that directory it finds ``request.json``
with ``order``, ``directory``, ``path`` and ``environment``; it takes over working directory, module path (where that is
null, it keeps its own) and environment, executes the order, and leaves its answer in ``answer.json``, what it prints in
``log.txt``, and in ``stack.txt`` where it was when it crashed. Then come ``{"id", "pid"}``,
``{"id", "progress": [done, total, stage]}`` as often as the cell reports it, and
``{"id", "ended": exit code or minus the signal's number}``.

When stdin ends, who wrote to it is gone: whatever still runs is killed, and the directory removed that the command line
names, where all requests lie. No CUDA context may ever exist in this process,
since none survives a fork; nothing here asks whether there is a GPU.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import importlib.metadata
import json
import os
import select
import shutil
import signal
import sys
import threading
import time
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from dnabench.hookspecs import PROJECT

# What cells import, apart from strangers' plugins, whose imports might do anything.
PRELOADED = (
    "torch",
    "numpy",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "safetensors.numpy",
    "safetensors.torch",
    "scipy.linalg",
    "scipy.spatial.distance",
    "dnabench.cell",
    "dnabench.provenance",
)
_REPORTS = 0.1  # seconds between two reports of progress
_PR_SET_PDEATHSIG = 1  # of linux/prctl.h
_PIPE_BUF = 4096  # bytes that a pipe takes in one piece, whoever else writes to it


class Server:
    """The loop: requests in, children's ends out."""

    def __init__(self, requests: int, replies: int) -> None:
        self._requests = requests
        self._replies = replies
        self._children: dict[int, int] = {}
        self._pending = b""
        # Children see the end of this pipe when the server is gone, however it went.
        self._lifeline, self._life = os.pipe()
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Serve until stdin ends; then no child is left."""
        try:
            while True:
                ready, _, _ = select.select([self._requests, self._wake], [], [])
                if self._wake in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 4096)
                    self._reap()
                if self._requests in ready and not self._read():
                    return
        except BrokenPipeError:  # nobody reads the replies any more
            return
        finally:
            for pid in self._children:
                kill_group(pid)

    def _read(self) -> bool:
        data = os.read(self._requests, 1 << 16)
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._fork(json.loads(line))
        return bool(data)

    def _fork(self, request: dict[str, Any]) -> None:
        if request["scores"]:
            set_numba_up()
        pid = os.fork()
        if pid == 0:
            os.close(self._life)
            os.close(self._requests)
            os.close(self._wake)
            become_cell(request["id"], Path(request["directory"]), self._replies, self._lifeline)
        self._children[pid] = request["id"]
        write_line(self._replies, {"id": request["id"], "pid": pid})

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            number = self._children.pop(pid, None)
            if number is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)  # what the cell started and left behind
                write_line(self._replies, {"id": number, "ended": os.waitstatus_to_exitcode(status)})


@cache
def set_numba_up() -> None:
    """Have numba do once, here, what takes it a third of a second before the first compiled loop of every process.

    Most metrics call one. Servers whose cells only train and sample go without.
    """
    with contextlib.suppress(Exception):  # a cell that uses it reports it
        import_module("numba").njit("int64(int64)")(lambda number: number)
    settle()


def settle() -> None:
    """Keep what is imported out of collections, the first of which would copy all its pages in every child."""
    gc.collect()
    gc.freeze()


def become_cell(number: int, place: Path, replies: int, lifeline: int) -> None:
    """In the forked process: execute the request that lies in ``place``, and end."""
    code = 70
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for caught in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(caught, signal.SIG_DFL)
        _redirect(place / "log.txt")
        _leave_a_stack(place / "stack.txt")
        _offer_to_the_system()
        _be_killed_with_the_parent()
        threading.Thread(target=_die_with, args=(lifeline,), daemon=True).start()
        request = json.loads((place / "request.json").read_text(encoding="utf-8"))
        os.chdir(request["directory"])
        if request["path"] is not None:
            sys.path[:] = request["path"]
        os.environ.clear()
        os.environ.update(request["environment"])
        answer = _execute(request["order"], number, replies)
        # The exit code says whether the file is whole.
        (place / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
        code = 0
    except BaseException:  # noqa: BLE001 - nothing may return into the server's loop
        traceback.print_exc(file=sys.stderr)
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _execute(order: dict[str, Any], number: int, replies: int) -> dict[str, Any]:
    from dnabench import provenance
    from dnabench.cell import check_metrics, execute

    last = 0.0

    def progress(done: int, total: int, stage: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REPORTS or done >= total:
            last = now
            write_line(replies, {"id": number, "progress": [int(done), int(total), str(stage)[:200]]})

    if order["task"] == "machine":
        return provenance.machine()
    return check_metrics(order) if order["task"] == "check-metrics" else execute(order, progress)


def _redirect(log: Path) -> None:
    """Nothing to read; all that is printed, by whatever means, into the log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _leave_a_stack(path: Path) -> None:
    """Write where all threads are when this process crashes, or is told to stop."""
    file = path.open("w")  # open until the process ends
    faulthandler.enable(file)
    faulthandler.register(signal.SIGTERM, file, chain=True)


def _offer_to_the_system() -> None:
    """Be the first to go when the machine runs out of memory, rather than the run that started this cell."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write("1000")


def _be_killed_with_the_parent() -> None:
    """Have Linux do what :func:`_die_with` does elsewhere, which has to wait while a plugin holds the interpreter."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _die_with(lifeline: int) -> None:
    """End this process and all that it started once the server is gone."""
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


def write_line(descriptor: int, value: dict[str, Any]) -> None:
    """A JSON object and a line end in one piece, so that lines of several processes do not mix."""
    line = json.dumps(value).encode() + b"\n"
    assert len(line) <= _PIPE_BUF
    os.write(descriptor, line)


def kill_group(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to a cell and all that it started; it may be gone already, or just have been forked."""
    if pid <= 0:  # would be this process's own group
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        try:
            os.killpg(pid, number)
        except ProcessLookupError:
            os.kill(pid, number)


def main() -> None:
    """Import, say that it is ready, serve."""
    for sent_to_all in (signal.SIGINT, signal.SIGTERM):  # who started this process says when it ends
        signal.signal(sent_to_all, signal.SIG_IGN)
    # Whatever an import prints must not come between the replies.
    replies = os.dup(1)
    os.dup2(2, 1)
    for name in PRELOADED:
        import_module(name)
    for point in importlib.metadata.distribution("dnabench").entry_points.select(group=PROJECT):
        with contextlib.suppress(Exception):  # a cell that loads it reports it
            import_module(point.module)
    settle()
    write_line(replies, {"ready": os.getpid()})
    try:
        Server(0, replies).run()
    finally:
        shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
