"""Small networks and small data for the tests of the GAN, and processes that train together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from dnabench import SequenceSet
from dnabench_gan.options import GanOptions

TINY = GanOptions(latent=8, channels=4, blocks=1, batch_size=16, iterations=3, critic_steps=2, learning_rate=1e-3)


@pytest.fixture
def tiny() -> GanOptions:
    """Options with which fitting takes a fraction of a second."""
    return TINY


@pytest.fixture
def random_dna() -> SequenceSet:
    """50 sequences of 24 bp, every tenth base or so an N."""
    return SequenceSet(np.random.default_rng(0).choice(5, (50, 24), p=[0.3, 0.2, 0.2, 0.2, 0.1]).astype(np.uint8))


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small gain nothing from threads, and lose much where another process holds a core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def torchrun(tmp_path) -> Callable[..., subprocess.CompletedProcess]:
    """``torchrun(program, *arguments, ranks=2)``: have processes, in which a warning is an error, run a program."""

    def run(program: str, *arguments: object, ranks: int) -> subprocess.CompletedProcess:
        (tmp_path / "program.py").write_text(program, encoding="utf-8")
        command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={ranks}", "--rdzv-backend=c10d"]
        command += ["--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1", "--monitor-interval=0.05"]
        return subprocess.run(
            [*command, tmp_path / "program.py", *map(str, arguments)],
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
