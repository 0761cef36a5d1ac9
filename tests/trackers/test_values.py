"""What of a result is a number to show, and what of a manifest a setting."""

from __future__ import annotations

from pathlib import Path

from dnabench.orders import CellResult
from dnabench.plan import Cell
from dnabench_trackers.manifest import Manifest
from dnabench_trackers.values import series, values

SCORE = Cell("score", "markov", 3, "motif-profile")


def test_a_score_has_slices_parts_intervals_and_floors():
    whole = {"value": 1.5, "ci_low": 1.0, "ci_high": None, "parts": {"tata": {"value": 0.25, "parts": {}}}}
    part = {"value": 2.5, "parts": {"tata": {"value": 4.0, "ci_low": 3.0}}, "floor": {"value": 0.5}}
    slices = {
        "all": {"status": "done", "record": whole},
        "species=a/b": {"status": "done", "record": part},
        "species=few": {"status": "skipped", "record": {"n_generated": 3}},
        "species=bad": {"status": "failed", "error": "ValueError"},
    }
    result = CellResult(cell=SCORE, status="done", answer={"slices": slices}, seconds=2.0, peak_memory_mb=300.0)
    assert values(result) == {
        "motif-profile/all": 1.5,
        "motif-profile/all.ci_low": 1.0,
        "motif-profile.tata/all": 0.25,
        "motif-profile/species=a_b": 2.5,
        "motif-profile/species=a_b.floor": 0.5,
        "motif-profile.tata/species=a_b": 4.0,
        "motif-profile.tata/species=a_b.ci_low": 3.0,
        "seconds/score/motif-profile": 2.0,
        "memory_mb/score/motif-profile": 300.0,
    }


def test_what_was_looked_up_took_no_time():
    answer = {"record": {"value": 0.0, "parts": {}}}
    result = CellResult(cell=Cell("floor", "", 0, "fred"), status="done", answer=answer, cached=True)
    assert values(result) == {"fred/all": 0.0}
    trained = Cell("train", "markov", 0)
    assert values(CellResult(cell=trained, status="done", cached=True)) == {}
    assert values(CellResult(cell=trained, status="done", seconds=1.5, peak_memory_mb=2.0)) == {
        "seconds/train": 1.5,
        "memory_mb/train": 2.0,
    }
    assert values(CellResult(cell=trained, status="failed", seconds=1.5)) == {}


def test_a_series_is_a_folder_of_its_own():
    assert series("markov=3", 0) == "markov=3/seed0"
    assert series("oracle=../../x", 1) == "oracle=.._.._x/seed1"
    assert series("", 2) == "floor/seed2"


def test_settings_of_a_real_plan(run, rows, tmp_path):
    assert run()[0] == 0
    manifest = Manifest.read(tmp_path / "run")
    assert set(manifest.cells.values()) == {"markov/seed0", "markov/seed1", "floor/seed0", "floor/seed1"}
    settings = manifest.settings("markov", 1)
    expected = {"generator": "markov", "seed": "1", "suite": "own", "option.order": "5"}
    expected["version.mmd@kmer"] = rows("results.csv")[0]["metric_version"]
    assert expected.items() <= settings.items()
    assert len(settings["dataset_sha256"]) == 64
    assert manifest.settings("", 0)["generator"] == "floor"


def test_no_manifest_no_settings(tmp_path):
    assert Manifest.read(tmp_path / "absent") == Manifest()
    for text in ("[]", "{", '{"plan": {}, "cells": [{}]}'):
        Path(tmp_path, "manifest.json").write_text(text)
        assert Manifest.read(tmp_path) == Manifest()
    assert Manifest().settings("gan", 2) == {"seed": "2", "generator": "gan"}
