"""MLflow runs, read back by MLflow's own client; and the thread that logs, with or without MLflow."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from importlib.util import find_spec

import pytest

from dnabench.orders import CellResult
from dnabench.plan import Cell
from dnabench_trackers import mlflow_runs, tracking
from dnabench_trackers.manifest import Manifest
from dnabench_trackers.mlflow_runs import MlflowRuns

needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="MLflow is not installed")


@pytest.fixture
def place(tmp_path, monkeypatch) -> str:
    """A tracking URI: a database, or files where MLflow came without SQLAlchemy."""
    if find_spec("sqlalchemy"):
        uri = f"sqlite:///{tmp_path}/mlflow.db"
    else:
        uri = f"file://{tmp_path}/tracked"
        monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


def logged(place):
    """Client, and title -> run, of everything that is there."""
    from mlflow import MlflowClient

    client = MlflowClient(place)
    (experiment,) = client.search_experiments(filter_string="name LIKE 'dnabench-%'")
    assert experiment.name == "dnabench-own"
    runs = client.search_runs([experiment.experiment_id])
    found = {run.info.run_name: run for run in runs}
    assert len(found) == len(runs)
    return client, found


def check(rows, runs):
    for row in rows("results.csv"):
        if row["status"] != "done":
            continue
        metric = row["metric"].replace("@", ":")
        name = f"{metric}/{row['slice'].replace('=', ':')}"
        run = runs[f"{row['generator']} seed {row['seed']}"]
        for end, column in (("", "value"), (".ci_low", "ci_low"), (".ci_high", "ci_high")):
            assert run.data.metrics[name + end] == pytest.approx(float(row[column]), rel=1e-8)
        floor = run.data.metrics[f"{name}.floor"] if row["slice"] != "all" else None
        if floor is None:
            floor = runs[f"floor seed {row['seed']}"].data.metrics[name]
        assert floor == pytest.approx(float(row["floor"]), rel=1e-8)
        params = {"generator": "generator", "seed": "seed", "dataset_sha256": "dataset_sha256",
                  "generator_version": "generator_version", f"version.{metric}": "metric_version"}  # fmt: skip
        assert {name: run.data.params[name] for name in params} == {name: row[of] for name, of in params.items()}
    for row in rows("timings.csv"):
        if row["status"] == "done" and row["cached"] == "false":
            what = "/".join(filter(None, (row["cell"], row["metric"].replace("@", ":"))))
            metrics = runs[f"{row['generator'] or 'floor'} seed {row['seed']}"].data.metrics
            assert metrics[f"seconds/{what}"] == pytest.approx(float(row["seconds"]), abs=0.001)


@needs_mlflow
def test_every_row_of_the_results_is_there_once_however_often_the_run_is_continued(run, rows, tmp_path, place):
    for _ in range(2):
        code, err = run(generator="markov,bootstrap")
        assert (code, "observer" in err) == (0, False)
        client, runs = logged(place)
        assert len(runs) == 6
        assert {r.info.status for r in runs.values()} == {"FINISHED"}
        assert runs["markov seed 1"].data.params["option.order"] == "5"
        assert runs["markov seed 1"].data.tags["dnabench.directory"] == str(tmp_path / "run")
        if _ == 0:
            check(rows, runs)
        for tracked in runs.values():
            for metric in tracked.data.metrics:
                assert len(client.get_metric_history(tracked.info.run_id, metric)) == 1
    assert tracking._runs == {}
    assert not any(thread.name == "dnabench-mlflow" for thread in threading.enumerate())


BROKEN = """
from dnabench import GeneratorSpec, hookimpl
@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="broken", target="brokenplugin:Broken", summary="raises")
class Broken:
    def fit(self, train, *, context):
        raise ValueError("no weights today")
"""


@needs_mlflow
def test_a_failure_is_a_failed_run_with_its_error(run, rows, tmp_path, place, install):
    install("brokenplugin", BROKEN)
    assert run(generator="broken,markov")[0] == 1
    _, runs = logged(place)
    check(rows, runs)
    assert runs["broken seed 0"].info.status == "FAILED"
    assert runs["markov seed 0"].info.status == "FINISHED"
    assert "no weights today" in runs["broken seed 0"].data.tags["error.train.broken.seed0"]
    assert runs["broken seed 0"].data.metrics == {}


INTERRUPTED = """
import sys
from dnabench.orders import CellResult
from dnabench.plan import Cell
from dnabench_trackers import dnabench_cell_finished
cell = Cell("train", "markov", 0)
dnabench_cell_finished(CellResult(cell=cell, status="done", seconds=7.0, directory=sys.argv[1]))
"""


@needs_mlflow
def test_an_interrupted_run_keeps_what_it_had_and_is_continued(run, rows, tmp_path, place):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text(
        '{"plan": {"suite": "own", "generators": [], "metrics": []}, "cells": []}'
    )
    subprocess.run([sys.executable, "-c", INTERRUPTED, str(tmp_path / "run")], check=True)
    _, runs = logged(place)
    assert runs["markov seed 0"].info.status == "KILLED"
    assert runs["markov seed 0"].data.metrics["seconds/train"] == 7.0
    (tmp_path / "run" / "manifest.json").unlink()
    for path in (tmp_path / "run" / "tensorboard").rglob("events*"):
        path.unlink()
    for path in sorted((tmp_path / "run").rglob("*"), reverse=True):
        path.rmdir()
    assert run()[0] == 0
    client, runs = logged(place)
    assert len(runs) == 4
    assert runs["markov seed 0"].info.status == "FINISHED"
    assert len(client.get_metric_history(runs["markov seed 0"].info.run_id, "seconds/train")) == 2
    check(rows, runs)


@needs_mlflow
def test_no_place_no_runs(run, tmp_path):
    assert run()[0] == 0
    assert not {"mlruns", "mlflow.db", "mlartifacts"} & {path.name for path in tmp_path.iterdir()}


@needs_mlflow
@pytest.mark.parametrize("retries", ["0", "7"])
def test_a_server_that_is_away_costs_one_warning(run, rows, tmp_path, monkeypatch, retries, closed_port):
    """With its usual retries MLflow would wait for minutes at each of the cells."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", retries)
    monkeypatch.setattr(mlflow_runs, "PATIENCE", 0.5 if retries == "7" else 60)
    start = time.monotonic()
    code, err = run()
    assert time.monotonic() - start < 60
    assert code == 0
    assert err.count("observer trackers: ") == 1
    assert [row["status"] for row in rows("results.csv")] == ["done"] * 2


@pytest.fixture
def closed_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Session:
    """What a thread is told, in place of MLflow."""

    def __init__(self, *_):
        self.told = []
        self.error = None
        self.asked = 0
        self.free = threading.Event()
        self.free.set()

    def __getattr__(self, method):
        def tell(*arguments):
            self.free.wait()
            self.asked += 1
            if self.error is not None:
                raise self.error
            self.told.append((method, *arguments))

        return tell


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """MlflowRuns with such a session."""
    monkeypatch.setattr(mlflow_runs, "_Session", Session)
    monkeypatch.setattr(mlflow_runs, "PATIENCE", 0.2)
    made = MlflowRuns(tmp_path, Manifest())
    yield made
    made._session.free.set()
    made._tasks.put(None)
    made._thread.join()


def result(status="done", **attributes):
    return CellResult(cell=Cell("train", "markov", 0), status=status, **attributes)


def test_a_session_is_told_in_order(runs):
    runs.log(result(), "markov/seed0", {"seconds/train": 1.0}, last=False)
    runs.log(result("skipped", error="needs what is missing"), "markov/seed0", {}, last=False)
    runs.log(result("failed", error="ValueError"), "markov/seed0", {}, last=True)
    runs.close()
    assert runs._session.told == [
        ("log", "markov/seed0", "markov", 0, {"seconds/train": 1.0}, {}),
        ("log", "markov/seed0", "markov", 0, {}, {"error.train.markov.seed0": "ValueError"}),
        ("end", "markov/seed0", "FAILED"),
    ]
    assert not runs._thread.is_alive()


def test_a_slow_session_holds_nobody_up(runs):
    runs._session.free.clear()
    start = time.monotonic()
    for _ in range(100):
        runs.log(result(), "markov/seed0", {"seconds/train": 1.0}, last=False)
    assert time.monotonic() - start < 0.1
    with pytest.raises(TimeoutError, match="has not taken everything within 0.2 s"):
        runs.close()


def test_what_goes_wrong_is_raised_once_and_ends_it(runs):
    runs._session.error = OSError("no route")
    runs._session.free.clear()
    for _ in range(3):
        runs.log(result(), "markov/seed0", {"seconds/train": 1.0}, last=False)
    runs._session.free.set()
    while runs._error is None:
        time.sleep(0.001)
    with pytest.raises(OSError, match="no route"):
        runs.log(result(), "markov/seed0", {"seconds/train": 2.0}, last=False)
    assert not runs._thread.is_alive()
    assert runs._session.asked == 1


def test_an_exit_tells_the_session(runs):
    runs.log(result(), "markov/seed0", {"seconds/train": 1.0}, last=False)
    runs._interrupted()
    assert [told[0] for told in runs._session.told] == ["log", "kill"]


def test_names_are_those_that_mlflow_allows():
    assert mlflow_runs._key("mmd@kmer/species=E. coli (K12)") == "mmd:kmer/species:E. coli _K12_"
