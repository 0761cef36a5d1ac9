"""A plugin from a distribution of its own: built, installed and compared, as a stranger's package would be."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dnabench import SequenceSet

PACKAGE = Path(__file__).parent / "dnabench-gcmatch"


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """The environment of a process in which the package is installed."""
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*pip, "--target", site, PACKAGE], check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": str(site), "DNABENCH_STORE": str(tmp_path_factory.mktemp("store"))}


def dnabench(environment: dict[str, str], *arguments: object) -> str:
    command = [sys.executable, "-m", "dnabench", *map(str, arguments)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_it_is_listed_with_its_distribution(environment):
    listed = dnabench(environment, "list", "--format", "csv")
    entries = {row["name"]: row for row in csv.DictReader(io.StringIO(listed))}
    assert entries["gc-matched"]["distribution"] == "dnabench-gcmatch 0.3"
    assert entries["cpg"]["what"] == "metrics"
    assert "jitter = 0.0" in dnabench(environment, "show", "gc-matched")


@pytest.mark.slow
def test_its_generator_metric_and_embedder_take_part_in_a_comparison(environment, tmp_path):
    rng = np.random.default_rng(0)
    gc = rng.choice([0.2, 0.8], (1000, 1))
    codes = np.where(rng.random((1000, 100)) < gc, rng.integers(1, 3, (1000, 100)), 3 * rng.integers(0, 2, (1000, 100)))
    SequenceSet(codes.astype(np.uint8)).to_fasta(tmp_path / "two-classes.fa")
    printed = dnabench(
        environment, "run", "--generator", "gc-matched,composition", "--metrics", "fred@bases,mmd@bases,cpg", "--seeds",
        "0,1", "--dataset", tmp_path / "two-classes.fa", "--out", tmp_path / "run", "--format", "csv", "--set",
        "gc-matched.jitter=0.01",
    )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(printed)))
    assert all(row["status"] == "done" for row in rows)
    mean = {
        (generator, metric): np.mean(
            [float(r["value"]) for r in rows if (r["generator"], r["metric"]) == (generator, metric)]
        )
        for generator in ("gc-matched", "composition", "holdout")
        for metric in ("fred@bases", "mmd@bases", "cpg")
    }
    # Composition has the right mean GC but one class instead of two; the third party's generator has both.
    for metric in ("fred@bases", "mmd@bases"):
        assert mean["gc-matched", metric] < mean["composition", metric] / 5
