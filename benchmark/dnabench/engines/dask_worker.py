"""What runs inside a dask worker: it hands each cell to a process of its own and keeps talking to the scheduler.

Requests and answers are JSON: a worker has to know nothing of the client's but the names of these functions.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.metadata
import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dnabench
from dnabench import keys
from dnabench.engines import Event, Progressed, Started
from dnabench.engines.room import Room
from dnabench.engines.sandbox import Limits
from dnabench.hookspecs import PROJECT

GPU = "GPU"
"""What dask workers call the resource: ``--resources GPU=1``."""
TOKEN = "token"  # noqa: S105 - the name of a file
"""The file by which a worker knows the client's store."""

KILLED_WITHIN = 1.5
"""Seconds that the end of killed cells is waited for."""

_REPORTS = 2.0  # seconds between two reports of a cell's progress: the scheduler keeps them until the client leaves


@dataclass(frozen=True, kw_only=True)
class Request:
    """A cell for a worker.

    Attributes:
        run: tells the cells of one run from those of others that use the workers at the same time.
        limits: the fields of :class:`dnabench.engines.sandbox.Limits`.
        expected: what the worker must have (see :func:`described`).
        topic: where the client hears how the cell goes.
    """

    run: str
    name: str
    order: Mapping[str, Any]
    limits: Mapping[str, Any]
    threads: int
    gpus: int
    expected: Mapping[str, str]
    topic: str


def run_cell(text: str) -> str:
    """The answer of a :class:`Request`'s cell, or ``refused``, why this worker must not execute it."""
    from distributed import get_worker

    request = Request(**json.loads(text))
    worker = get_worker()
    if why := _refusal(request.expected):
        return json.dumps({"refused": why, "worker": worker.address})
    with _gpus(int(worker.state.total_resources.get(GPU, 0))).taken(request.gpus) as gpus:
        answer = _room(request.threads).execute(
            request.order,
            Limits(**request.limits),
            group=request.run,
            environment={"CUDA_VISIBLE_DEVICES": ",".join(gpus)},
            heard=_Reports(request.name, functools.partial(worker.log_event, request.topic), str(worker.name)),
        )
        return json.dumps({**answer.result(), "worker": str(worker.name)})


def describe(packages: Iterable[str]) -> str:
    """What this worker would execute cells with, as JSON."""
    return json.dumps(described(packages))


def described(packages: Iterable[str]) -> dict[str, str]:
    """Versions of Python, dnabench and torch; digests of dnabench, its own plugins and these packages."""
    imported = _imported()
    return {
        **keys.code_of(set(packages).difference(imported)),
        **imported,
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "dnabench's version": dnabench.__version__,
    }


def difference(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """How what a worker has differs from what is expected; empty where it does not."""
    for name, wanted in expected.items():
        has = found.get(name, "")
        if has != wanted:
            there, here = (text[:12] if len(text) == 64 else text or "missing" for text in (has, wanted))
            return f"{name} is {there} there and {here} here; have one version everywhere and start the worker anew"
    return ""


def see_store(directory: str, token: str) -> str:
    """Show that this worker reads and writes what the client does: JSON, ``file``, written there, or an ``error``."""
    name = uuid.uuid4().hex
    try:
        if Path(directory, TOKEN).read_text(encoding="utf-8") != token:
            return json.dumps({"error": "is another directory there"})
        Path(directory, name).write_text(token, encoding="utf-8")
    except FileNotFoundError:
        return json.dumps({"error": "is not the same directory there"})
    except OSError as error:
        return json.dumps({"error": f"cannot be read and written there: {error.strerror}"})
    return json.dumps({"file": name})


def warm_up(threads: int) -> None:
    """Have what cells need imported."""
    _room(threads)


async def ask(order: str, threads: int) -> str:
    """The answer to one order that is no cell, from a process of its own; both JSON."""
    return json.dumps(await asyncio.wrap_future(_room(threads).execute(json.loads(order))))


async def kill(run: str, threads: int) -> None:
    """Kill the cells of a run and let none begin; return once they are gone, unless that takes too long."""
    room, limit = _room(threads), time.monotonic() + KILLED_WITHIN
    room.kill(run)
    while room.holds(run) and time.monotonic() < limit:
        await asyncio.sleep(0.02)


class _Reports:
    """Tells the client, through the scheduler, when a cell begins and how far it is."""

    def __init__(self, name: str, send: Callable[[str], None], worker: str) -> None:
        self._name = name
        self._send = send
        self._worker = worker
        self._next = 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self._send(json.dumps(["started", self._name, self._worker]))
        elif isinstance(event, Progressed) and time.monotonic() >= self._next:
            self._next = time.monotonic() + _REPORTS
            self._send(json.dumps(["progressed", self._name, event.done, event.total, event.stage]))


class Gpus:
    """GPUs of this process, by the names that CUDA_VISIBLE_DEVICES has for them, for cells to have to themselves."""

    def __init__(self, names: Iterable[str]) -> None:
        self._free = list(names)
        self._count = len(self._free)
        self._freed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, count: int) -> Iterator[list[str]]:
        """So many of them, once they are free; all, where there are not so many."""
        count = min(count, self._count)
        with self._freed:
            self._freed.wait_for(lambda: len(self._free) >= count)
            taken, self._free = self._free[:count], self._free[count:]
        try:
            yield taken
        finally:
            with self._freed:
                self._free += taken
                self._freed.notify_all()


_LOCK = threading.Lock()
_ROOMS: dict[int, Room] = {}
_GPUS: dict[int, Gpus] = {}
_FIT: list[Mapping[str, str]] = []


def _room(threads: int) -> Room:
    with _LOCK:
        if threads not in _ROOMS:
            _imported()  # while its files are what is about to be imported
            _ROOMS[threads] = Room(threads)
        return _ROOMS[threads]


def _gpus(offered: int) -> Gpus:
    """The GPUs of a worker that offers so many to dask."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    with _LOCK:
        return _GPUS.setdefault(offered, Gpus(visible.split(",") if visible else map(str, range(offered))))


@functools.cache
def _imported() -> dict[str, str]:
    """The code that cells of this process begin with, as it was when this was first asked.

    They are forked from a process that has imported it for good, whatever becomes of the files.
    """
    ours = importlib.metadata.distribution("dnabench").entry_points.select(group=PROJECT)
    return keys.code_of(keys.package_of(point.value) for point in ours)


def _refusal(expected: Mapping[str, str]) -> str:
    """Why this worker must not execute cells of a run that expects this; empty when it may."""
    if expected in _FIT:
        return ""
    why = difference(expected, described(expected))
    if not why:
        _FIT.append(expected)
    return why
