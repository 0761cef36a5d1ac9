"""What a run makes of failures: which are tried again, and when it gives up."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest


@pytest.fixture
def run(dnabench, promoters, wild):
    """``run("good,raises", ...)``: the exit code of a run into ./run."""

    def call(generators: str, *more: object) -> int:
        fixed = ("-m", "motif-kl", "--dataset", promoters, "--no-controls", "--out", "run")
        return dnabench("run", "-g", generators, *fixed, *more).code

    return call


def rows() -> list[dict[str, str]]:
    with Path("run/results.csv").open() as file:
        return list(csv.DictReader(file))


def events(kind: str) -> list[dict]:
    lines = map(json.loads, Path("run/events.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == kind]


def test_retry_says_which_failures_are_tried_again(run):
    results = []

    def begun(*more: str) -> list[str]:
        before = Path("diary.txt").read_text().splitlines() if results else []
        assert run("raises,exits,good", "--seeds", "0", *more) == 1
        results.append(Path("run/results.csv").read_bytes())
        return sorted(Path("diary.txt").read_text().splitlines()[len(before) :])

    assert begun() == ["Exits", "Good", "Raises"]
    assert begun("--retry", "crashed") == ["Exits"]
    assert begun("--retry", "failed,timeout") == ["Raises"]
    assert begun("--retry", "none") == []
    assert begun() == ["Exits", "Raises"]
    assert len(set(results)) == 1
    assert b"ValueError: no luck; last lines of its log: about to begin" in results[0]


def test_what_was_found_beside_a_failure_is_kept_with_it(dnabench, labelled, wild):
    def values(*more: str) -> dict[str, tuple[str, str]]:
        ended = dnabench("run", "-g", "composition", "--set", "composition.by=species", "-m", "picky", "--dataset",
                         labelled, "--seeds", "0", "--no-controls", "--out", "run", *more)  # fmt: skip
        assert ended.code == 1
        return {row["slice"]: (row["status"], row["value"]) for row in rows()}

    first = values()
    assert first["all"] == ("done", "80")
    assert first["species=at"][0] == "done"
    assert first["species=gc"] == ("failed", "")
    assert values("--retry", "none") == first


def test_failures_of_an_earlier_attempt_do_not_count_again(run):
    assert run("raises,good", "--seeds", "0", "--max-failures", "2") == 1
    assert run("raises,good", "--seeds", "0", "--max-failures", "1", "--retry", "none") == 1
    status = {event["cell"]: event["status"] for event in events("cell-finished")}
    assert status["score/good/seed0/motif-kl"] == "done"


def test_a_failure_of_other_code_is_tried_again_whatever_retry_says(run, tmp_path):
    assert run("raises", "--seeds", "0") == 1
    plugin = tmp_path / "site" / "wild_dna.py"
    plugin.write_text(plugin.read_text().replace("raise ValueError", "print"))
    assert run("raises", "--seeds", "0", "--retry", "none") == 0
    assert {row["status"] for row in rows()} == {"done"}


def test_a_run_is_given_up_after_so_many_failures(run):
    assert run("raises,good", "--seeds", "0-3", "--max-failures", "2", "--jobs", "1") == 1
    status = {event["cell"]: event["status"] for event in events("cell-finished")}
    assert [cell for cell, ended in status.items() if ended == "failed"] == ["train/raises/seed0", "train/raises/seed1"]
    assert status["train/good/seed3"] == "skipped"
    assert len(events("cell-finished")) == len(status) == 4 * (1 + 2 * 3)
    assert {(row["generator"], row["status"]) for row in rows()} == {
        ("raises", "failed"), ("raises", "skipped"), ("good", "skipped"),
    }  # fmt: skip
    assert run("raises,good", "--seeds", "0-3", "--retry", "none") == 1
    assert {(row["generator"], row["status"]) for row in rows()} == {("good", "done"), ("raises", "failed")}


def test_nothing_that_is_finished_is_begun_again(run):
    assert run("good,raises", "--seeds", "0,1") == 1
    first = {event["cell"] for event in events("cell-started")}
    assert run("good,raises", "--seeds", "0,1") == 1
    begun = [event["cell"] for event in events("cell-started")]
    assert begun[len(first) :] == ["train/raises/seed0", "train/raises/seed1"]
    cached = {event["cell"]: event["cached"] for event in events("cell-finished")}
    assert cached["sample/good/seed1"] is True
    assert cached["train/raises/seed1"] is False


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--retry", "faild"), "no status 'faild'; did you mean failed?"),
        (("--timeout", "2 hours"), "--timeout 2 hours: not a duration, such as 45s, 30m, 2h or 1.5d"),
        (("--timeout", "0"), "--timeout 0: not a duration"),
        (("--memory", "lots"), "--memory lots: not a size, such as 500M, 8G or 1.5T"),
        (("--checkpoint-every", "soon"), "--checkpoint-every soon: not a duration"),
        (("--engine", "slurm"), "--engine slurm: it takes local or dask://HOST:PORT"),
        (("--device", "tpu"), "--device tpu: it takes auto, cpu, cuda or cuda:N"),
    ],
)
def test_bad_options_get_one_line_and_nothing_is_written(dnabench, promoters, options, what):
    ended = dnabench("run", "-g", "markov", "-m", "motif-kl", "--dataset", promoters, "--out", "run", *options)
    assert ended.code == 2
    assert what in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not Path("run").exists()
