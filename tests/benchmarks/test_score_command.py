"""How long `dnabench score` takes, how much memory it needs, and how both grow: a process of its own each time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.stand_ins import markov, mutated

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

METRICS = "fred,swd,mmd,motif-kl,motif-profile,kmer-js,gc,novelty,c2st"
SIZES = (10_000, 20_000, 40_000, 80_000)


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


def seconds_and_bytes(files: Path, n: int) -> tuple[float, int]:
    """Of a `dnabench score` of ``n`` against ``n`` with an empty store."""
    command = [
        sys.executable, "-m", "dnabench", "score", str(files / f"generated-{n}.fa"),
        "--reference", str(files / f"reference-{n}.fa"), "--train", str(files / "train.fa"),
        "--metrics", METRICS, "--store", str(files / "store"), "--format", "csv",
    ]  # fmt: skip
    shutil.rmtree(files / "store", ignore_errors=True)
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - start
    assert os.waitstatus_to_exitcode(status) == 0
    return elapsed, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def test_twenty_thousand_sequences_and_the_growth_with_n(files):
    seconds_and_bytes(files, SIZES[0])  # kernels are compiled once for all
    taken = {}
    for n in SIZES:
        taken[n], peak = seconds_and_bytes(files, n)
        print(f"\n{n:,} x 256 bp, nine metrics with intervals and floors: {taken[n]:.1f} s, {peak / 2**30:.2f} GiB")
    exponent = np.polyfit(np.log(SIZES), np.log([taken[n] for n in SIZES]), 1)[0]
    print(f"time grows as n^{exponent:.2f}")
