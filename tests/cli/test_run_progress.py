"""How far a run is, as a terminal shows it, and the time left."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys

import pytest
from rich.console import Console

from dnabench.cli.run_progress import RunProgress
from dnabench.orders import CellResult
from dnabench.plan import Cell, Plan, PlannedGenerator, PlannedMetric
from dnabench.suites import Controls


@pytest.fixture
def plan() -> Plan:
    generators = [
        PlannedGenerator(
            name=name, plugin=name, version=1, kind="model", distribution="d 1", device="cpu", devices=1, options={}
        )
        for name in ("slow", "quick")
    ]
    metric = PlannedMetric(
        name="gc", version=1, direction="lower", family="f", distribution="d 1", options={}, device="cpu", label="gc"
    )
    return Plan(
        suite="s", dataset="d", dataset_sha256="0" * 64, published=(), split="groups", length=64, n_train=10,
        n_generated=5, n_reference=5, seeds=(0, 1), preset="quick", slices=(), flags=(), device="cpu", threads=1,
        controls=Controls(floor="holdout", memoriser="bootstrap", blank=()), generators=tuple(generators),
        metrics=(metric,),
    )  # fmt: skip


class Screen:
    """A terminal and a clock, both in our hands."""

    def __init__(self, plan: Plan, width: int = 100) -> None:
        self.now = 0.0
        self.console = Console(file=io.StringIO(), force_terminal=True, width=width)
        self.progress = RunProgress(plan, console=self.console, clock=lambda: self.now)

    def done(self, cell: Cell, seconds: float, status: str = "done") -> None:
        self.progress.started(cell)
        self.now += seconds
        self.progress.finished(CellResult(cell=cell, status=status, key="k", seconds=seconds))

    @property
    def lines(self) -> dict[str, list[str]]:
        with self.console.capture() as captured:
            self.console.print(self.progress.render())
        text = re.sub(r"\x1b\[[0-9;]*m", "", captured.get())
        return {line[:18].strip(): re.split(r"  +", line[18:].strip()) for line in text.splitlines()}

    @property
    def left(self) -> str:
        with self.console.capture() as captured:
            self.console.print(self.progress.render())
        return re.search(r"(about|more than|cells).*", captured.get().replace("\x1b", " "))[0]


def test_every_seed_of_every_generator_says_how_far_it_is(plan):
    screen = Screen(plan)
    assert screen.lines["slow"] == ["·", "·"]
    screen.progress.started(Cell("train", "slow", 0))
    screen.progress.stage(Cell("train", "slow", 0), 30, 120, "epochs")
    screen.done(Cell("train", "slow", 1), 1, "timeout")
    screen.done(Cell("train", "quick", 0), 1)
    screen.done(Cell("train", "quick", 1), 1)
    screen.done(Cell("sample", "quick", 1), 1)
    screen.done(Cell("score", "quick", 1, "gc"), 1)
    assert screen.lines["slow"] == ["training", "25%", "✗ timeout"]
    assert screen.lines["quick"] == ["trained", "✓"]
    assert screen.lines["real against real"] == ["·", "·"]


def test_the_time_left_is_what_the_like_has_taken(plan):
    screen = Screen(plan)
    for seed in (0, 1):
        screen.done(Cell("floor", "", seed, "gc"), 4)
    screen.done(Cell("train", "slow", 0), 100)
    screen.done(Cell("train", "quick", 0), 10)
    # The other seeds take 100 and 10 s; nobody knows of sampling.
    assert "more than 2 min left" in screen.left
    screen.done(Cell("sample", "slow", 0), 6)
    screen.done(Cell("sample", "quick", 0), 2)
    screen.done(Cell("score", "slow", 0, "gc"), 5)
    # 100 + 10 for training, 6 + 2 for sampling, three scores of 5 s.
    assert "about 2 min left" in screen.left
    screen.progress.started(Cell("train", "slow", 1))
    screen.progress.started(Cell("train", "quick", 1))
    screen.now += 20
    screen.progress.stage(Cell("train", "slow", 1), 1, 2, "steps")
    # Half is done in 20 s; the other is overdue. With 8 + 15 s for what waits, two at once: (20 + 0 + 23) / 2.
    assert "about 22 s left" in screen.left


def test_a_narrow_terminal_shows_a_line_a_generator(plan):
    screen = Screen(plan, width=40)
    screen.done(Cell("score", "quick", 1, "gc"), 1)
    assert screen.lines["quick"] == ["1 of 2 seeds done"]


@pytest.mark.slow
def test_a_run_on_a_terminal_leaves_only_its_table(tmp_path, promoters):
    """In a real pseudo-terminal: the progress is drawn and gone, and the result stands on stdout."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dnabench", "run", "-g", "composition", "--dataset", promoters, "--metrics", "gc",
               "--seeds", "0", "--samples", "40", "--store", tmp_path / "store", "--out", tmp_path / "run"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, stdin=theirs, text=True) as run:
        os.close(theirs)
        drawn = b""
        while True:
            try:
                drawn += os.read(ours, 1 << 16)
            except OSError:  # Linux's end of a pseudo-terminal that nobody writes to any more
                break
        out = run.stdout.read()
    os.close(ours)
    assert run.returncode == 0
    assert "composition" in out
    assert "\x1b" not in out
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", drawn).decode()
    assert "real against real" in text
    assert re.search(r"\d+ of \d+ cells", text)
    assert b"\x1b[2K" in drawn  # what was drawn is wiped
