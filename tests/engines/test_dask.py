"""Runs on a real dask cluster: the same results as here, whoever of the cluster goes, and whoever comes."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="dask is not installed"),
]

LOCAL: dict[str, bytes] = {}  # what the local engine made of these generators


@pytest.fixture
def command(promoters, tmp_path):
    """``command(lab, "good,waits", ...)``: the words of a run of these, on the lab's cluster if any."""

    def make(lab, generators: str, *more: object, name: str = "run") -> list[str]:
        words = [
            sys.executable, "-m", "dnabench", "run", "-g", generators, "-m", "motif-kl", "--dataset", promoters,
            "--no-controls", "--seeds", "0-2", "--out", tmp_path / name, "--store", tmp_path / f"{name}-store",
            *(["--engine", f"dask://127.0.0.1:{lab.port}"] if lab else []), *more,
        ]  # fmt: skip
        return [str(word) for word in words]

    return make


@pytest.fixture
def expected(command, tmp_path):
    """``expected(lab, "good,waits", ...)``: results.csv of the same run by the local engine."""

    def results(lab, generators: str, *more: object) -> bytes:
        if generators not in LOCAL:
            lab.gate.touch()
            assert lab.run(command(None, generators, *more, name="local")).returncode in (0, 1)
            LOCAL[generators] = (tmp_path / "local" / "results.csv").read_bytes()
            lab.forget()
        return LOCAL[generators]

    return results


def patched(statements: str, words: list[str]) -> list[str]:
    """A run whose process is less patient."""
    imports = "from dnabench.engines import cluster, dask; from dnabench.cli import main"
    return [sys.executable, "-c", f"{imports}; {statements}; main()", *words[3:]]


def alive(pid: int) -> bool:
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def events(run: Path, event: str) -> list[dict]:
    lines = (run / "events.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def test_failures_are_told_apart_and_results_are_the_local_engine_s(lab, command, expected, tmp_path):
    generators, more = "good,raises,segfaults,hangs", ("--timeout", "2s", "--seeds", "0-1")
    done = lab.run(command(lab, generators, *more))
    assert done.returncode == 1, done.stderr
    finished = {event["cell"]: event for event in events(tmp_path / "run", "cell-finished")}
    status = {cell: event["status"] for cell, event in finished.items()}
    assert [status[f"train/{name}/seed0"] for name in generators.split(",")] == ["done", "failed", "crashed", "timeout"]
    assert status["score/good/seed1/motif-kl"] == "done"
    assert {event["worker"] for cell, event in finished.items() if cell.startswith("train")} == {"w1", "w2"}
    assert len(events(tmp_path / "run", "cell-started")) == 4 * 2 + 2 + 2 + 2  # train; sample and score good; floor
    assert "in work" in (tmp_path / "run" / "logs" / "train" / "hangs" / "seed0.txt").read_text()
    assert (tmp_path / "run" / "results.csv").read_bytes() == expected(lab, generators, *more)


@pytest.mark.parametrize("deaths_allowed", [3, 0])
def test_with_a_lost_worker_only_its_running_cell_begins_anew(own_lab, deaths_allowed, command, expected, tmp_path):
    """Whether dask tries the cell again by itself, or blames it for the worker's death."""
    lab, results = own_lab, expected(own_lab, "good,waits")
    lab.scheduler(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=str(deaths_allowed))
    lab.worker("w1")
    lab.worker("w2")
    with lab.running(command(lab, "good,waits")) as run:
        lab.wait_until(lambda: len(lab.diary()) == 5)
        (lost,) = [cell for cell in lab.diary() if cell.generator == "Waits" and cell.worker == "w1"]
        lab.end("w1")
        lab.wait_until(lambda: not alive(int(lost.pid)), seconds=5)
        lab.gate.touch()
        assert run.wait(60) == 0, lab.err.read_text()
    begun = Counter(cell.seed for cell in lab.diary())
    assert [seed for seed, times in begun.items() if times > 1] == [lost.seed]
    assert [cell.worker for cell in lab.diary() if cell.seed == lost.seed] == ["w1", "w2"]
    assert len(begun) == 6
    assert "begins again, on worker w2" in lab.err.read_text()
    assert (tmp_path / "run" / "results.csv").read_bytes() == results


def test_a_cell_with_which_every_worker_dies_is_given_up(own_lab, command, tmp_path):
    lab = own_lab
    lab.scheduler(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    lab.worker("w1")
    with lab.running(patched("dask._ATTEMPTS = 2", command(lab, "waits", "--seeds", "0"))) as run:
        lab.wait_until(lambda: len(lab.diary()) == 1)
        lab.end("w1")
        lab.worker("w2")
        lab.wait_until(lambda: len(lab.diary()) == 2)
        lab.end("w2")
        assert run.wait(60) == 1
    (error,) = [event["error"] for event in events(tmp_path / "run", "cell-finished") if event["status"] == "crashed"]
    assert error.startswith("given up after 2 attempts: worker after worker died with it, the last was w2")


def test_a_run_without_workers_waits_for_others_but_without_a_scheduler_ends(own_lab, command):
    lab = own_lab
    lab.scheduler()
    lab.worker("w1")
    with lab.running(patched("dask._ALONE = 0.5; dask._LOOK = 0.1", command(lab, "waits", "--seeds", "0"))) as run:
        lab.wait_until(lambda: len(lab.diary()) == 1)
        lab.end("w1")
        lab.wait_until(lambda: "has had no worker for" in lab.err.read_text())
        lab.worker("w2")
        lab.wait_until(lambda: [cell.worker for cell in lab.diary()] == ["w1", "w2"])
        lab.end("scheduler")
        assert run.wait(20) == 2
    said = lab.err.read_text().splitlines()[-1]
    assert said.endswith("the connection to the scheduler is lost; finished cells are kept, the same command continues")


def test_a_killed_client_s_run_goes_on_where_it_was(lab, command, expected, tmp_path):
    results = expected(lab, "good,waits")
    with lab.running(command(lab, "good,waits")) as run:
        lab.wait_until(lambda: len(lab.diary()) == 5)
        run.kill()
    time.sleep(1)
    lab.gate.touch()
    done = lab.run(command(lab, "good,waits"))
    assert done.returncode == 0, done.stderr
    assert len(lab.diary()) == 6  # what ran went on and was waited for; what was done was not done again
    assert (tmp_path / "run" / "results.csv").read_bytes() == results


def test_ctrl_c_ends_cells_and_leaves_workers(lab, command, expected, tmp_path):
    results = expected(lab, "good,waits")
    with lab.running(command(lab, "good,waits")) as run:
        lab.wait_until(lambda: len(lab.diary()) == 5)
        cells = lab.cells()
        assert len(cells) == 2
        start = time.monotonic()
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 130
        assert time.monotonic() - start < 3  # a user's patience
        assert not [cell for cell in cells if alive(cell.pid)]
    said = lab.err.read_text().splitlines()
    assert said[-1] == "dnabench: interrupted: finished cells are kept, the same command continues"
    assert not [line for line in said if "Traceback" in line or "distributed" in line]
    (interrupted,) = events(tmp_path / "run", "run-interrupted")
    assert len(interrupted["cells"]) == 2
    lab.gate.touch()
    assert lab.run(command(lab, "good,waits")).returncode == 0
    assert (tmp_path / "run" / "results.csv").read_bytes() == results


def stub(site: Path) -> None:
    """Some other dnabench."""
    (site / "dnabench").mkdir(parents=True)
    (site / "dnabench" / "__init__.py").touch()


@pytest.fixture(params=["missing", "another", "stranger"])
def misfit(request, lab, tmp_path):
    """A way to start a worker whose packages are not the client's, its name, and what is said of it."""
    name, site = request.param, tmp_path / "site"
    make, message = {
        "missing": (site.mkdir, "lab_dna is missing there and "),
        "another": (lambda: lab.install(site, "# changed\n"), "lab_dna is "),
        "stranger": (lambda: stub(site), "No module named 'dnabench.engines'"),
    }[name]
    make()
    return lambda: lab.worker(name, site=site), f"worker {name} (tcp://127.0.0.1:", message


def test_a_worker_with_other_code_is_refused(lab, misfit, command):
    start, who, message = misfit
    start()
    done = lab.run(command(lab, "good"))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"dnabench: {who}")
    assert message in line
    assert lab.diary() == []


def test_a_worker_with_other_code_that_joins_later_gets_no_cells(lab, misfit, command, expected, tmp_path):
    start, who, message = misfit
    results = expected(lab, "good,waits")
    with lab.running(command(lab, "good,waits")) as run:
        lab.wait_until(lambda: len(lab.diary()) == 5)
        start()
        lab.wait_until(lambda: "warning" in lab.err.read_text())
        lab.gate.touch()
        assert run.wait(60) == 0, lab.err.read_text()
    (warning,) = [line for line in lab.err.read_text().splitlines() if "warning" in line]
    assert warning.startswith(f"dnabench: warning: no cell of this run for {who}")
    assert message in warning
    assert (tmp_path / "run" / "results.csv").read_bytes() == results


@pytest.mark.parametrize(
    ("mount", "message"),
    [("-t tmpfs none", "is not the same directory there"), ("-o bind,ro .", "cannot be read and written there: Read-")],
)
def test_a_worker_must_share_the_store(mount, message, lab, command, tmp_path):
    store = tmp_path / "run-store"
    store.mkdir()
    shell = f'cd {store} && mount {mount} {store} && cd / && exec "$@"'
    if lab.run(["unshare", "-m", "sh", "-c", shell, "sh", "true"]).returncode:
        pytest.skip("nothing can be mounted here")
    lab.worker("far", prefix=("unshare", "-m", "sh", "-c", shell, "sh"))
    done = lab.run(command(lab, "good"))
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("dnabench: worker far (tcp://127.0.0.1:")
    assert f": the store {store} {message}" in last
    assert last.endswith("; give a directory that all machines share with --store")
    assert not [path for path in store.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("engine", "more", "message"),
    [
        ("dask://127.0.0.1:{free}", (), "no dask scheduler answers there: [Errno 111] Connection refused"),
        ("dask://127.0.0.1:{port}", ("--jobs", "2"), "--jobs 2: how many cells run at once is up to the workers"),
        ("dask://127.0.0.1:{port}", ("--device", "cuda"), "sees a GPU; --device cpu works everywhere"),
        ("dask://127.0.0.1:{port}", ("--device", "cuda:1"), "a worker chooses among its GPUs itself"),
        ("dask://127.0.0.1:port", (), "it takes local or dask://HOST:PORT"),
        ("dask:127.0.0.1", (), "it takes local or dask://HOST:PORT"),
    ],
)
def test_what_cannot_work_is_said_at_once(engine, more, message, lab, command, tmp_path):
    words = command(None, "good", "--engine", engine.format(free=lab.free_port(), port=lab.port), *more)
    start = time.monotonic()
    done = lab.run(words)
    assert time.monotonic() - start < 10
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_scheduler_without_workers_is_waited_for_a_little(own_lab, command):
    own_lab.scheduler()
    done = own_lab.run(patched("cluster._FIRST_WORKER = 1", command(own_lab, "good")))
    assert done.returncode == 2
    warning, error = done.stderr.splitlines()
    assert warning.endswith("has no workers; waiting 1 s for one to join")
    assert error.endswith("has no workers; start some with: dask worker tcp://HOST:PORT --nthreads 1")


def test_without_dask_it_says_what_to_install(own_lab, command):
    source = "import sys; sys.modules['distributed'] = None; from dnabench.cli import main; main()"
    done = own_lab.run([sys.executable, "-c", source, *command(own_lab, "good")[3:]])
    assert done.returncode == 2
    assert done.stderr.endswith("; pip install dnabench[dask]\n")


GPUS = """
import sys
from dnabench.engines import Ended, Needs
from dnabench.engines.cluster import Cluster
from dnabench.engines.dask import DaskEngine
from dnabench.engines.sandbox import Limits
from dnabench.errors import UserError

cluster = Cluster("127.0.0.1", int(sys.argv[1]))
cluster.check_gpus(2)
try:
    cluster.check_gpus(3)
except UserError as error:
    print(error)
engine = DaskEngine(cluster, threads=1, limits=Limits())
for name in "abcd":
    engine.submit(name, {"task": "machine", "site": {"code": {}, "store": sys.argv[2]}}, Needs(gpus=2))
print(*sorted(event.name + event.answer["worker"] for event in engine.events() if isinstance(event, Ended)))
engine.close()
"""


def test_cells_that_need_gpus_go_where_they_are_offered(lab, tmp_path):
    done = lab.run([sys.executable, "-c", GPUS, str(lab.port), str(tmp_path)])
    refusal, ended = done.stdout.splitlines()
    assert refusal.startswith("a cell of this run needs 3 GPUs, and no worker of dask://127.0.0.1:")
    assert ended == "aw2 bw2 cw2 dw2"
