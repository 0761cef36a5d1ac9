"""A sandbox for a process of many threads: one thread looks after it, the others leave orders and wait for answers."""

from __future__ import annotations

import atexit
import contextlib
import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from dnabench.engines import Ended, Event
from dnabench.engines.sandbox import Limits, Sandbox
from dnabench.orders import CRASHED, INTERRUPTED

_WATCH = 0.05  # seconds between looks at what else there is to do, while cells run
_PATIENCE = 2.0  # seconds that the end of a process may take


@dataclass(frozen=True, kw_only=True)
class _Cell:
    group: str
    answer: Future[dict[str, Any]]
    heard: Callable[[Event], None]


class Room:
    """Executes orders, each in a process of its own that computes with ``threads`` threads; safe to use by any thread.

    Every order belongs to a group, which can be killed.
    """

    def __init__(self, threads: int) -> None:
        self._sandbox = Sandbox(threads)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._cells: dict[str, _Cell] = {}
        self._killed: set[str] = set()
        self._open = True
        self._inbox.put(self._sandbox.warm_up)
        self._thread = threading.Thread(target=self._serve, name="dnabench-room", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def execute(
        self,
        order: Mapping[str, Any],
        limits: Limits = Limits(),  # noqa: B008
        *,
        group: str = "",
        environment: Mapping[str, str] | None = None,
        heard: Callable[[Event], None] = lambda _: None,
    ) -> Future[dict[str, Any]]:
        """The answer to come; until then ``heard`` is told what happens, in a thread that must not wait."""
        future: Future[dict[str, Any]] = Future()

        def begin() -> None:
            if not future.set_running_or_notify_cancel():
                return
            if group in self._killed:
                future.set_result({"status": INTERRUPTED, "error": "interrupted"})
                return
            name = uuid.uuid4().hex
            self._cells[name] = _Cell(group=group, answer=future, heard=heard)
            self._sandbox.start(name, order, limits, environment)

        self._inbox.put(begin)
        return future

    def kill(self, group: str) -> None:
        """Kill what runs of a group, and let nothing of it begin any more."""

        def kill() -> None:
            self._killed.add(group)
            for name, cell in self._cells.items():
                if cell.group == group:
                    self._sandbox.kill(name)

        self._inbox.put(kill)

    def holds(self, group: str) -> bool:
        """Whether something of the group runs."""
        return any(cell.group == group for cell in list(self._cells.values()))

    def close(self) -> None:
        """Kill everything; on return no process is left."""
        self._inbox.put(self._leave)
        self._thread.join(_PATIENCE)

    def _leave(self) -> None:
        self._open = False
        self._give_up("its worker was closed")

    def _serve(self) -> None:
        while self._open:
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - this thread must go on, and every order be answered
                self._give_up(f"its worker failed: {type(error).__name__}: {error}")

    def _turn(self) -> None:
        """Do what was asked for; where nothing was, see to the cells."""
        with contextlib.suppress(queue.Empty):
            self._inbox.get(block=not self._cells)()
            return
        for event in self._sandbox.events(wait=_WATCH):
            if isinstance(event, Ended):
                self._cells.pop(event.name).answer.set_result(dict(event.answer))
            else:
                self._cells[event.name].heard(event)

    def _give_up(self, why: str) -> None:
        self._sandbox.close()
        cells, self._cells = self._cells, {}
        for cell in cells.values():
            cell.answer.set_result({"status": CRASHED, "error": why})
