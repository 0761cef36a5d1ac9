"""A dask scheduler and its workers: who is there, and whether they are fit to execute the cells of a run."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import socket
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client, Future
from distributed.comm import connect

from dnabench.engines import dask_worker
from dnabench.errors import UserError

_CONNECT = 5.0  # seconds
_FIRST_WORKER = 10.0  # seconds that the first worker is waited for
_SEEN_WITHIN = 5.0  # seconds until a file that another machine has written is seen here

# A worker that is sent a function it cannot import dies of it; of this text only the cell fails.
_RUN_CELL = "__import__('dnabench.engines.dask_worker', fromlist=['run_cell']).run_cell(text)"

_LEAVING = ("closing", "closing_gracefully", "closed", "failed")


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker as the scheduler knows it; ``gpus`` is how many it offers as a resource."""

    address: str
    name: str
    gpus: int

    def __str__(self) -> str:
        return f"worker {self.name}" if self.name == self.address else f"worker {self.name} ({self.address})"


class Cluster:
    """A connection to the scheduler at ``host`` and ``port``. UserError when there is none."""

    def __init__(self, host: str, port: int) -> None:
        self._name = f"dask://{host}:{port}"
        for name in ("distributed", *logging.root.manager.loggerDict):
            if name.partition(".")[0] == "distributed":
                logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters comes as an exception
        address = f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"
        try:
            # A client would go on trying where the answer is a clear no, and wait for ever for one that is none.
            socket.create_connection((host, port), timeout=_CONNECT).close()
            asyncio.run(_greet(address))
            self._client = Client(address, timeout=_CONNECT, set_as_default=False, name="dnabench")
        except Exception as error:  # noqa: BLE001 - whatever listens may answer anything
            why = " ".join(str(error).split()) or type(error).__name__
            raise UserError(
                f"{self}: no dask scheduler answers there: {why}; start one with: dask scheduler --port {port}"
            ) from None
        self.topic: str = self._client.id  # what is said there is forgotten with the client

    def __str__(self) -> str:
        return self._name

    def close(self) -> None:
        """Disconnect."""
        with contextlib.suppress(Exception):  # a scheduler that is gone needs no farewell
            self._client.close(timeout=2)

    def workers(self) -> dict[str, Worker]:
        """The workers that are there now, by address, ordered by name. UserError when the scheduler is gone."""
        try:
            # Client.scheduler_info may give what the client has just asked for itself, which leaves workers out.
            found = self._client.sync(self._client.scheduler.identity)["workers"]
        except (OSError, AttributeError):  # the latter where the client has closed itself
            raise self.lost() from None
        return {
            address: Worker(address=address, name=str(about["name"]), gpus=int(about["resources"].get("GPU", 0)))
            for address, about in sorted(found.items(), key=lambda item: str(item[1]["name"]))
            if about["status"] not in _LEAVING
        }

    def lost(self) -> UserError:
        """What to raise when the scheduler is gone."""
        return UserError(
            f"{self}: the connection to the scheduler is lost; finished cells are kept, the same command continues"
        )

    def wait_for_workers(self) -> None:
        """Return once there is a worker. UserError when none comes for some seconds."""
        limit = time.monotonic() + _FIRST_WORKER
        if not self.workers():
            warnings.warn(f"{self} has no workers; waiting {_FIRST_WORKER:g} s for one to join", stacklevel=2)
        while not self.workers():
            if time.monotonic() > limit:
                raise UserError(f"{self} has no workers; start some with: dask worker tcp://HOST:PORT --nthreads 1")
            time.sleep(0.2)

    def unfit(self, expected: Mapping[str, str]) -> dict[str, str]:
        """The workers, by address, that have anything but this (see ``dask_worker.described``), and what it is."""
        found = {}
        for worker, answer in self._answers(self.workers(), dask_worker.describe, list(expected)):
            if isinstance(answer, Exception):
                why = f"it cannot execute cells: {_line(answer)}"
            else:
                why = dask_worker.difference(expected, answer)
            if why:
                found[worker.address] = f"{worker}: {why}"
        return found

    def check_code(self, packages: Iterable[str]) -> dict[str, str]:
        """What a worker must have to execute cells of these packages. UserError when one has anything else."""
        expected = dask_worker.described(packages)
        for why in self.unfit(expected).values():
            raise UserError(why)
        return expected

    def check_store(self, store: str) -> None:
        """UserError when a worker does not read and write the very directory that is the store here."""
        place, token = Path(store, f".workers-{uuid.uuid4().hex}"), uuid.uuid4().hex
        place.mkdir()
        try:
            (place / dask_worker.TOKEN).write_text(token, encoding="utf-8")
            for worker, answer in self._ask(self.workers(), dask_worker.see_store, str(place), token):
                why = answer.get("error") or _missing(place / answer["file"], token)
                if why:
                    raise UserError(
                        f"{worker}: the store {store} {why}; give a directory that all machines share with --store"
                    )
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def check_gpus(self, count: int) -> None:
        """UserError when no worker offers so many GPUs at once."""
        if not any(worker.gpus >= count for worker in self.workers().values()):
            raise UserError(
                f"a cell of this run needs {count} GPUs, and no worker of {self} offers as many: start one with "
                f"--resources GPU={count}, or run with --device cpu"
            )

    def ask(self, order: Mapping[str, Any], threads: int, *, all_workers: bool = False) -> list[dict[str, Any]]:
        """The answers to an order that is no cell, of one worker or of all. UserError when there is none."""
        workers = self.workers()
        asked = workers if all_workers else dict(list(workers.items())[:1])
        found = []
        for worker, answer in self._ask(asked, dask_worker.ask, json.dumps(order), threads):
            if "error" in answer:
                last = answer.get("log", "").strip().splitlines()[-1:]
                raise UserError(": ".join([str(worker), answer["error"], *last]))
            found.append({name: value for name, value in answer.items() if name not in ("seconds", "log", "stack")})
        if not found:
            raise UserError(f"{self}: the workers that were asked are gone; start the same command again")
        return found

    def tell(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Have a function called on all workers, whatever comes of it."""
        self._client.run(function, *arguments, on_error="ignore")

    def submit(self, text: str, **how: Any) -> Future:
        """Have :func:`dnabench.engines.dask_worker.run_cell` called on a worker, after what was submitted before.

        UserError when the scheduler is gone.
        """
        try:
            return self._client.submit(
                eval, _RUN_CELL, {"text": text}, pure=False, retries=0, fifo_timeout="0 ms", **how
            )
        except Exception:
            if self._client.status in ("running", "connecting"):
                raise
            raise self.lost() from None

    def cancel(self, futures: list[Future]) -> None:
        """Have the scheduler forget these."""
        self._client.cancel(futures, force=True)

    def listen(self, heard: Callable[[str], None]) -> None:
        """Have ``heard`` called, in another thread, with what workers say about :attr:`topic`."""

        def sort(event: tuple[float, Any]) -> None:
            if isinstance(event[1], str):  # the scheduler itself speaks in mappings
                heard(event[1])

        self._client.subscribe_topic(self.topic, sort)

    def _ask(
        self, workers: Mapping[str, Worker], function: Callable[..., Any], *arguments: Any
    ) -> list[tuple[Worker, Any]]:
        """What a function, which returns JSON, says on each of these workers. UserError when it raises."""
        answers = self._answers(workers, function, *arguments)
        for worker, answer in answers:
            if isinstance(answer, Exception):
                raise UserError(f"{worker}: {_line(answer)}")
        return answers

    def _answers(
        self, workers: Mapping[str, Worker], function: Callable[..., Any], *arguments: Any
    ) -> list[tuple[Worker, Any]]:
        """As :meth:`_ask`, but with the exception where the function raises."""
        try:
            said = self._client.run(function, *arguments, workers=list(workers), on_error="return")
        except OSError:
            raise self.lost() from None
        remain = self.workers()  # whoever has left meanwhile has no say
        return [
            (worker, json.loads(said[address]) if isinstance(said[address], str) else said[address])
            for address, worker in workers.items()
            if address in said and address in remain
        ]


def _line(error: Exception) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    # What a worker cannot send comes as an Exception of its text.
    return text if type(error) is Exception else f"{type(error).__name__}: {text}"


async def _greet(address: str) -> None:
    """Have a scheduler say that it is one; raises whatever comes of it otherwise."""
    async with asyncio.timeout(_CONNECT):
        comm = await connect(address, timeout=_CONNECT)
        try:
            await comm.write({"op": "identity", "reply": True})
            kind = (await comm.read())["type"]
        finally:
            comm.abort()
    if kind != "Scheduler":
        raise ValueError(f"it is a dask {kind.lower()}")


def _missing(path: Path, token: str) -> str:
    """What to say of a file that a worker has written and that cannot be seen here; empty when it can."""
    limit = time.monotonic() + _SEEN_WITHIN
    while True:
        with contextlib.suppress(OSError):
            if path.read_text(encoding="utf-8") == token:
                return ""
        if time.monotonic() > limit:
            return "is not the same directory there"
        time.sleep(0.1)
