"""The ranked table on a terminal: what does not fit is left out, and the lines below speak only of what is there."""

from __future__ import annotations

import pytest

from dnabench.cli.render import print_leaderboard

ROW = {
    "rank": 1, "generator": "markov", "kind": "baseline", "complete": True, "tied_with": "", "flags": "",
    "kmer-js": 0.5, "kmer-js_ci_low": 0.25, "kmer-js_ci_high": 0.75,
}  # fmt: skip


@pytest.mark.parametrize("columns", [50, 120])
def test_a_note_explains_what_the_table_shows(capsys, monkeypatch, columns):
    for name, value in (("TTY_COMPATIBLE", "1"), ("TERM", "xterm"), ("COLUMNS", str(columns)), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    print_leaderboard([ROW], {"kmer-js": "lower"}, {"kmer-js": 0.1}, {("markov", "kmer-js"): 0.33}, "title")
    out = capsys.readouterr().out
    wide = columns > 100
    assert ("(0.33)" in out) is wide
    assert ("in brackets" in out) is wide
    assert ("baseline" in out) is wide
    assert ("a wider terminal" in out) is not wide
    assert "± 0.25" in out
