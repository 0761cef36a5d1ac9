"""TensorBoard's files, read back by TensorBoard's own reader."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from dnabench.orders import CellResult
from dnabench.plan import Cell
from dnabench_trackers import tracking

pytest.importorskip("tensorboard")


def logged(directory: Path) -> dict[str, dict[str, list[float]]]:
    """Series -> tag -> all values, as TensorBoard sees them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for folder in sorted(directory.glob("tensorboard/*/seed*")):
        events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
        scalars = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
        assert all(scalar.step == 0 for series in scalars.values() for scalar in series)
        found["/".join(folder.parts[-2:])] = {tag: [s.value for s in series] for tag, series in scalars.items()}
    return found


def test_every_row_of_the_results_is_there_once(run, rows, tmp_path):
    code, err = run(generator="markov,bootstrap")
    assert (code, "observer" in err) == (0, False)
    expected = defaultdict(dict)
    for row in rows("results.csv"):
        tag = f"{row['metric']}/{row['slice']}"
        named = {"": row["value"], ".ci_low": row["ci_low"], ".ci_high": row["ci_high"]}
        if row["slice"] == "all":
            expected[f"floor/seed{row['seed']}"][tag] = row["floor"]
        else:
            named[".floor"] = row["floor"]
        expected[f"{row['generator']}/seed{row['seed']}"] |= {tag + end: text for end, text in named.items()}
    for row in rows("timings.csv"):
        what = "/".join(filter(None, (row["cell"], row["metric"])))
        series = expected[f"{row['generator'] or 'floor'}/seed{row['seed']}"]
        series |= {f"seconds/{what}": row["seconds"], f"memory_mb/{what}": row["peak_memory_mb"]}
    found = logged(tmp_path / "run")
    assert len(rows("results.csv")) == 2 * (1 + 3)  # two seeds; two species of the one that has labels
    assert set(found) == set(expected)
    assert len(found) == 6
    for series, numbers in expected.items():
        own = {
            tag: values for tag, values in found[series].items() if "ci_" not in tag or not series.startswith("floor")
        }
        assert set(own) == set(numbers)
        for tag, text in numbers.items():
            rounded = 0.06 if tag.startswith(("seconds", "memory")) else 0.0
            assert own[tag] == [pytest.approx(float(text), rel=1e-6, abs=rounded)]


def test_the_same_run_again_adds_nothing_and_one_elsewhere_has_all_but_times(run, tmp_path):
    assert run()[0] == 0
    files = {path: path.read_bytes() for path in (tmp_path / "run" / "tensorboard").rglob("*") if path.is_file()}
    assert len(files) == 4
    assert run()[0] == 0
    assert {
        path: path.read_bytes() for path in (tmp_path / "run" / "tensorboard").rglob("*") if path.is_file()
    } == files
    assert run("--out", "other")[0] == 0
    first, second = logged(tmp_path / "run"), logged(tmp_path / "other")
    assert second == {
        series: {tag: found for tag, found in tags.items() if not tag.startswith(("seconds", "memory"))}
        for series, tags in first.items()
    }


def test_a_file_that_was_cut_short_is_completed_by_another(run, tmp_path):
    assert run()[0] == 0
    whole = logged(tmp_path / "run")
    (path,) = (tmp_path / "run" / "tensorboard" / "markov" / "seed0").iterdir()
    path.write_bytes(path.read_bytes()[:-20])  # within the last record, which holds the scores
    assert "mmd@kmer/all" not in logged(tmp_path / "run")["markov/seed0"]
    assert run()[0] == 0
    again = logged(tmp_path / "run")
    assert {tag: value for tag, value in again["markov/seed0"].items() if tag.startswith("mmd")} == {
        tag: value for tag, value in whole["markov/seed0"].items() if tag.startswith("mmd")
    }
    assert again["markov/seed1"] == whole["markov/seed1"]


def test_a_value_that_changed_comes_after_the_old_one(tmp_path):
    def result(value):
        answer = {"record": {"value": value, "parts": {}}}
        return CellResult(cell=Cell("floor", "", 0, "fred"), status="done", answer=answer, cached=True,
                          directory=str(tmp_path))  # fmt: skip

    for value in (1.0, 1.0, 2.0, 1e300):
        tracking.observe(result(value))
        tracking._runs.clear()  # as if by another process
    assert logged(tmp_path) == {"floor/seed0": {"fred/all": [1.0, 2.0, float("inf")]}}


LOGGING = """
import os, signal, sys, time
from dnabench.orders import CellResult
from dnabench.plan import Cell
from dnabench_trackers import dnabench_cell_finished
times = []
for number in range(200):
    record = {"value": float(number), "ci_low": 0.0, "ci_high": 1.0, "parts": {}}
    slices = {f"species={n}": {"status": "done", "record": record} for n in range(30)} | {"all": {"record": record}}
    cell = Cell("score", f"g{number % 20}", 0, f"metric{number}")
    start = time.perf_counter()
    result = CellResult(cell=cell, status="done", answer={"slices": slices}, seconds=1.0, directory=sys.argv[1])
    dnabench_cell_finished(result)
    times.append(time.perf_counter() - start)
heavy = {"torch", "tensorflow", "grpc", "mlflow"} & set(sys.modules)
print(times[0], sum(times[1:]) / len(times[1:]), sorted(heavy), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_run_keeps_what_it_had_and_was_not_slowed_down(tmp_path):
    done = subprocess.run([sys.executable, "-c", LOGGING, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    first, others, heavy = done.stdout.strip().split(" ", 2)
    assert heavy == "[]"
    assert float(others) < 0.05, f"{first} s for the first result, {others} s for each of the others"
    found = logged(tmp_path)
    assert len(found) == 20
    assert sorted(tags[tag][0] for tags in found.values() for tag in tags if tag.endswith("/all")) == list(range(200))
    assert sum(len(tags) for tags in found.values()) == 200 * (31 * 3 + 2)


def test_a_place_that_cannot_be_written_is_one_warning(run, tmp_path):
    assert run()[0] == 0
    results = (tmp_path / "run" / "results.csv").read_bytes()
    for path in sorted((tmp_path / "run" / "tensorboard").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (tmp_path / "run" / "tensorboard").rmdir()
    (tmp_path / "run" / "tensorboard").write_text("in the way")
    code, err = run()
    assert code == 0
    assert err.count("observer trackers: ") == 1
    assert "tensorboard" in err
    assert (tmp_path / "run" / "results.csv").read_bytes() == results


def test_the_files_say_nothing_of_host_or_user(run, tmp_path):
    assert run("--anonymous")[0] == 0
    for path in (tmp_path / "run" / "tensorboard").rglob("events*"):
        assert os.uname().nodename not in path.name
        assert os.uname().nodename.encode() not in path.read_bytes()
        assert abs(float(path.name.split(".")[3]) - time.time()) < 600
    assert np.isfinite(logged(tmp_path / "run")["markov/seed0"]["mmd@kmer/all"]).all()
