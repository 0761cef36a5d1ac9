"""The engine that ``--engine``, ``--device``, ``--jobs`` and the limits of cells stand for."""

from __future__ import annotations

import dataclasses
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from dnabench.engines.local import LocalEngine, cores
from dnabench.engines.sandbox import Limits, ask, sandbox
from dnabench.errors import UserError
from dnabench.numerics import check_device, choose_device
from dnabench.plugins import allowed_plugins

if TYPE_CHECKING:
    from dnabench.engines import Engine
    from dnabench.engines.cluster import Cluster
    from dnabench.engines.dask import DaskEngine
    from dnabench.orders import Site
    from dnabench.plan import Plan

_DASK_PORT = 8786


class Host(ABC):
    """Where cells run. What has to be asked of it is asked when it is needed, while it starts beside this process.

    Use as a context manager.
    """

    def __init__(self, device: str, *, threads: int, limits: Limits) -> None:
        check_device(device)
        self._asked_device = device
        self._threads = threads
        self._limits = limits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "engine" in self.__dict__:
            self.engine.close()

    @property
    @abstractmethod
    def machine(self) -> dict[str, Any]:
        """Hardware and settings that cells find (see :func:`dnabench.provenance.machine`)."""

    @property
    @abstractmethod
    def engine(self) -> Engine:
        """The engine."""

    @cached_property
    def device(self) -> str:
        """``cpu`` or ``cuda``. UserError when what was asked for is not there."""
        return self.device_here.partition(":")[0]

    @property
    def device_here(self) -> str:
        """The device with the number that was asked for, for a process that sees all GPUs."""
        return choose_device(self._asked_device, len(self.machine["gpus"]))

    @abstractmethod
    def check(self, plan: Plan) -> None:
        """UserError for a plan with a cell that takes more GPUs than there are."""

    @abstractmethod
    def admit(self, site: Site) -> None:
        """UserError where cells would not find what they work on; for when nothing has been written yet."""

    def metric_files(self, plan: Plan, blocked: tuple[str, ...], store: Path) -> dict[str, list[str]]:
        """Digests of the files behind the metrics. UserError for a metric that refuses its options."""
        question = {
            "task": "check-metrics",
            "plan": plan.to_json(),
            "store": str(store),
            "blocked": blocked,
            "allowed": allowed_plugins(),
        }
        answer = self._ask(question)
        if "refused" in answer:
            raise UserError(answer["refused"])
        digests: dict[str, list[str]] = answer["digests"]
        return digests

    @abstractmethod
    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an order that is no cell, where cells run."""


class LocalHost(Host):
    """The machine that this process runs on."""

    def __init__(self, device: str, *, jobs: int | None, threads: int, limits: Limits) -> None:
        super().__init__(device, threads=threads, limits=limits)
        self._jobs = jobs
        sandbox(threads).warm_up()

    @cached_property
    def machine(self) -> dict[str, Any]:
        """See :class:`Host`."""
        return self._ask({"task": "machine"})

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return ask(order, self._threads)

    @cached_property
    def engine(self) -> Engine:
        """See :class:`Host`."""
        gpus = self._gpus()
        jobs = self._jobs or max(len(gpus), cores() // self._threads, 1)
        return LocalEngine(jobs=jobs, threads=self._threads, gpus=gpus, limits=self._limits)

    def _gpus(self) -> list[str]:
        """What CUDA_VISIBLE_DEVICES calls the GPUs that may be used."""
        if self.device != "cuda":
            return []
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = visible.split(",") if visible else [str(index) for index in range(len(self.machine["gpus"]))]
        _, _, index = self._asked_device.partition(":")
        return [names[int(index)]] if index else names[: len(self.machine["gpus"])]

    def check(self, plan: Plan) -> None:
        """UserError for a generator that is to train on more GPUs than there are."""
        for generator in plan.generators:
            if generator.device == "cuda" and generator.devices > len(self._gpus()):
                raise UserError(
                    f"generator {generator.name} is to train on {generator.devices} devices, but only "
                    f"{len(self._gpus())} can be used here"
                )

    def admit(self, site: Site) -> None:
        """See :class:`Host`; whatever is here is here for cells, too."""


class DaskHost(Host):
    """The workers of a dask scheduler. Entering it is a UserError when there are none, or with another dnabench.

    Args:
        address: ``dask://HOST[:PORT]``.
    """

    _cluster: Cluster

    def __init__(self, address: str, device: str, *, threads: int, limits: Limits) -> None:
        self._address = address
        self._place = _host_and_port(address)
        if device.startswith("cuda:"):
            raise UserError(f"--device {device}: a worker chooses among its GPUs itself; say --device cuda")
        super().__init__(device, threads=threads, limits=limits)

    def __enter__(self) -> Self:
        try:
            from dnabench.engines import dask_worker
            from dnabench.engines.cluster import Cluster
        except ModuleNotFoundError as error:
            raise UserError(f"--engine {self._address}: {error}; pip install dnabench[dask]") from None
        self._cluster = Cluster(*self._place)
        try:
            self._cluster.wait_for_workers()
            self._cluster.check_code(())
            self._cluster.tell(dask_worker.warm_up, self._threads)
        except BaseException:
            self._cluster.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cluster.close()

    @cached_property
    def machine(self) -> dict[str, Any]:
        """See :class:`Host`: what one worker finds, one with a GPU if there is any; ``workers`` has all that differ."""
        machines = self._cluster.ask({"task": "machine"}, self._threads, all_workers=True)
        kinds = [machine for number, machine in enumerate(machines) if machine not in machines[:number]]
        most = max(kinds, key=lambda machine: len(machine["gpus"]))
        return {**most, "workers": [{"count": machines.count(kind), **kind} for kind in kinds]}

    @cached_property
    def device(self) -> str:
        """See :class:`Host`: ``cuda`` where a worker sees a GPU."""
        if self._asked_device == "cuda" and not self.machine["gpus"]:
            raise UserError(f"--device cuda: no worker of {self._cluster} sees a GPU; --device cpu works everywhere")
        return super().device

    @cached_property
    def engine(self) -> DaskEngine:
        """See :class:`Host`."""
        from dnabench.engines.dask import DaskEngine

        return DaskEngine(self._cluster, threads=self._threads, limits=self._limits)

    def check(self, plan: Plan) -> None:
        """UserError for a plan with a cell that takes more GPUs at once than any worker offers, or another Python."""
        from dnabench.execution import needs_of

        for generator in plan.generators:
            if generator.environment:
                raise UserError(f"--python {generator.plugin}: only this machine has that Python; use --engine local")
        if count := max(needs_of(plan, cell).gpus for cell in plan.cells()):
            self._cluster.check_gpus(count)

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        (answer,) = self._cluster.ask(order, self._threads)
        return answer

    def admit(self, site: Site) -> None:
        """UserError when a worker has other code than this process, or does not share its store."""
        self.engine.admit(dataclasses.asdict(site))


def open_host(engine: str, device: str, *, jobs: int | None, threads: int, limits: Limits) -> Host:
    """The host of ``--engine``. UserError for an engine that there is none of."""
    if engine == "local":
        return LocalHost(device, jobs=jobs, threads=threads, limits=limits)
    if jobs is not None and engine.startswith("dask:"):
        raise UserError(f"--jobs {jobs}: how many cells run at once is up to the workers of {engine}; leave it out")
    return DaskHost(engine, device, threads=threads, limits=limits)


def _host_and_port(address: str) -> tuple[str, int]:
    """Of ``dask://HOST[:PORT]``. UserError for anything else."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # no number, or one that no port has
        host, port = None, None
    if not host or address.partition("://")[0] != "dask" or parts.netloc != address.partition("://")[2]:
        raise UserError(f"--engine {address}: it takes local or dask://HOST:PORT")
    return host, port or _DASK_PORT
