"""The main job, end to end: the default suite with real training, as a stranger's first command runs it."""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_discdiff_is_closer_to_held_out_promoters_than_its_rivals(tmp_path):
    generators = "discdiff,gan,markov,position,composition,random"
    command = [
        sys.executable, "-m", "dnabench", "run", "-g", generators, "-m", "fred,motif-kl", "--seeds", "0",
        "--out", tmp_path / "run", "--store", tmp_path / "store",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    with (tmp_path / "run" / "results.csv").open() as file:
        rows = {(row["generator"], row["metric"]): row for row in csv.DictReader(file) if row["slice"] == "all"}
    value = {key: float(row["value"]) for key, row in rows.items()}
    for rival in generators.split(",")[1:]:
        # The whole interval of DiscDiff lies below the rival's.
        assert float(rows["discdiff", "fred"]["ci_high"]) < float(rows[rival, "fred"]["ci_low"])
        assert value["discdiff", "motif-kl"] < value[rival, "motif-kl"]
    assert {row["suite"] for row in rows.values()} == {"promoters-sim-v1"}
    assert value["holdout", "fred"] < value["discdiff", "fred"]
