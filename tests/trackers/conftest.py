"""Real small runs, and results as the core hands them to observers."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet
from dnabench.cli import main
from dnabench_trackers import tracking


@pytest.fixture(autouse=True)
def nothing_of_the_users(monkeypatch):
    """No tracking server of whoever runs the tests, and no run of another test."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setattr(tracking, "_runs", {})


@pytest.fixture
def run(tmp_path, monkeypatch, capsys) -> Callable[..., tuple[int, str]]:
    """``run(*options)``: exit code and stderr of a run on two species, two seeds, in ``tmp_path / "run"``."""
    rng = np.random.default_rng(1)
    codes = [
        rng.choice(4, (n, 64), p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]) for n, gc in ((500, 0.3), (300, 0.7))
    ]
    labels = pd.DataFrame({"species": ["at"] * 500 + ["gc"] * 300})
    SequenceSet(np.concatenate(codes).astype(np.uint8), labels=labels).to_fasta(tmp_path / "labelled.fa")
    (tmp_path / "own.toml").write_text(
        'metrics = ["mmd@kmer"]\nseeds = [0, 1]\nslices = ["species"]\nsamples = 60\n[dataset]\npath = "labelled.fa"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNABENCH_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)

    def call(*options: str, generator: str = "markov") -> tuple[int, str]:
        arguments = ["run", "-g", generator, "--suite", "own.toml", "--no-controls", "--out", "run", *options]
        with warnings.catch_warnings(), pytest.raises(SystemExit) as stop:
            warnings.simplefilter("default")
            main(arguments)
        return int(stop.value.code or 0), capsys.readouterr().err

    return call


@pytest.fixture
def rows(tmp_path) -> Callable[[str], list[dict[str, str]]]:
    """The rows of a table of the run."""

    def read(name: str) -> list[dict[str, str]]:
        with Path(tmp_path, "run", name).open() as file:
            return list(csv.DictReader(file))

    return read
