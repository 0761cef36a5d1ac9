"""The ranked table: signs beside numbers, and lines below it that speak only of what is there."""

from __future__ import annotations

import re

import pytest

from dnabench.cli.board import Shown, print_leaderboard


def row(generator: str, rank: int | None, value: float | None, **more) -> dict:
    ends = {"kmer-js_ci_low": None if value is None else value - 0.25, "kmer-js_ci_high": value and value + 0.25}
    return {
        "rank": rank, "generator": generator, "kind": "model", "complete": value is not None, "tied_with": "",
        "flags": "", "kmer-js": value, **ends, **more,
    }  # fmt: skip


BOARD = [
    row("alike", 1, 0.5, tied_with="other", flags="at-floor:kmer-js;field:1a2b3c4d;pareto"),
    row("other", 1, 0.75, tied_with="alike", flags="field:1a2b3c4d"),
    row("broken", None, None),
    row("random", None, 0.875, kind="control", flags="blind:kmer-js"),
    row("shuffled", None, 0.75, kind="control", flags="blind:kmer-js"),
]


@pytest.fixture
def printed(capsys, monkeypatch):
    def show(columns: int, board=BOARD, **terminal: str) -> list[str]:
        settings = {"TTY_COMPATIBLE": "1", "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40", **terminal}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        shown = Shown(
            board=board,
            directions={"kmer-js": "lower"},
            floors={"kmer-js": 0.1},
            scaled={("alike", "kmer-js"): 0.33},
        )
        print_leaderboard(shown, "title")
        return capsys.readouterr().out.splitlines()

    return show


def plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines]


def test_signs_say_what_colours_say(printed):
    lines = plain(printed(120))
    assert lines[0] == "title"
    alike, other, broken = (next(line for line in lines if name in line) for name in ("alike", "other", "broken"))
    assert re.search(r"1=   alike ◆ +model +0.5 ± 0.25 \(0.33\) ≈$", alike)
    assert re.search(r"1=   other +model +0.75 ± 0.25$", other)
    assert broken.split() == ["broken", "model", "–"]
    assert any(line.endswith("   blind") for line in lines)
    notes = "\n".join(lines)
    assert "kmer-js is blind: it does not put held-out real sequences before random, shuffled" in notes
    assert "broken is incomplete and has no rank" in notes
    assert "field 1a2b3c4d" in notes
    assert notes.count("≈ at the floor") == notes.count("= ranks shared") == notes.count("◆ no other") == 1


def test_no_sign_is_explained_that_is_not_there(printed):
    notes = "\n".join(plain(printed(120, [row("alone", 1, 0.5)])))
    assert not re.search("[≈◆=]|blind|incomplete|relative", notes)


def test_colours_are_for_terminals_that_want_them(printed):
    assert any("\x1b[1;36m" in line for line in printed(120))  # the best one is bold, and cyan at the floor
    assert not any("36m" in line for line in printed(120, NO_COLOR="1"))


@pytest.mark.parametrize("columns", [50, 120])
def test_a_note_explains_what_the_table_shows(printed, columns):
    out = "\n".join(plain(printed(columns)))
    wide = columns > 100
    assert ("(0.33)" in out) is wide
    assert ("in brackets" in out) is wide
    assert ("model" in out) is wide
    assert ("a wider terminal" in out) is not wide
    assert "± 0.25" in out
