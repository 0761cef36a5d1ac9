"""The command line in this process, and small real files to run it on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet
from dnabench.cli import main


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def dnabench(capsys, monkeypatch, tmp_path) -> Callable[..., Ended]:
    """``dnabench("run", "--generator", "markov")`` -> exit code, stdout, stderr; in an empty directory and store."""
    home = tmp_path / "cwd"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("DNABENCH_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def call(*arguments: object) -> Ended:
        capsys.readouterr()
        with warnings.catch_warnings(), pytest.raises(SystemExit) as stop:
            warnings.simplefilter("default")
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(int(stop.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def labelled(tmp_path) -> Path:
    """800 sequences of 64 bp of species at (500, GC 0.3) and gc (300, GC 0.7), as FASTA."""
    rng = np.random.default_rng(1)
    codes = np.concatenate(
        [rng.choice(4, (n, 64), p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]) for n, gc in ((500, 0.3), (300, 0.7))]
    ).astype(np.uint8)
    labels = pd.DataFrame({"species": ["at"] * 500 + ["gc"] * 300})
    path = tmp_path / "labelled.fa"
    SequenceSet(codes, labels=labels).to_fasta(path)
    return path
