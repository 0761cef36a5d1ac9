"""The ranked table: signs beside numbers, and lines below it that speak only of what is there."""

from __future__ import annotations

import itertools
import re

import pytest

from dnabench.cli.board import print_leaderboard
from dnabench.cli.render import number
from dnabench.leaderboard import facts
from dnabench.leaderboard.board import Board
from dnabench.suites import Controls

CONTROLS = Controls(floor="holdout", memoriser="bootstrap", blank=("shuffled", "random"), useless="random")
KINDS = {"bootstrap": "control", "holdout": "control", "random": "baseline", "shuffled": "control"}
# Generator -> its scores of three seeds; lower is better. The intervals are ± 0.01, the floor is 0.1.
SCORES = {
    "close": (0.101, 0.102, 0.100),
    "closer": (0.100, 0.101, 0.099),
    "far": (0.40, 0.41, 0.42),
    "broken": (0.1, None, 0.1),
    "holdout": (0.10, 0.10, 0.11),
    "bootstrap": (0.10, 0.10, 0.11),
    "shuffled": (0.102, 0.10, 0.108),
    "random": (0.80, 0.82, 0.81),
}


def board(names=tuple(SCORES), seconds=None, metrics=("kmer-js",)) -> Board:
    rows = []
    for metric, name in itertools.product(metrics, names):
        for seed, value in enumerate(SCORES[name]):
            done = value is not None
            row = dict.fromkeys(facts.COLUMNS, "") | {
                "suite": "s", "dataset": "d", "dataset_sha256": "0" * 64, "split": "given", "slice": "all",
                "generator": name, "generator_version": 1, "options": "{}", "seed": seed, "metric": metric,
                "metric_version": 1, "direction": "lower", "n_generated": 9, "n_reference": 9, "floor": 0.1,
                "value": value, "ci_low": value - 0.01 if done else None, "ci_high": value + 0.01 if done else None,
                "status": "done" if done else "failed",
            }  # fmt: skip
            rows.append(row)
    kinds = {name: KINDS.get(name, "model") for name in names}
    return Board(suite="s", facts=rows, kinds=kinds, families={}, controls=CONTROLS, seconds=seconds or {})


@pytest.fixture
def printed(capsys, monkeypatch):
    def show(columns: int, shown: Board, **terminal: str) -> list[str]:
        settings = {"TTY_COMPATIBLE": "1", "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40", **terminal}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        print_leaderboard(shown, "title")
        return capsys.readouterr().out.splitlines()

    return show


def plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines]


def test_signs_say_what_colours_say(printed):
    lines = plain(
        printed(120, board(("close", "closer", "far", "broken", "random"), {"close": 1.0, "closer": 2.0, "far": 3.0}))
    )
    assert lines[0] == "title"
    of = {line.split()[1 if line.split()[0][0].isdigit() else 0]: line for line in reversed(lines) if line.strip()}
    assert re.search(r"^ +1= +close ◆ +model +0\.101 ± 0\.01≈°$", of["close"])
    assert re.search(r"^ +1= +closer +model +0\.1 ± 0\.01 °$", of["closer"])
    assert re.search(r"^ +3 +far +model +0\.41 ± 0\.025$", of["far"])
    assert re.search(r"^ +4 +random +baseline +0\.81 ± 0\.025$", of["random"])
    assert of["broken"].split()[:4] == ["broken", "model", "0.1", "±"]
    notes = "\n".join(lines)
    assert "broken is incomplete and has no rank" in notes
    for sign in ("° at the floor", "≈ cannot be told", "= a rank that is shared", "◆ no other"):
        assert notes.count(sign) == 1


def test_a_blind_metric_has_no_best_one(printed):
    lines = printed(120, board())
    assert any(line.endswith("   blind") for line in plain(lines))
    assert "kmer-js is blind: it does not put held-out real sequences before shuffled" in plain(lines)
    assert not any("\x1b[1" in line for line in lines if "close" in line)


def test_no_sign_is_explained_that_is_not_there(printed):
    *notes, last = plain(printed(120, board(("far",))))
    assert last == (
        "whether a metric is blind is not known, for want of scores of bootstrap, shuffled, random, or of intervals"
    )
    notes = "\n".join(notes)
    assert not re.search("[≈◆=°]|blind|incomplete", notes)


def test_a_narrow_terminal_shows_metrics_below_each_other(printed):
    metrics = [f"a-rather-long-metric-{number}" for number in range(6)]
    lines = plain(printed(60, board(("close", "far", "random"), metrics=metrics)))
    text = "\n".join(lines)
    assert "…" not in text
    assert all(f"{metric} ↓" in text for metric in metrics)
    tables = [line for line in lines if line.split()[:2] == ["rank", "generator"]]
    rows = [line for line in lines if line.split()[1:2] == ["far"]]
    assert len(tables) == len(rows) == 6
    assert max(map(len, tables + rows)) <= 60


def test_a_dumb_terminal_gets_the_whole_table(printed):
    metrics = [f"a-rather-long-metric-{number}" for number in range(6)]
    lines = plain(printed(60, board(("close", "far", "random"), metrics=metrics), TERM="dumb"))
    (far,) = (line for line in lines if line.split()[1:2] == ["far"])
    assert far.count("0.41 ± 0.025") == 6


def test_colours_are_for_terminals_that_want_them(printed):
    sighted = board(("close", "far", "random"))
    assert any("\x1b[1;36m" in line for line in printed(120, sighted))  # the best one is bold, at the floor it is cyan
    assert not any("36m" in line for line in printed(120, sighted, NO_COLOR="1"))


@pytest.mark.parametrize("columns", [40, 120])
def test_a_note_explains_what_the_table_shows(printed, columns):
    out = "\n".join(plain(printed(columns, board(("far", "random")))))
    wide = columns > 100
    assert ("model" in out) is wide
    assert ("a wider terminal" in out) is not wide
    assert "± 0.025" in out


def test_large_numbers_have_no_exponent():
    assert [number(value, 2) for value in (99.6, 1234.0, 0.000123, -0.5)] == ["100", "1200", "0.00012", "-0.5"]
    assert [number(value) for value in (1234567.0, 0.1, None)] == ["1.23e+06", "0.1", ""]
