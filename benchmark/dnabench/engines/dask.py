"""The dask engine: cells on the workers of a dask scheduler, on as many machines as have joined it.

The workers decide how much runs at once. Each gives every cell a process of its own (see
:mod:`dnabench.engines.dask_worker`), whose result is in the store before it answers: with a worker nothing is lost but
what it was about.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import queue
import threading
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from distributed import Future, KilledWorker

from dnabench.engines import Ended, Event, Needs, Progressed, Started, dask_worker
from dnabench.errors import UserError
from dnabench.orders import CRASHED

if TYPE_CHECKING:
    from dnabench.engines.cluster import Cluster
    from dnabench.engines.sandbox import Limits

_LOOK = 2.0  # seconds between looks at the workers
_ALONE = 30.0  # seconds without a worker until it is said, each time twice as long
_FETCH = 10.0  # seconds that an answer may take from the worker that has it
_ATTEMPTS = 3  # how often a cell is handed to dask, which tries several workers each time


@dataclass(kw_only=True)
class _Cell:
    """A cell that has not ended.

    Attributes:
        attempt: how often it was handed to dask.
        failures: how often dask gave it back without an answer.
        only: addresses of the workers that may have it; empty for any.
    """

    name: str
    order: Mapping[str, Any]
    gpus: int
    attempt: int = 0
    failures: int = 0
    begun: bool = False
    only: set[str] = field(default_factory=set)
    future: Future | None = None


class DaskEngine:
    """Runs cells on a cluster. A cell that needs GPUs goes to a worker that offers as many as its resource GPU."""

    def __init__(self, cluster: Cluster, *, threads: int, limits: Limits) -> None:
        self._cluster = cluster
        self._threads = threads
        self._limits = dataclasses.asdict(limits)
        self._run = uuid.uuid4().hex
        self._expected: dict[str, str] = {}
        self._cells: dict[str, _Cell] = {}
        self._unfit: dict[str, str] = {}
        # What workers report, as text, and the names and attempts of cells that dask has done with.
        self._happened: queue.SimpleQueue[str | tuple[str, int]] = queue.SimpleQueue()
        self._looked = self._able = time.monotonic()
        self._alone = _ALONE
        cluster.listen(self._happened.put)

    def admit(self, site: Mapping[str, Any]) -> None:
        """Check all workers for a run. UserError when one has other code than this process, or another store.

        Args:
            site: a :class:`dnabench.orders.Site` as plain data.
        """
        expected = self._cluster.check_code(site["code"])
        self._cluster.check_store(site["store"])
        self._expected = expected

    def submit(self, name: str, order: Mapping[str, Any], needs: Needs) -> None:
        """See :class:`dnabench.engines.Engine`. UserError as in :meth:`admit`, which the first order stands for."""
        if not self._expected:
            self.admit(order["site"])
        self._cells[name] = _Cell(name=name, order=order, gpus=needs.gpus)
        self._send(self._cells[name])

    def events(self) -> Iterator[Event]:
        """See :class:`dnabench.engines.Engine`. UserError when the scheduler is gone, or no worker is fit any more."""
        while self._cells:
            with contextlib.suppress(queue.Empty):
                happened = self._happened.get(timeout=_LOOK)
                yield from self._reported(happened) if isinstance(happened, str) else self._returned(*happened)
            if time.monotonic() >= self._looked + _LOOK:
                self._look()
                self._looked = time.monotonic()

    def cancel(self) -> None:
        """See :class:`dnabench.engines.Engine`."""
        futures = [cell.future for cell in self._cells.values()]
        self._cells.clear()

        def cancel() -> None:
            with contextlib.suppress(Exception):  # with the connection to the scheduler, the cells are lost to it, too
                self._cluster.cancel(futures)
                self._cluster.tell(dask_worker.kill, self._run, self._threads)

        # A machine that is out of reach would be waited for.
        thread = threading.Thread(target=cancel, daemon=True)
        thread.start()
        thread.join(dask_worker.KILLED_WITHIN + 0.5)

    def close(self) -> None:
        """See :class:`dnabench.engines.Engine`."""
        self._cluster.close()

    def _send(self, cell: _Cell) -> None:
        if self._unfit:
            cell.only = self._cluster.workers().keys() - self._unfit.keys()
            if not cell.only:
                raise UserError(f"{self._cluster} has no other worker left; {list(self._unfit.values())[-1]}")
        cell.attempt += 1
        request = dask_worker.Request(
            run=self._run,
            name=cell.name,
            order=cell.order,
            limits=self._limits,
            threads=self._threads,
            gpus=cell.gpus,
            expected=self._expected,
            topic=self._cluster.topic,
        )
        # One group of tasks: dask keeps those that wait to itself instead of dealing them out to workers in advance.
        cell.future = self._cluster.submit(
            json.dumps(dataclasses.asdict(request)),
            key=(f"dnabench-{self._run}", cell.name, cell.attempt),
            workers=sorted(cell.only) or None,
            resources={dask_worker.GPU: cell.gpus} if cell.gpus else None,
        )
        returned = cell.name, cell.attempt
        cell.future.add_done_callback(lambda _: self._happened.put(returned))

    def _reported(self, text: str) -> Iterator[Event]:
        kind, name, *about = json.loads(text)
        cell = self._cells.get(name)
        if cell is None:
            return
        if kind == "progressed":
            done, total, stage = about
            yield Progressed(name=name, done=done, total=total, stage=stage)
        elif not cell.begun:
            cell.begun = True
            yield Started(name=name)
        else:
            warnings.warn(f"{name} begins again, on worker {about[0]}: the worker it was on is gone", stacklevel=2)

    def _returned(self, name: str, attempt: int) -> Iterator[Event]:
        """Dask has done with a cell: it has an answer, or is sent again."""
        cell = self._cells.get(name)
        if cell is None or cell.attempt != attempt or cell.future is None:
            return
        try:
            answer = json.loads(cell.future.result(timeout=_FETCH))
        except CancelledError:
            raise self._cluster.lost() from None
        except TimeoutError:  # its worker died with the answer, which the store has
            answer = None
        except KilledWorker as error:
            answer = self._excused(cell, f"worker after worker died with it, the last was {error.last_worker.name}")
        except Exception as error:  # noqa: BLE001 - a worker on which the function could not even be imported
            answer = self._excused(cell, f"{type(error).__name__}: {' '.join(str(error).split())}")
        if answer is None or "refused" in answer:
            self._find_unfit()
            self._send(cell)
        else:
            del self._cells[name]
            yield Ended(name=name, answer=answer)

    def _excused(self, cell: _Cell, error: str) -> dict[str, Any] | None:
        """The answer of a cell that dask gave back without one; None while it may be tried again."""
        cell.failures += 1
        if cell.failures < _ATTEMPTS:
            return None
        return {"status": CRASHED, "error": f"given up after {cell.failures} attempts: {error}"}

    def _find_unfit(self) -> None:
        """Note the workers that have joined with other code than the run's."""
        for address, why in self._cluster.unfit(self._expected).items():
            if address not in self._unfit:
                warnings.warn(f"no cell of this run for {why}", stacklevel=2)
                self._unfit[address] = why

    def _look(self) -> None:
        """See whether there is a worker for what waits; if there is none, go on waiting, but say so."""
        workers = self._cluster.workers()
        for cell in self._cells.values():
            if cell.only and not cell.only & workers.keys():
                self._send(cell)
        least = min((cell.gpus for cell in self._cells.values()), default=0)
        now = time.monotonic()
        if any(worker.gpus >= least for worker in workers.values()):
            self._able, self._alone = now, _ALONE
        elif now >= self._able + self._alone:
            lacking = f"no worker with {least} GPUs" if least else "no worker"
            warnings.warn(f"{self._cluster} has had {lacking} for {now - self._able:.0f} s; waiting", stacklevel=2)
            self._alone *= 2
