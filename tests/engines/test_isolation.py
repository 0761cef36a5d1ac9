"""Cells that go wrong in every way a process can, beside cells that do not."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def events_of(run: Path, event: str) -> list[dict]:
    lines = (run / "events.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


@pytest.fixture
def command(tmp_path, promoters, wild):
    """``command("good,raises", "--jobs", 1)``: the arguments of a process that runs these generators."""

    def make(generators: str, *more: object) -> list[str]:
        words = [
            sys.executable, "-m", "dnabench", "run", "-g", generators, "-m", "motif-kl", "--dataset", promoters,
            "--no-controls", "--out", tmp_path / "run", "--store", tmp_path / "store", *more,
        ]  # fmt: skip
        return [str(word) for word in words]

    return make


@pytest.fixture
def environment(tmp_path) -> dict:
    """Where such a process runs, and with what."""
    return {"env": {**os.environ, "PYTHONPATH": str(tmp_path / "site")}, "cwd": tmp_path}


def offspring(process: subprocess.Popen) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def wait_until(condition, seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def all_gone(processes: list[psutil.Process]) -> bool:
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_every_failure_is_told_from_the_others_and_stops_nobody(command, environment, tmp_path):
    generators = "good,raises,segfaults,hangs,eats,exits,quits,killed"
    done = subprocess.run(
        command(generators, "--seeds", "0-3", "--timeout", "8s", "--memory", "700M", "--jobs", 4, "--retry", "all"),
        **environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    rows = [row for row in rows_of(tmp_path / "run" / "results.csv") if row["metric"] == "motif-kl"]
    assert len(rows) == 8 * 4
    found = {(row["generator"], row["status"]) for row in rows}
    assert found == {
        ("good", "done"), ("raises", "failed"), ("segfaults", "crashed"), ("hangs", "timeout"), ("eats", "oom"),
        ("exits", "crashed"), ("quits", "crashed"), ("killed", "crashed"),
    }  # fmt: skip
    error = {row["generator"]: row["error"] for row in rows}
    said = "; last lines of its log: about to begin"
    assert error["good"] == ""
    assert error["raises"] == f"ValueError: no luck{said}"
    assert error["segfaults"] == f"its process was killed by SIGSEGV{said}"
    assert error["hangs"] == f"stopped after 8 s, the limit set with --timeout{said}"
    assert error["eats"] == f"stopped beyond 0.7 GB of memory, the limit set with --memory{said}"
    assert error["exits"] == f"its process ended with exit code 7{said}"
    assert error["quits"] == f"its process ended without an answer{said}"
    assert error["killed"] == f"its process was killed by SIGKILL{said}"
    # Where it was: of a crash the stack at that moment, of a cell that was stopped the stack then.
    logs = tmp_path / "run" / "logs" / "train"
    for generator in ("raises", "segfaults", "hangs"):
        assert "in misbehave" in (logs / generator / "seed0.txt").read_text(), generator
    children = (tmp_path / "child.txt").read_text().split()
    assert len(children) == 4
    assert not [pid for pid in children if psutil.pid_exists(int(pid))]


def test_a_cell_that_ignores_the_polite_signal_is_killed(command, environment, tmp_path):
    done = subprocess.run(
        command("stubborn", "--seeds", "0", "--timeout", "2s"), **environment, capture_output=True, check=False
    )
    assert done.returncode == 1
    (row,) = [row for row in rows_of(tmp_path / "run" / "results.csv") if row["metric"] == "motif-kl"]
    assert row["status"] == "timeout"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything_at_once(command, environment, tmp_path, stop):
    with subprocess.Popen(
        command("hangs", "--seeds", "0-1", "--jobs", 2), **environment, stderr=subprocess.PIPE, text=True
    ) as run:
        wait_until(lambda: (tmp_path / "child.txt").exists() and len((tmp_path / "child.txt").read_text().split()) == 2)
        family = offspring(run) + [psutil.Process(int(pid)) for pid in (tmp_path / "child.txt").read_text().split()]
        start = time.monotonic()
        run.send_signal(stop)
        message = run.stderr.read()
        run.wait()
        took = time.monotonic() - start
    assert run.returncode == 130
    assert message.splitlines()[-1] == "dnabench: interrupted: finished cells are kept, the same command continues"
    assert len(family) >= 4
    assert all_gone(family)
    assert took < 2  # what the issue asks of a user's patience, not a matter of speed
    (interrupted,) = events_of(tmp_path / "run", "run-interrupted")
    assert interrupted["cells"] == ["train/hangs/seed0", "train/hangs/seed1"]
    assert not (tmp_path / "run" / "results.csv").exists()


def test_files_that_lie_about_are_not_imported(command, environment, tmp_path):
    (tmp_path / "pandas.py").write_text("raise RuntimeError('imported')")
    words = [str(Path(sys.executable).with_name("dnabench")), *command("good", "--seeds", "0")[3:]]
    done = subprocess.run(words, **environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_killed_run_leaves_no_process_behind(command, environment, tmp_path):
    with subprocess.Popen(command("hangs", "--seeds", "0"), **environment, stderr=subprocess.DEVNULL) as run:
        wait_until(lambda: (tmp_path / "child.txt").exists() and (tmp_path / "child.txt").read_text().split())
        family = [*offspring(run), psutil.Process(int((tmp_path / "child.txt").read_text()))]
        run.kill()
    assert len(family) >= 3
    wait_until(lambda: all_gone(family), seconds=10)


def test_a_dead_fork_server_is_replaced(command, environment, tmp_path):
    with subprocess.Popen(
        command("hangs,good", "--seeds", "0", "--jobs", 1), **environment, stderr=subprocess.PIPE, text=True
    ) as run:
        wait_until(lambda: (tmp_path / "child.txt").exists() and (tmp_path / "child.txt").read_text().split())
        (server,) = [p for p in psutil.Process(run.pid).children() if "dnabench.engines.forkserver" in p.cmdline()]
        cells = server.children()
        server.kill()
        run.communicate()
    assert run.returncode == 1
    assert all_gone(cells)
    status = {event["cell"]: event["status"] for event in events_of(tmp_path / "run", "cell-finished")}
    assert status["train/hangs/seed0"] == "crashed"
    assert status["score/good/seed0/motif-kl"] == "done"
