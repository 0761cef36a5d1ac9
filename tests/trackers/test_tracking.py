"""Who is told, and what happens when somebody fails."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dnabench.orders import CellResult
from dnabench.plan import Cell
from dnabench_trackers import tracking
from dnabench_trackers.tracking import observe

HEAVY = "{'tensorboard', 'mlflow', 'google', 'torch', 'tensorflow', 'numpy'}"


def test_nothing_is_imported_before_there_is_something_to_log():
    code = (
        "import sys; from dnabench.cli import main\n"
        "try: main(['list'])\n"
        "except SystemExit as stop: assert not stop.code\n"
        "import dnabench_trackers\n"
        "from dnabench.orders import CellResult\n"
        "from dnabench.plan import Cell\n"
        f"before = {HEAVY} & set(sys.modules)\n"
        "cell = Cell('train', 'markov', 0)\n"
        "dnabench_trackers.dnabench_cell_finished(CellResult(cell=cell, status='skipped', directory='absent'))\n"
        f"print(sorted(before | {HEAVY} & set(sys.modules) - {{'numpy', 'google'}}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_it_can_be_left_out(run, tmp_path):
    assert run("--no-plugin", "trackers")[0] == 0
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_without_the_packages_nothing_happens(run, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(tracking, "find_spec", lambda package: None)
    code, err = run()
    assert (code, "observer" in err) == (0, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labelled.fa", "own.toml", "run", "store"]
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_a_folder_is_no_package(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "board_of_dna").mkdir()
    assert not tracking._installed("board_of_dna")
    assert tracking._installed("dnabench")


class Recorder:
    """A tracker that writes down what it is told, and raises at will."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told = []
        self.error = error

    def log(self, result, name, found, *, last):
        self.told.append((name, result.cell.kind, last))
        if self.error is not None:
            raise self.error

    def close(self):
        self.told.append("closed")


def results(directory, seeds=(0, 1)):
    for seed in seeds:
        for kind, metric in (("train", ""), ("sample", ""), ("score", "fred")):
            yield CellResult(cell=Cell(kind, "markov", seed, metric), status="done", directory=str(directory))


@pytest.fixture
def track(tmp_path, monkeypatch):
    """A run with these trackers alone, whose manifest has the cells of :func:`results`."""

    def start(*trackers):
        made = tracking.Tracking(tmp_path)
        made._trackers = list(trackers)
        made._manifest = None
        made._missing = {result.cell.id: f"markov/seed{result.cell.seed}" for result in results(tmp_path)}
        tracking._runs[str(tmp_path)] = made

    return start


def test_the_last_of_a_series_and_of_all(track, tmp_path):
    recorder = Recorder()
    track(recorder)
    for result in results(tmp_path):
        observe(result)
    expected = [("markov/seed0", kind, kind == "score") for kind in ("train", "sample", "score")]
    assert recorder.told == expected + [("markov/seed1", kind, last) for _, kind, last in expected] + ["closed"]
    assert tracking._runs == {}


def test_a_tracker_that_fails_is_out_and_the_others_go_on(track, tmp_path):
    broken, recorder = Recorder(OSError("disk full")), Recorder()
    track(broken, recorder)
    first, *rest = results(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        observe(first)
    for result in rest:
        observe(result)
    assert len(broken.told) == 1
    assert len(recorder.told) == 7
    assert tracking._runs == {}


def test_a_tracker_that_fails_at_the_end_leaves_nothing_behind(track, tmp_path):
    track(Recorder())
    tracking._runs[str(tmp_path)]._trackers[0].close = lambda: 1 / 0
    *first, last = results(tmp_path)
    for result in first:
        observe(result)
    with pytest.raises(ZeroDivisionError):
        observe(last)
    assert tracking._runs == {}
