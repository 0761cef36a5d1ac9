"""The engine that ``--engine``, ``--device``, ``--jobs`` and the limits of cells stand for."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dnabench.cli import common
from dnabench.engines.local import LocalEngine, cores
from dnabench.engines.sandbox import Limits, ask, sandbox
from dnabench.errors import UserError
from dnabench.plugins import allowed_plugins

if TYPE_CHECKING:
    from dnabench.engines import Engine
    from dnabench.plan import Plan


class Host:
    """Where cells run. What has to be asked of it is asked when it is needed, while it starts beside this process.

    Use as a context manager.
    """

    def __init__(self, device: str, *, jobs: int | None, threads: int, limits: Limits) -> None:
        common.check_device(device)
        self._asked_device = device
        self._jobs = jobs
        self._threads = threads
        self._limits = limits
        sandbox(threads).warm_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "engine" in self.__dict__:
            self.engine.close()

    @cached_property
    def machine(self) -> dict[str, Any]:
        """Hardware and settings (see :func:`dnabench.provenance.machine`)."""
        return ask({"task": "machine"}, self._threads)

    @cached_property
    def device(self) -> str:
        """``cpu`` or ``cuda``. UserError when what was asked for is not there."""
        return common.choose_device(self._asked_device, len(self.machine["gpus"])).partition(":")[0]

    @cached_property
    def engine(self) -> Engine:
        """The engine."""
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

    def metric_files(self, plan: Plan, blocked: tuple[str, ...], store: Path) -> dict[str, list[str]]:
        """Digests of the files behind the metrics. UserError for a metric that refuses its options."""
        question = {
            "task": "check-metrics",
            "plan": plan.to_json(),
            "store": str(store),
            "blocked": blocked,
            "allowed": allowed_plugins(),
        }
        answer = ask(question, self._threads)
        if "refused" in answer:
            raise UserError(answer["refused"])
        digests: dict[str, list[str]] = answer["digests"]
        return digests


def open_host(engine: str, device: str, *, jobs: int | None, threads: int, limits: Limits) -> Host:
    """The host of ``--engine``. UserError for an engine that there is none of."""
    if engine == "local":
        return Host(device, jobs=jobs, threads=threads, limits=limits)
    raise UserError(f"--engine {engine}: it takes local or dask://HOST:PORT")
