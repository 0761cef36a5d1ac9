"""A dask cluster of real processes, for the tests of its engine."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

PLUGIN = (Path(__file__).parent / "lab_dna.py").read_text()


class Training(NamedTuple):
    """A training that has begun."""

    generator: str
    seed: str
    worker: str
    pid: str


class Lab:
    """A scheduler and workers, each with a directory of its own below ``home``, and runs on them.

    Attributes:
        processes: scheduler and workers by name.
        gate: a file; once there is one, cells of ``waits`` end.
        err: the file that :meth:`running` has stderr go to.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.processes: dict[str, subprocess.Popen] = {}
        self.gate = home / "gate"
        self.err = home / "stderr.txt"
        self.port = self.free_port()
        self.install(home / "site")

    @staticmethod
    def free_port() -> int:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return listener.getsockname()[1]

    @staticmethod
    def wait_until(condition: Callable[[], Any], seconds: float = 60) -> None:
        limit = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < limit
            time.sleep(0.02)

    @staticmethod
    def install(site: Path, more: str = "") -> None:
        """Install the plugin, as pip would; with more of code it is another one."""
        info = site / "lab_dna-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "lab_dna.py").write_text(PLUGIN + more)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab_dna\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[dnabench]\nlab_dna = lab_dna\n")

    def scheduler(self, **settings: str) -> None:
        """Start the scheduler, with these variables in its environment."""
        arguments = ["--host", "127.0.0.1", "--port", self.port]
        self._begin("scheduler", "dask_scheduler", arguments, {**os.environ, **settings}, "Scheduler at:")

    def worker(self, name: str, *more: str, prefix: tuple[object, ...] = (), site: Path | None = None) -> None:
        """Start a worker, by the command ``prefix`` if any, with the packages in ``site``; on return it has joined."""
        arguments = [f"tcp://127.0.0.1:{self.port}", "--nthreads", "1", "--no-nanny", "--name", name, *more]
        self._begin(name, "dask_worker", arguments, self.environment(name, site), "Registered to:", prefix)

    def environment(self, name: str, site: Path | None = None) -> dict[str, str]:
        path = [str(site or self.home / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
        ours = {"DIARY": self.home / "diary", "GATE": self.gate, "WORKER": name, "PYTHONPATH": os.pathsep.join(path)}
        return {**os.environ, **{variable: str(value) for variable, value in ours.items()}}

    def _begin(
        self, name: str, module: str, arguments: list, environment: dict, sign: str, prefix: tuple[object, ...] = ()
    ) -> None:
        place = self.home / name
        place.mkdir(exist_ok=True)
        words = [*prefix, sys.executable, "-m", f"distributed.cli.{module}", "--no-dashboard", *arguments]
        with (place / "log.txt").open("wb") as log:
            process = subprocess.Popen(list(map(str, words)), cwd=place, stdout=log, stderr=log, env=environment)
        self.processes[name] = process
        self.wait_until(lambda: process.poll() is not None or sign in (place / "log.txt").read_text())
        assert process.poll() is None, (place / "log.txt").read_text()

    def end(self, *names: str) -> None:
        """Kill these."""
        for name in names:
            process = self.processes.pop(name)
            process.kill()
            process.wait()

    def cells(self) -> list[psutil.Process]:
        """The processes of cells on all workers: children of the workers' children, the fork servers."""
        workers = [process.pid for name, process in self.processes.items() if name != "scheduler"]
        servers = [server for pid in workers for server in psutil.Process(pid).children()]
        return [cell for server in servers for cell in server.children(recursive=True)]

    def diary(self) -> list[Training]:
        """The trainings that have begun."""
        path = self.home / "diary"
        return [Training(*line.split()) for line in path.read_text().splitlines()] if path.exists() else []

    def forget(self) -> None:
        """Close the gate, and begin a new diary."""
        for path in (self.gate, self.home / "diary"):
            path.unlink(missing_ok=True)

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        """Have a run end."""
        how = {"env": self.environment("client"), "cwd": self.home, "timeout": 120}
        return subprocess.run(words, capture_output=True, text=True, check=False, **how)

    @contextlib.contextmanager
    def running(self, words: list[str]) -> Iterator[subprocess.Popen]:
        """A run, which is killed in the end."""
        with self.err.open("w") as log:
            how = {"stdout": subprocess.DEVNULL, "stderr": log}
            process = subprocess.Popen(words, env=self.environment("client"), cwd=self.home, **how)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    try:
        lab.scheduler()
        lab.worker("w1")
        lab.worker("w2", "--resources", "GPU=2")
        yield lab
    finally:
        lab.end(*lab.processes)


@pytest.fixture
def lab(shared_lab):
    """A cluster of two workers, w1 and w2, which other tests use, too."""
    shared_lab.forget()
    yield shared_lab
    shared_lab.end(*shared_lab.processes.keys() - {"scheduler", "w1", "w2"})
    shared_lab.gate.touch()
    shared_lab.wait_until(lambda: not shared_lab.cells())


@pytest.fixture
def own_lab(tmp_path):
    """A cluster with nothing started yet."""
    lab = Lab(tmp_path / "lab")
    yield lab
    lab.end(*lab.processes)
