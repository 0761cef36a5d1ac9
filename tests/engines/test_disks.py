"""Stores on disks that are full or cannot be written, and stores that several runs share."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def disk(tmp_path):
    """A file system of 4 MB in memory; skips where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)


@pytest.fixture
def run(dnabench, promoters, wild, tmp_path):
    """``run(store, out)``: six models of a megabyte each; how it ended."""

    def call(store: Path, out: Path, generator: str = "bulky", *more: object):
        fixed = ("-m", "motif-kl", "--dataset", promoters, "--no-controls", "--seeds", "0-5")
        return dnabench("run", "-g", generator, *fixed, "--store", store, "--out", out, *more)

    return call


def statuses(out: Path) -> list[str]:
    with (out / "results.csv").open() as file:
        return [row["status"] for row in csv.DictReader(file) if row["metric"] == "motif-kl"]


def test_a_full_disk_fails_cells_and_the_next_attempt_ends_with_the_same_bytes(run, disk, tmp_path):
    assert run(tmp_path / "store", tmp_path / "whole").code == 0
    ended = run(disk, tmp_path / "run")
    assert ended.code == 1
    assert "No space left on device" in ended.err
    lines = map(json.loads, (tmp_path / "run" / "events.jsonl").read_text().splitlines())
    trained = [line["status"] for line in lines if line.get("cell", "").startswith("train") and "status" in line]
    assert sorted(set(trained)) == ["done", "failed"]
    assert trained.count("done") <= 4  # megabytes that the disk takes
    remount(disk, "size=64m")
    assert run(disk, tmp_path / "run").code == 0
    assert (tmp_path / "run" / "results.csv").read_bytes() == (tmp_path / "whole" / "results.csv").read_bytes()


def test_a_run_directory_on_a_full_disk_is_one_line(run, disk, tmp_path):
    (disk / "filler").write_bytes(bytes(1_500_000))
    ended = run(tmp_path / "store", disk / "run")
    assert ended.code == 2
    assert ended.err.strip().splitlines()[-1].split("] ")[-1].startswith("No space left on device")
    assert "Traceback" not in ended.err
    (disk / "filler").unlink()
    remount(disk, "size=64m")
    assert run(tmp_path / "store", disk / "run").code == 0
    assert set(statuses(disk / "run")) == {"done"}


def test_a_store_that_cannot_be_written_is_refused_at_once(run, disk, tmp_path):
    remount(disk, "ro")
    ended = run(disk / "store", tmp_path / "run")
    assert ended.code == 2
    assert ended.err == (
        f"dnabench: {disk / 'store'}: the store cannot be written: Read-only file system; choose another with --store\n"
    )
    assert not (tmp_path / "run").exists()


def test_a_run_directory_that_cannot_be_written_is_refused_at_once(run, disk, tmp_path):
    remount(disk, "ro")
    ended = run(tmp_path / "store", disk / "run")
    assert ended.code == 2
    assert ended.err == f"dnabench: {disk / 'run' / 'manifest.json'}: cannot be written: Read-only file system\n"


@pytest.mark.slow
def test_two_runs_on_one_store_do_every_cell_once(promoters, wild, tmp_path):
    def start(out: str) -> subprocess.Popen:
        words = [
            sys.executable, "-m", "dnabench", "run", "-g", "good,group,markov", "-m", "motif-kl,mmd@kmer",
            "--seeds", "0-3", "--dataset", promoters, "--no-controls",
            "--store", tmp_path / "store", "--out", tmp_path / out,
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
        return subprocess.Popen(words, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    with start("a") as first, start("b") as second:
        said = [process.communicate()[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert (tmp_path / "a" / "results.csv").read_bytes() == (tmp_path / "b" / "results.csv").read_bytes()
    assert (tmp_path / "diary.txt").read_text().split() == ["Good"] * 4
    assert len((tmp_path / "child.txt").read_text().split()) == 4
