"""Processes that train together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest


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
