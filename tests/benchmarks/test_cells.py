"""What a process for every cell costs, and what several of them gain. Run by ``tox -e bench``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.bench

BUSY = """
import numpy as np
from dnabench import GeneratorSpec, hookimpl

@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="busy", target="busy_dna:Busy", summary="computes for about two seconds")
    yield GeneratorSpec(name="idle", target="busy_dna:Idle", summary="does nothing")

class Idle:
    def fit(self, train, *, context):
        pass

    def save(self, directory):
        pass

    load = save

    def sample(self, n, *, context):
        return context.rng.integers(0, 4, (n, context.length), dtype=np.uint8)

class Busy(Idle):
    def fit(self, train, *, context):
        a = context.rng.random((500, 500))
        for _ in range(400):
            a = np.tanh(a @ a / 500)
"""


@pytest.fixture
def trained(dnabench, install, promoters, tmp_path):
    """``trained("idle", 20, jobs=1)``: seconds that the train cells of so many seeds took together."""
    install("busy_dna", BUSY)

    def seconds(generator: str, seeds: int, jobs: int) -> float:
        out = tmp_path / f"{generator}{seeds}-{jobs}"
        ended = dnabench("run", "-g", generator, "-m", "motif-kl", "--dataset", promoters, "--seeds", f"0-{seeds - 1}",
                         "--no-controls", "--jobs", jobs, "--fresh", "--out", out)  # fmt: skip
        assert ended.code == 0, ended.err
        lines = [json.loads(line) for line in (Path(out) / "events.jsonl").read_text().splitlines()]
        times = [
            time_of(line["time"])
            for line in lines
            if line["event"] in ("cell-started", "cell-finished") and line["cell"].startswith("train/")
        ]
        return max(times) - min(times)

    return seconds


def time_of(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def test_the_cost_of_a_process_for_every_cell(trained, capsys):
    trained("idle", 4, 1)  # starts the fork server, and fills the disk's cache
    each = trained("idle", 60, 1) / 60
    start = time.perf_counter()
    for _ in range(3):
        subprocess.run([sys.executable, "-c", "import torch, pandas"], check=True)
    fresh = (time.perf_counter() - start) / 3
    with capsys.disabled():
        print(
            f"\na cell that does nothing: {each * 1e3:.0f} ms, of that {each / fresh:.3f} of a fresh process's imports"
        )


def test_two_workers_against_one(trained, capsys):
    trained("idle", 2, 1)
    one, two = trained("busy", 8, 1), trained("busy", 8, 2)
    with capsys.disabled():
        print(f"\n8 cells that compute, a thread each: two at once {one / two:.2f} x as fast as one ({one:.1f} s)")
