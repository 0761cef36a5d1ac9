"""Several processes that train one model, as a run starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path, promoters, wild):
    """``start("--set", "group.devices=2")``: a running process of dnabench, in ``tmp_path``."""

    def begin(*more: str) -> subprocess.Popen:
        words = [
            sys.executable, "-m", "dnabench", "run", "-g", "group", "-m", "motif-kl", "--dataset", promoters,
            "--seeds", "0", "--no-controls", "--out", tmp_path / "run", "--store", tmp_path / "store",
            "--set", "group.devices=2", *more,
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
        return subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    return begin


def result(tmp_path) -> dict:
    lines = map(json.loads, (tmp_path / "run" / "events.jsonl").read_text().splitlines())
    return next(line for line in lines if line["event"] == "cell-finished" and line["cell"] == "train/group/seed0")


def test_they_share_a_process_group_and_the_first_ones_model_is_kept(start, tmp_path):
    with start() as run:
        run.communicate()
    assert run.returncode == 0
    assert (tmp_path / "run" / "models" / "group" / "seed0" / "sum.txt").read_text() == f"{560 * 11}"
    log = (tmp_path / "run" / "logs" / "train" / "group" / "seed0.txt").read_text()
    assert "rank 0 of 2 on cpu, 1 threads" in log
    assert "rank 1 of 2 on cpu, 1 threads" in log


def test_what_one_of_them_raises_is_the_cells_error(start, tmp_path):
    with start("--set", "group.fault=raises") as run:
        run.communicate()
    assert run.returncode == 1
    assert result(tmp_path)["status"] == "failed"
    assert result(tmp_path)["error"] == "ValueError: rank 1 has had enough"


def test_one_that_dies_fails_the_cell(start, tmp_path):
    with start("--set", "group.fault=dies") as run:
        run.communicate()
    assert run.returncode == 1
    assert result(tmp_path)["status"] == "crashed"
    assert result(tmp_path)["error"] == "training process 1 was killed by SIGKILL"


def test_one_that_hangs_is_a_timeout(start, tmp_path):
    with start("--set", "group.fault=hangs", "--timeout", "8s") as run:
        run.communicate()
    assert run.returncode == 1
    assert result(tmp_path)["status"] == "timeout"
    assert result(tmp_path)["error"] == "stopped after 8 s, the limit set with --timeout"


def test_none_outlives_a_run_that_ends_while_they_start(start):
    with start() as run:
        limit = time.monotonic() + 60
        while len(ranks := [p for p in psutil.Process(run.pid).children(recursive=True) if is_rank(p)]) < 2:
            assert time.monotonic() < limit
            time.sleep(0.02)
        run.send_signal(signal.SIGINT)
        run.communicate()
    limit = time.monotonic() + 20  # they look for their parent once they have imported what they need
    while [rank for rank in ranks if rank.is_running()]:
        assert time.monotonic() < limit
        time.sleep(0.05)


def is_rank(process: psutil.Process) -> bool:
    try:
        return "dnabench.rank" in process.cmdline()
    except psutil.Error:
        return False


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_none_outlives_the_run(start, tmp_path, stop):
    pids = tmp_path / "child.txt"
    with start("--set", "group.fault=hangs") as run:
        limit = time.monotonic() + 60
        while not pids.exists() or len(pids.read_text().split()) < 2:
            assert time.monotonic() < limit
            time.sleep(0.05)
        ranks = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
        run.send_signal(stop)
        run.communicate()
    limit = time.monotonic() + 5
    while [rank for rank in ranks if rank.is_running()]:
        assert time.monotonic() < limit
        time.sleep(0.05)
