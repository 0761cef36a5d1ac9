"""``dnabench store``: on stores that real runs made."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from dnabench import inventory
from dnabench.housekeeping import DAY, PRUNABLE

RUN = ("run", "-g", "markov", "-m", "mmd@kmer", "--seeds", "0", "--no-controls")


@pytest.fixture
def store(dnabench, promoters, tmp_path) -> Path:
    """The store of a run whose results are in ``tmp_path / "first"``; everything in it was used two days ago."""
    assert dnabench(*RUN, "--dataset", promoters, "--out", tmp_path / "first").code == 0
    age(tmp_path / "store", 2 * DAY)
    return tmp_path / "store"


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    for each in (path, *path.rglob("*")):
        os.utime(each, (then, then), follow_symlinks=False)


def contents(root: Path) -> dict[str, bytes]:
    """Every file below ``root``; having read them makes them no younger."""
    found = {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    age(root, 2 * DAY)
    return found


def walked(root: Path) -> dict[str, tuple[int, int]]:
    """Entries and bytes of every folder of the store, counted in another way."""
    return {
        folder.name: (
            len(list(folder.iterdir())),
            sum(Path(place, name).stat().st_size for place, _, names in os.walk(folder) for name in names),
        )
        for folder in root.iterdir()
    }


def said(ended) -> str:
    """The only line on stderr of a command that ended with exit code 2."""
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("dnabench: ")
    return line


def test_sizes_are_those_of_the_files(dnabench, store):
    before = contents(store)
    ended = dnabench("store", "size", "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    about = json.loads(ended.out)
    assert about["store"] == str(store)
    counted = walked(store)
    assert {row["kind"]: (row["entries"], row["bytes"]) for row in about["kinds"]} == {
        kind: counted.get(kind, (0, 0)) for kind in inventory.KINDS
    }
    assert (counted["models"][0], counted["samples"][0], counted["embeddings"][0] > 0) == (1, 1, True)
    assert about["total"]["bytes"] == sum(size for _, size in counted.values())
    then = [row["oldest"] for row in about["kinds"] if row["entries"]] + [about["total"]["newest"]]
    assert all(time.time() - time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) > DAY for text in then)
    rows = list(csv.DictReader(io.StringIO(dnabench("store", "size", "--format", "csv").out)))
    assert [(row["kind"], int(row["bytes"])) for row in rows] == [
        (row["kind"], row["bytes"]) for row in (*about["kinds"], about["total"])
    ]
    table = dnabench("store", "size").out
    assert "models" in table
    assert "downloads" not in table  # there are none
    assert contents(store) == before


@pytest.mark.parametrize("kinds", [(), ("--kind", "models,samples"), ("--kind", "cells", "--kind", "scores"),
                                   ("--kind", "parts,splits,embeddings")])  # fmt: skip
def test_what_is_pruned_is_made_anew_and_the_same(dnabench, promoters, store, tmp_path, kinds):
    dry = dnabench("store", "prune", "--older-than", "1d", "--dry-run", "--format", "json", *kinds)
    before = walked(store)
    ended = dnabench("store", "prune", "--older-than", "1d", "--format", "json", *kinds)
    assert (ended.code, ended.err) == (0, "")
    about = json.loads(ended.out)
    assert json.loads(dry.out) == about | {"dry_run": True}
    after = walked(store)
    gone = {row["kind"]: (row["entries"], row["bytes"]) for row in about["removed"]}
    for kind, (entries, size) in before.items():
        went = gone.get(kind, (0, 0))
        assert after[kind] == (entries - went[0], size - went[1])
    named = [name for text in kinds[1::2] for name in text.split(",")] or PRUNABLE
    assert all(after[kind][0] == 0 for kind in before if kind in named and kind != "cells")
    for record in (store / "cells").glob("*.json"):
        kind = json.loads(record.read_text())["kind"]
        assert kind not in ("train", "sample") or (store / f"{kind}s".replace("train", "model") / record.stem).is_dir()
    assert dnabench(*RUN, "--dataset", promoters, "--out", tmp_path / "second").code == 0
    for name in ("results.csv", "samples/markov/seed0.fa.gz"):
        assert (tmp_path / "second" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()
    again = walked(store)  # embeddings are made when a score is, and cached scores need none
    assert all(again[kind][0] == before[kind][0] for kind in before if kind != "embeddings")


def test_no_more_than_max_size_is_left(dnabench, promoters, store):
    half = sum(size for _, size in walked(store).values()) // 2
    assert dnabench(*RUN, "--seeds", "1", "--dataset", promoters).code == 0
    ended = dnabench("store", "prune", "--max-size", str(half))
    assert f"more than --max-size {half}" in ended.err  # what the second run made is new
    assert "in use or were of late" in ended.err
    assert json.loads(dnabench("store", "size", "--format", "json").out)["total"]["bytes"] > half
    age(store, 2 * 3600)
    ended = dnabench("store", "prune", "--max-size", str(half))
    assert (ended.code, ended.err) == (0, "")
    assert 0 < sum(size for _, size in walked(store).values()) <= half
    assert dnabench("store", "prune", "--max-size", str(half)).out == f"{store}: 0 entries, 0 bytes removed\n"


def test_a_dry_run_removes_nothing(dnabench, store):
    (store / "scratch" / ("0" * 64)).mkdir()
    (store / "scratch" / f"{'0' * 64}.lock").touch()
    (store / "scores" / f".{'0' * 64}.json.abcd1234").touch()
    before = contents(store)
    times = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    ended = dnabench("store", "prune", "--older-than", "1d", "--max-size", "1", "--dry-run")
    assert ended.code == 0
    assert ended.out.startswith(f"{store}: {sum(entries for entries, _ in walked(store).values()) - 2} entries, ")
    assert " would go" in ended.out
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == times
    assert contents(store) == before


HOLDING = """
import sys
from pathlib import Path
from dnabench.store import Store
with Store(Path(sys.argv[1])).work("0" * 64) as work:
    (work / "checkpoint").write_text("step 10")
    print("working", flush=True)
    sys.stdin.read()
    assert (work / "checkpoint").read_text() == "step 10"
"""


def test_work_in_progress_of_another_process_stays(dnabench, store):
    command = [sys.executable, "-c", HOLDING, str(store)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "working\n"
        age(store, 2 * DAY)
        ended = dnabench("store", "prune", "--older-than", "1h", "--format", "csv")
        assert ended.code == 0
        assert "more would go, but are in use" in ended.err
        assert "scratch" not in ended.out
        assert (store / "scratch" / ("0" * 64) / "checkpoint").read_text() == "step 10"
        process.communicate()
    assert process.returncode == 0
    assert walked(store)["scratch"] == (0, 0)
    assert walked(store)["models"] == (0, 0)


def test_a_run_goes_on_while_its_store_is_pruned(dnabench, promoters, store, tmp_path):
    """A size that nothing fits, asked for again and again; what the run needs is new, the rest goes."""
    command = [sys.executable, "-m", "dnabench", *RUN, "--seeds", "0-2", "--jobs", "2", "--dataset", str(promoters),
               "--out", str(tmp_path / "second")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    prunings = 0
    while process.poll() is None:
        assert dnabench("store", "prune", "--max-size", "1").code == 0
        prunings += 1
    assert process.returncode == 0
    assert prunings > 5
    rows = {name: (tmp_path / name / "results.csv").read_text().splitlines() for name in ("first", "second")}
    assert set(rows["first"]) < set(rows["second"])
    assert len(rows["second"]) == 1 + 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing says what is to go: give --older-than 30d, --max-size 10G or both"),
        (("--kind", "scratch"), "nothing says what is to go"),
        (("--older-than", "soon"), "--older-than soon: not a duration, such as 45s, 30m, 2h or 1.5d"),
        (("--older-than", "0d"), "--older-than 0d: not a duration"),
        (("--max-size", "10X"), "--max-size 10X: not a size, such as 500M, 8G or 1.5T"),
        (("--max-size", "0"), "--max-size 0: not a size"),
        (("--max-size", "1G", "--kind", "embedings"), "--kind embedings: nothing that can be pruned; did you mean emb"),
        (("--max-size", "1G", "--kind", "data"), "--kind data: imported and fetched sets are yours and never pruned"),
        (("--max-size", "1G", "--kind", "other"), "--kind other: nothing that can be pruned"),
        (("--max-size", "1G", "--kind", ","), "--kind names no kind; it takes cells, models"),
        (("--max-size", "1G"), "store: no such directory, so no store"),
        (("--max-size", "1G", "--store", __file__), "test_store_command.py: not a directory, so no store"),
    ],
)
def test_bad_input(dnabench, tmp_path, arguments, message):
    assert message in said(dnabench("store", "prune", *arguments))
    assert not (tmp_path / "store").exists()


def test_no_store_to_measure(dnabench, tmp_path):
    assert "store: no such directory, so no store; the first run makes one" in said(dnabench("store", "size"))
    assert "a: no such directory" in said(dnabench("store", "size", "--store", "a"))
    assert list(Path.cwd().iterdir()) == []
    (tmp_path / "store").mkdir()
    ended = dnabench("store", "size", "--format", "csv")
    assert ended.out.splitlines()[-1] == "total,0,0,,"


AS_SOMEBODY = """
import os, sys
from dnabench import housekeeping, inventory, store
from dnabench.cli import main, render
from dnabench.cli.store import prune, reports, size
if os.geteuid() == 0:
    os.setuid(65534)
main(["store", *sys.argv[1:]])
"""


@pytest.mark.parametrize(("mode", "command", "message"), [
    (0o555, ("prune", "--older-than", "1d"), "cannot be removed: Permission denied"),
    (0o000, ("size",), "cannot be read: Permission denied"),
    (0o000, ("prune", "--older-than", "1d"), "cannot be read: Permission denied"),
])  # fmt: skip
def test_a_store_that_is_somebody_elses(mode, command, message):
    """As root nothing is forbidden, so the command gives that up first."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        root.chmod(0o755)
        record = root / "scores" / f"{'0' * 64}.json"
        record.parent.mkdir()
        record.write_text("{}")
        age(root, 2 * DAY)
        record.parent.chmod(mode)
        process = [sys.executable, "-c", AS_SOMEBODY, *command, "--store", directory]
        done = subprocess.run(process, capture_output=True, text=True, check=False)
        record.parent.chmod(0o755)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert message in line
        assert record.exists()


def test_the_size_needs_nothing_heavy(store):
    code = (
        "import sys; from dnabench.cli import main\n"
        "try: main(['store', 'size', '--format', 'json'])\n"
        "except SystemExit as stop: assert not stop.code\n"
        "print(sorted({'torch', 'pandas', 'scipy', 'sklearn', 'pyarrow', 'rich'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert json.loads(done.stdout)["total"]["entries"] > 5
