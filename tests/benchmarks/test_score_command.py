"""How long `dnabench score` takes, how much memory it needs, and how both grow: a process of its own each time."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.stand_ins import markov, mutated

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default"), pytest.mark.timeout(3000)]

METRICS = "fred,swd,mmd,motif-kl,motif-profile,kmer-js,gc,novelty,c2st"
SIZES = (10_000, 20_000, 40_000, 80_000)
#: Neither the table nor warnings are printed.
QUIET = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]


@pytest.fixture(scope="module")
def files(real_data, tmp_path_factory) -> Path:
    """`generated-N.fa`, `reference-N.fa` and `train.fa`: an order-5 Markov chain, and real promoters.

    There are 66,524 real ones, of which 20,000 train; beyond those, references are filled up with mutated copies.
    """
    directory = tmp_path_factory.mktemp("score")
    rng = np.random.default_rng(0)
    codes = SequenceSet.from_fasta(real_data / "promoters256").codes
    train, real = np.split(codes[rng.permutation(len(codes))], [20_000])
    SequenceSet(train).to_fasta(directory / "train.fa")
    real = np.concatenate([real, mutated(real, 0.2, rng)])
    for n in SIZES:
        SequenceSet(markov(train, 5, (n, 256), rng)).to_fasta(directory / f"generated-{n}.fa")
        SequenceSet(real[:n]).to_fasta(directory / f"reference-{n}.fa")
    return directory


class Cost(NamedTuple):
    """Of a process: seconds on the clock, seconds of processor time, bytes at most."""

    wall: float
    processor: float
    memory: int


def cost(files: Path, n: int) -> Cost:
    """Of a `dnabench score` of ``n`` against ``n`` with an empty store."""
    command = [
        sys.executable, "-m", "dnabench", "score", str(files / f"generated-{n}.fa"),
        "--reference", str(files / f"reference-{n}.fa"), "--train", str(files / "train.fa"),
        "--metrics", METRICS, "--store", str(files / "store"), "--format", "csv",
    ]  # fmt: skip
    shutil.rmtree(files / "store", ignore_errors=True)
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, {**os.environ, "PYTHONWARNINGS": "ignore"}, file_actions=QUIET)
    _, status, usage = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def test_twenty_thousand_sequences_and_the_growth_with_n(files):
    cost(files, SIZES[0])  # kernels are compiled once for all
    taken = {n: cost(files, n) for n in SIZES}
    for n, spent in taken.items():
        print(
            f"\n{n:,} x 256 bp, nine metrics with intervals and floors: {spent.wall:.1f} s on the clock, "
            f"{spent.processor:.1f} s of processor time, {spent.memory / 2**30:.2f} GiB",
            end="",
        )
    for what in ("wall", "processor"):
        times = [getattr(taken[n], what) for n in SIZES]
        print(f"\n{what} time grows as n^{np.polyfit(np.log(SIZES), np.log(times), 1)[0]:.2f}")
