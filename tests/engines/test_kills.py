"""Twenty kills at random moments, of runs and of their cells: the same command always ends with the same bytes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

KILLS = 4  # of each of five runs

OPTIONS = """
[discdiff]
width = 16
head_width = 16
context = 3
autoencoder_steps = 300
autoencoder_batch = 16
denoiser_width = 16
denoiser_steps = 300
denoiser_batch = 16
sampling_steps = 4

[gan]
channels = 8
batch_size = 16
iterations = 250
"""


@pytest.fixture
def command(tmp_path, promoters):
    """``command("a")``: the arguments of a run into directory and store of that name."""
    (tmp_path / "options.toml").write_text(OPTIONS)

    def make(name: str) -> list[str]:
        words = [
            sys.executable, "-m", "dnabench", "run", "-g", "discdiff,gan,markov", "-m", "fred@kmer,mmd@kmer,motif-kl",
            "--seeds", "0-1", "--dataset", promoters, "--length", "64", "--no-controls", "--config",
            tmp_path / "options.toml", "--checkpoint-every", "0.2s", "--out", tmp_path / name, "--store",
            tmp_path / f"{name}-store",
        ]  # fmt: skip
        return [str(word) for word in words]

    return make


def events(run: Path) -> list[dict]:
    path = run / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")] if path.exists() else []


def kill_something(run: subprocess.Popen, chance: random.Random) -> str:
    """Kill the run or one of its cells; what was killed, nothing if there was none."""
    with contextlib.suppress(psutil.NoSuchProcess):
        servers = psutil.Process(run.pid).children()
        cells = [cell for server in servers for cell in server.children()]
        if cells and chance.random() < 0.5:
            chance.choice(cells).kill()
            return "cell"
    run.kill()
    return "run"


@pytest.mark.parametrize("seed", range(5))
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(command, tmp_path, whole, seed):
    chance = random.Random(seed)
    run, killed = tmp_path / "run", []
    while len(killed) < KILLS:
        before = len(events(run))
        with subprocess.Popen(command("run"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and len(events(run)) < before + 4:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 4))
            if process.poll() is None:
                killed.append(kill_something(process, chance))
            process.wait()
        if process.returncode == 0:
            break
    subprocess.run(command("run"), check=True, capture_output=True)
    assert killed
    assert (run / "results.csv").read_bytes() == whole
    told = events(run)
    done: set[str] = set()
    for event in told:
        if event["event"] == "cell-started":
            assert event["cell"] not in done
        elif event["event"] == "cell-finished" and event["status"] == "done":
            done.add(event["cell"])
    with (run / "timings.csv").open() as file:
        assert {row["status"] for row in csv.DictReader(file)} == {"done"}
    assert list((tmp_path / "run-store" / "scratch").iterdir()) == []


@pytest.fixture
def whole(command, tmp_path) -> bytes:
    """The results of a run that nobody kills."""
    subprocess.run(command("whole"), check=True, capture_output=True, env=os.environ)
    return (tmp_path / "whole" / "results.csv").read_bytes()
