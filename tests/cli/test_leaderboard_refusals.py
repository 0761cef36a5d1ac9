"""What ``dnabench leaderboard`` refuses: directories that are no leaderboards, and merges that would spoil one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2] / "leaderboards"


@pytest.mark.parametrize("there", ["nowhere", "empty", "file.txt"])
def test_what_is_no_leaderboard(dnabench, tmp_path, there):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("x")
    for command in ("check", "build", "show"):
        ended = dnabench("leaderboard", command, tmp_path / there)
        assert ended.code == 2
        assert len(ended.err.splitlines()) == 1


def test_a_runs_directory_is_no_leaderboard(dnabench, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("manifest.json", "results.csv", "leaderboard.csv"):
        (run / name).write_text("{}")
    for command in (("check", run), ("build", run), ("merge", CHECKOUT, run, "--out", tmp_path / "out")):
        ended = dnabench("leaderboard", *command)
        assert (ended.code, ended.out) == (2, "")
        (line,) = ended.err.splitlines()
        assert line.startswith(
            f"dnabench: {run}: is a run's directory, no leaderboard; dnabench leaderboard show {run}"
        )


def test_no_merge_goes_into_what_it_merges(dnabench, tmp_path):
    a, b = (Path(shutil.copytree(CHECKOUT, tmp_path / name)) for name in ("a", "b"))
    (tmp_path / "link").symlink_to(b)
    for first, second, out in ((a, a, a / "new"), (a, b, tmp_path / "link" / "x" / "new"), (a, b, a)):
        ended = dnabench("leaderboard", "merge", first, second, "--out", out)
        assert (ended.code, f"{out}: is inside" in ended.err) == (2, True)
    assert {path.name for path in (*a.iterdir(), *b.iterdir())} == {path.name for path in CHECKOUT.iterdir()}
