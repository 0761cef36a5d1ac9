"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pytest
from hypothesis import settings

from dnabench import Context, SequenceSet
from dnabench.cli import main

# The first example may compile a kernel, on a machine that has other work: how long it takes says nothing.
settings.register_profile("dnabench", deadline=None)
settings.load_profile("dnabench")


LONGEST = ["test_main_job.py", "test_kills.py", "test_tutorial.py", "test_builtins.py", "test_dask.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that of two workers none waits for one of them at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real promoters, motif matrices and oracles beside the project; skips where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real data at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture(scope="session")
def real_promoters(real_data: Path) -> Callable[[str], SequenceSet]:
    """Real promoters of a species by its two letters, 256 bp around the TSS at index 205."""
    return lambda species: SequenceSet.from_fasta(real_data / "promoters256" / f"{species}.fa.gz")


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[..., Context]:
    """A Context as a plugin gets it: ``make_context(seed=1, length=64)``."""

    def make(**attributes) -> Context:
        scratch = tmp_path / f"scratch{len(list(tmp_path.iterdir()))}"
        scratch.mkdir()
        return Context(**{"length": 256, "scratch": scratch, **attributes})

    return make


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def dnabench(capsys, monkeypatch, tmp_path) -> Callable[..., Ended]:
    """``dnabench("run", "--generator", "markov")`` -> exit code, stdout, stderr; in an empty directory and store."""
    home = tmp_path / "cwd"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("DNABENCH_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def call(*arguments: object) -> Ended:
        capsys.readouterr()
        with warnings.catch_warnings(), pytest.raises(SystemExit) as stop:
            warnings.simplefilter("default")
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(int(stop.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def shared_promoters(tmp_path_factory) -> Path:
    """700 sequences of 64 bp: a start codon at 30, GC of two species. Of all tests: none changes it."""
    rng = np.random.default_rng(0)
    gc = rng.choice([0.3, 0.7], 700)[:, None, None]
    weights = np.concatenate([(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2], axis=2)
    codes = (rng.random((700, 64, 1)) > weights.cumsum(axis=2)[:, :, :3]).sum(2).astype(np.uint8)
    codes[:, 30:33] = (0, 3, 2)
    path = tmp_path_factory.mktemp("promoters") / "promoters.fa.gz"
    SequenceSet(codes).to_fasta(path)
    return path


@pytest.fixture
def promoters(shared_promoters, tmp_path) -> Path:
    """The same, a file of one's own."""
    return Path(shutil.copy(shared_promoters, tmp_path))


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a plugin package of one module, as pip would."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def place(name: str, source: str) -> None:
        monkeypatch.delitem(sys.modules, name, raising=False)  # another test's, of the same name
        (site / f"{name}.py").write_text(source)
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[dnabench]\n{name} = {name}\n")

    return place


@pytest.fixture
def wild(install) -> None:
    """The plugin of ``wild_dna.py``, installed."""
    install("wild_dna", (Path(__file__).parent / "wild_dna.py").read_text())


@pytest.fixture
def torchrun(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """``torchrun(program, *arguments, ranks=2)``: have processes, in which a warning is an error, run a program."""

    def run(program: str, *arguments: object, ranks: int) -> subprocess.CompletedProcess:
        (tmp_path / "program.py").write_text(program, encoding="utf-8")
        command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={ranks}", "--rdzv-backend=c10d"]
        command += ["--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1", "--monitor-interval=0.05"]
        command += [str(tmp_path / "program.py"), *map(str, arguments)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as launcher:
            try:
                out, err = launcher.communicate(timeout=240)
            finally:  # it gives each process a session of its own, out of reach of its own end
                for process in psutil.Process(launcher.pid).children(recursive=True) if launcher.poll() is None else ():
                    process.kill()
                launcher.kill()
        return subprocess.CompletedProcess(command, launcher.returncode, out, err)

    return run


class Host:
    """A web server of this machine.

    Attributes:
        directory: what it serves.
        asked: the paths that were asked for.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.asked: list[str] = []
        handler = partial(_Handler, host=self)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def put(self, path: str, content: str) -> None:
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments, host: Host) -> None:
        self.host = host
        super().__init__(*arguments, directory=str(host.directory))

    def do_GET(self) -> None:
        self.host.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def host(tmp_path, monkeypatch) -> Iterator[Host]:
    """A web server with an empty directory; no proxy stands before it."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    directory = tmp_path / "host"
    directory.mkdir()
    host = Host(directory)
    thread = threading.Thread(target=host.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield host
    finally:
        host.server.shutdown()
        thread.join()
        host.server.server_close()
