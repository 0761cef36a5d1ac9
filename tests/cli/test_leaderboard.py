"""``run --leaderboard``: facts beside those of earlier runs, and the table derived from all of them."""

from __future__ import annotations

import csv

import pytest


@pytest.fixture
def suite(labelled, tmp_path):
    (tmp_path / "own.toml").write_text(
        f'samples = 60\nmetrics = ["kmer-js", "gc"]\nseeds = [0, 1]\n\n[dataset]\npath = "{labelled.name}"\n'
    )
    return tmp_path / "own.toml"


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_two_runs_publish_what_one_would(dnabench, suite, tmp_path):
    board = tmp_path / "board"
    for generators in ("markov=1,position", "composition"):
        ended = dnabench(
            "run", "-g", generators, "--suite", suite, "--no-controls", "--leaderboard", board, "--format", "csv"
        )
        assert ended.code == 0, ended.err
    whole = dnabench(
        "run", "-g", "markov=1,position,composition", "--suite", suite, "--no-controls", "--leaderboard",
        tmp_path / "at-once", "--out", tmp_path / "run", "--format", "csv",
    )  # fmt: skip
    assert whole.code == 0, whole.err
    names = ["composition.csv", "markov=1.csv", "position.csv"]
    assert sorted(path.name for path in (board / "own").iterdir()) == names
    for name in names:
        assert (board / "own" / name).read_bytes() == (tmp_path / "at-once" / "own" / name).read_bytes()
    assert (board / "own.csv").read_bytes() == (tmp_path / "at-once" / "own.csv").read_bytes()
    ranked = [[(row["rank"], row["generator"], row["tied_with"]) for row in table(path)]
              for path in (board / "own.csv", tmp_path / "run" / "leaderboard.csv")]  # fmt: skip
    assert ranked[0] == ranked[1]
    facts = [row for name in names for row in table(board / "own" / name)]
    assert facts == table(tmp_path / "run" / "results.csv")


def test_scores_of_another_protocol_are_refused_and_nothing_is_written(dnabench, suite, tmp_path):
    board = tmp_path / "board"
    common = ("run", "--suite", suite, "--no-controls", "--leaderboard", board, "--format", "csv")
    assert dnabench(*common, "-g", "position").code == 0
    before = (board / "own.csv").read_bytes()
    ended = dnabench(*common, "-g", "composition", "--samples", "50", "--out", tmp_path / "run")
    assert ended.code == 2
    assert not (tmp_path / "run").exists()  # before anything was computed
    assert "position has n_generated 60 for kmer-js, this run 50" in " ".join(ended.err.split())
    assert (board / "own.csv").read_bytes() == before
    assert not (board / "own" / "composition.csv").exists()
    assert dnabench(*common, "-g", "position", "--samples", "50").code == 0  # its own facts it may replace
    assert {row["n_generated"] for row in table(board / "own" / "position.csv")} == {"50"}


def test_a_run_that_keeps_to_no_suite_has_nothing_to_publish(dnabench, labelled, tmp_path):
    ended = dnabench("run", "-g", "position", "--dataset", labelled, "-m", "gc", "--leaderboard", tmp_path / "x")
    assert ended.code == 2
    assert "--leaderboard publishes runs that keep to a suite, and this one departs from" in ended.err
    assert not (tmp_path / "x").exists()


def test_a_failure_replaces_no_facts(dnabench, suite, tmp_path):
    common = ("run", "--suite", suite, "--no-controls", "--leaderboard", tmp_path / "board", "--format", "csv")
    assert dnabench(*common, "-g", "markov", "--set", "markov.order=1").code == 0
    before = (tmp_path / "board" / "own" / "markov.csv").read_bytes()
    ended = dnabench(*common, "-g", "markov", "--set", "markov.by=species", "--timeout", "0.001s")
    assert ended.code == 1
    assert "timeout" in ended.out  # the run's own results are whole
    assert "markov failed in this run, and its earlier facts stay" in " ".join(ended.err.split())
    assert (tmp_path / "board" / "own" / "markov.csv").read_bytes() == before
