"""``dnabench new``: packages that build, install, pass their own tests and take part in a comparison."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

NAMES = {"generator": "pair-chain", "metric": "entropy", "embedder": "quarters", "dataset": "two-classes"}


@pytest.mark.parametrize("kind", NAMES)
def test_a_package_is_short_and_says_what_it_wrote(dnabench, tmp_path, kind):
    out = tmp_path / "deep" / "package"
    ended = dnabench("new", kind, NAMES[kind], "--out", out)
    assert ended.code == 0, ended.err
    written = sorted(path for path in out.rglob("*") if path.is_file())
    assert sorted(map(Path, ended.out.split())) == written
    assert sum(len(path.read_text().splitlines()) for path in written) < 120
    assert not [path for path in written if "$" in path.read_text()]
    assert {"pyproject.toml", "README.md", "tox.ini"} <= {path.name for path in written}


def test_its_place_is_named_after_it(dnabench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert dnabench("new", "metric", "my-score").code == 0
    assert (tmp_path / "dnabench-my-score" / "dnabench_my_score" / "score.py").is_file()


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("generator", "My_Model", "'My_Model' is no name for a plugin: lower-case words joined by hyphens"),
        ("generator", "../escape", "is no name for a plugin"),
        ("generator", "markov", "dnabench 0.1.0 has a generator named 'markov' already"),
        ("model", "mine", "'model' is not one of 'generator', 'metric', 'embedder', 'dataset'"),
    ],
)
def test_bad_input_writes_nothing(dnabench, tmp_path, monkeypatch, kind, name, message):
    monkeypatch.chdir(tmp_path)
    ended = dnabench("new", kind, name)
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_there_stays(dnabench, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    ended = dnabench("new", "metric", "my-score", "--out", place)
    assert ended.code == 2
    assert "not an empty directory; --out takes another" in ended.err
    assert [path.name for path in place.iterdir()] == ["mine.txt"]
    ended = dnabench("new", "metric", "my-score", "--out", place / "mine.txt" / "below")
    assert ended.code == 2
    assert "below: cannot be made: " in ended.err


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> tuple[Path, Path]:
    """A fresh environment with the wheels of all four packages, beside what the tests run with; and the packages."""
    place, packages = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("packages")
    venv.create(place)
    python = place / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    outer = sysconfig.get_paths()["purelib"]
    Path(site, "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    for kind, name in NAMES.items():
        subprocess.run([sys.executable, "-m", "dnabench", "new", kind, name, "--out", packages / name], check=True)
    written = [packages / name for name in NAMES.values()]
    subprocess.run([*pip, "--target", site, *written], check=True, capture_output=True)
    return python, packages


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES.values())
def test_its_own_tests_pass(environment, name):
    python, packages = environment
    ended = subprocess.run(
        [python, "-m", "pytest", "-q"], cwd=packages / name, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout
    assert " passed" in ended.stdout


@pytest.mark.slow
def test_all_four_take_part_in_a_comparison(environment, tmp_path):
    python, _ = environment
    command = [python, "-m", "dnabench", "run", "--generator", "pair-chain,composition", "--dataset", "two-classes",
               "--metrics", "entropy,fred@quarters,kmer-js", "--set", "pair-chain.pseudocount=0.5", "--seeds", "0",
               "--out", tmp_path / "run", "--format", "csv"]  # fmt: skip
    ended = subprocess.run(
        command,
        env={**os.environ, "DNABENCH_STORE": str(tmp_path / "store")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert all(row["status"] == "done" for row in rows)
    fred = {row["generator"]: float(row["value"]) for row in rows if row["metric"] == "fred@quarters"}
    # A table at every position knows the TATA box, which composition does not.
    assert fred["holdout"] < fred["pair-chain"] < fred["composition"]
