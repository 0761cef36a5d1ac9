"""Twenty kills at random moments, of runs and of their cells: the same command always ends with the same bytes."""

from __future__ import annotations

import contextlib
import csv
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil
import pytest

from dnabench import SequenceSet

pytestmark = pytest.mark.slow

KILLS, MOST = 10, 5  # in all for each seed, and of one run

OPTIONS = """
[discdiff]
width = 16
head_width = 16
autoencoder_steps = 100
autoencoder_batch = 16
denoiser_width = 16
denoiser_steps = 100
denoiser_batch = 16
sampling_steps = 4

[gan]
channels = 8
batch_size = 16
iterations = 80
"""


def command(data: Path, out: Path) -> list[str]:
    """The arguments of a run on ``data`` into a directory, with a store beside it."""
    options = out.with_suffix(".toml")
    options.write_text(OPTIONS)
    words = [
        sys.executable, "-m", "dnabench", "run", "-g", "discdiff,gan,markov", "-m", "swd@kmer,mmd@kmer,motif-kl",
        "--seeds", "0-1", "--dataset", data, "--no-controls", "--config", options, "--checkpoint-every", "0.2s",
        "--out", out, "--store", out.with_suffix(".store"),
    ]  # fmt: skip
    return [str(word) for word in words]


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """700 random sequences of 64 bp."""
    path = tmp_path_factory.mktemp("data") / "random.fa.gz"
    SequenceSet(np.random.default_rng(0).integers(0, 4, (700, 64), dtype=np.uint8)).to_fasta(path)
    return path


@pytest.fixture(scope="module")
def whole(data) -> bytes:
    """The results of a run that nobody kills."""
    out = data.parent / "whole"
    subprocess.run(command(data, out), check=True, capture_output=True)
    return (out / "results.csv").read_bytes()


def events(run: Path) -> list[dict]:
    path = run / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")] if path.exists() else []


def begun(run: Path) -> list[str]:
    """The cells that were begun, each as often as it was."""
    return [event["cell"] for event in events(run) if event["event"] == "cell-started"]


def kill(what: str, run: subprocess.Popen, chance: random.Random) -> bool:
    """Kill the run or one of its cells; False if it ended before there was one."""
    while run.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            cells = [cell for server in psutil.Process(run.pid).children() for cell in server.children()]
            if what == "run" or cells:
                (run if what == "run" else chance.choice(cells)).kill()
                return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("seed", [0, 1])
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(data, whole, tmp_path, seed):
    chance, killed, continued = random.Random(seed), [], set()
    while len(killed) < KILLS:
        out = tmp_path / f"run{len(killed)}"
        for _ in range(MOST):
            with subprocess.Popen(command(data, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
                before = len(begun(out))
                while run.poll() is None and len(begun(out)) == before:
                    time.sleep(0.05)
                time.sleep(chance.uniform(0, 2.5))
                what = chance.choice(["run", "cell"])
                killed += [what] * kill(what, run, chance)
        subprocess.run(command(data, out), check=True, capture_output=True)
        assert (out / "results.csv").read_bytes() == whole
        check_that_nothing_was_done_twice_or_lost(out)
        continued |= {cell for cell, times in Counter(begun(out)).items() if times > 1 and cell.startswith("train")}
    assert {"cell", "run"} == set(killed)
    assert continued  # kills fell into trainings


def check_that_nothing_was_done_twice_or_lost(out: Path) -> None:
    done: set[str] = set()
    for event in events(out):
        if event["event"] == "cell-started":
            assert event["cell"] not in done
        elif event["event"] == "cell-finished" and event["status"] == "done":
            done.add(event["cell"])
    with (out / "timings.csv").open() as file:
        assert {row["status"] for row in csv.DictReader(file)} == {"done"}
    assert list((out.with_suffix(".store") / "scratch").iterdir()) == []
