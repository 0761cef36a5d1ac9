"""Publishing that is killed at any step, and reading beside publishers: real processes, and always one whole state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dnabench.errors import UserError
from dnabench.leaderboard import directory as directories
from dnabench.leaderboard import publication, published

GENERATORS = ("alpha", "beta", "gamma")


def results(version, value=0.5):
    """The facts of a run of all generators; those of two versions of the metric are never ranked together."""
    return [
        {
            "suite": "own", "dataset": "d", "dataset_sha256": "a" * 64, "split": "groups-50mer-80:10:10",
            "slice": "all", "generator": generator, "generator_version": 1, "options": "{}", "seed": seed,
            "metric": "gc", "metric_version": version, "embedder": "", "embedder_sha256": "", "direction": "lower",
            "value": value + seed / 100, "ci_low": value - 0.1, "ci_high": value + 0.1, "floor": 0.1,
            "n_generated": 60, "n_reference": 60, "status": "done", "error": "",
        }
        for generator in GENERATORS for seed in (0, 1)
    ]  # fmt: skip


def publish(path, version):
    published.publish_facts(path, "own", results(version), dict.fromkeys(GENERATORS, "model"))
    return path


def contents(path):
    """All that is there, hidden or not, and None for directories."""
    return {
        file.relative_to(path).as_posix(): file.read_bytes() if file.is_file() else None for file in path.rglob("*")
    }


# Each step of a publication, of the kinds asked for, is what one process is killed before.
KILLED = """
import itertools, json, os, shutil, signal, sys
from pathlib import Path
from dnabench.leaderboard import published

start, into, rows = Path(sys.argv[1]), Path(sys.argv[2]), json.load(sys.stdin)

def publish(path):
    published.publish_facts(path, "own", rows, {row["generator"]: "model" for row in rows})

def kill_at(step):
    steps = itertools.count()
    def hook(event, arguments):
        reads = event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in sys.argv[3:] and not reads and next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

publish(into / "new")
for step in itertools.count():
    path = into / str(step)
    shutil.copytree(start, path)
    if (child := os.fork()) == 0:
        kill_at(step)
        publish(path)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status == 0:
        break
    assert os.WIFSIGNALED(status), status
print(step)
"""


def kill_at_every_step(start, into, *kinds):
    """The directories left by publishers of version 2 that were killed, one step later each, and what they wanted."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, start, into, *kinds],
        input=json.dumps(results(2)), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return [into / str(step) for step in range(int(done.stdout))], contents(into / "new")


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Those of a leaderboard of version 1; its contents; what was wanted."""
    root = tmp_path_factory.mktemp("killed")
    start = publish(root / "start", 1)
    paths, new = kill_at_every_step(start, root, "os.rename", "os.remove", "os.rmdir", "open")
    return paths, contents(start), new


def test_a_killed_publisher_leaves_what_build_makes_the_old_or_the_new_state(killed, tmp_path):
    paths, old, new = killed
    states = []
    for path in paths:
        work = shutil.copytree(path, tmp_path / path.name)
        published.build(work)
        assert contents(work) in (old, new)
        states.append(contents(work) == new)
    assert states == sorted(states)
    # The last ones are those between the renames: three of facts, one of the table, and what is removed then.
    assert states.count(False) >= 5
    assert states.count(True) >= 5


def test_whoever_publishes_or_reads_next_finds_a_whole_state(killed, tmp_path):
    paths, old, new = killed
    for path in paths:
        work = shutil.copytree(path, tmp_path / path.name)
        assert published.difference(directories.load(work, "own")) == ""
        assert {file.suffix for file in work.iterdir()} <= {"", ".csv", ".lock", ".new"}
        read = {name: text for name, text in contents(work).items() if not name.startswith(".")}
        assert read in (old, new)
        assert contents(publish(work, 1)) == old


def test_a_first_publication_that_is_killed(tmp_path):
    (tmp_path / "start").mkdir()
    (staged, *moved), new = kill_at_every_step(tmp_path / "start", tmp_path, "os.rename")
    with pytest.raises(UserError, match="holds no leaderboard"):
        published.build(staged)
    assert contents(publish(staged, 2)) == new
    assert len(moved) == 4
    for path in moved:
        published.build(path)
        assert contents(path) == new


# Two processes that publish, each all generators by a protocol of its own, until two others have read often enough.
BESIDE = """
import itertools, json, os, sys
from pathlib import Path
from dnabench.errors import UserError
from dnabench.leaderboard import directory as directories, published

path = Path(sys.argv[1])

def publish(runs):
    for rows in runs:
        if (path.parent / "ended").exists():
            break
        published.publish_facts(path, "own", rows, {row["generator"]: "model" for row in rows})

def read(into):
    wrong = []
    for _ in range(30):
        try:
            (suite,) = directories.suites_in(path)
            difference = published.difference(directories.load(path, suite))
        except UserError as error:
            difference = str(error)
        wrong += [difference] if difference else []
    into.write_text(json.dumps(wrong))

def start(work, given):
    if (child := os.fork()) == 0:
        work(given)
        os._exit(0)
    return child

runs = json.load(sys.stdin)
publish(runs[0][:1])
readers = [start(read, path.parent / f"{number}.json") for number in range(2)]
publishers = [start(publish, itertools.cycle(each)) for each in runs]
ended = [os.waitpid(child, 0)[1] for child in readers]
(path.parent / "ended").touch()
ended += [os.waitpid(child, 0)[1] for child in publishers]
assert ended == [0, 0, 0, 0], ended
"""


@pytest.mark.slow
def test_readers_beside_publishers_see_tables_that_agree_with_their_facts(tmp_path):
    runs = [[results(version, value / 100) for value in range(8)] for version in (1, 2)]
    process = [sys.executable, "-c", BESIDE, tmp_path / "board"]
    subprocess.run(process, input=json.dumps(runs), text=True, check=True)
    for number in range(2):
        assert json.loads((tmp_path / f"{number}.json").read_text()) == []


@pytest.mark.parametrize("torn", [False, True])
def test_what_changes_while_it_is_read_is_read_again(tmp_path, torn):
    path = publish(tmp_path / "board", 1)
    seen = []

    def read():
        seen.append((path / "own.csv").read_text())
        if len(seen) == 1:
            publish(path, 2)
            if torn:
                raise UserError("facts of two protocols")
        return seen[-1], contents(path)["own.csv"].decode()

    table, there = publication.undisturbed(path, "own", read)
    assert table == there
    assert len(seen) == 2


@pytest.fixture
def elsewhere(killed, tmp_path):
    """A leaderboard with files half moved to their places."""
    half = next(path for path in killed[0] if len(list((path / ".own.ready").rglob("*.csv"))) == 2)
    return Path(shutil.copytree(half, tmp_path / "board"))


# As root everything can be written, unless the right to do so is given up.
UNPRIVILEGED = ["setpriv", "--bounding-set", "-dac_override", "--"] if os.geteuid() == 0 else []


def check_of(path):
    """``leaderboard check`` in a process that may not write what has no permission for it."""
    if UNPRIVILEGED:
        there = shutil.which("setpriv")
        if there is None or subprocess.run([*UNPRIVILEGED, "true"], capture_output=True, check=False).returncode:
            pytest.skip("root cannot give up its rights here")
    command = [*UNPRIVILEGED, sys.executable, "-m", "dnabench", "leaderboard", "check", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def permit(path, mode):
    for folder in (path, *(file for file in path.rglob("*") if file.is_dir())):
        folder.chmod(mode)


def test_who_cannot_write_is_told_of_an_interrupted_publication(elsewhere):
    before = contents(elsewhere)
    permit(elsewhere, 0o555)
    out, err = (process := check_of(elsewhere)).communicate()
    permit(elsewhere, 0o755)
    assert (process.returncode, out) == (2, "")
    (line,) = err.splitlines()
    assert "a publication of own was interrupted" in line
    assert f"dnabench leaderboard build {elsewhere} finishes it" in line
    assert contents(elsewhere) == before


def test_who_cannot_write_waits_for_a_publication_that_goes_on(elsewhere, tmp_path):
    ready = shutil.copytree(elsewhere / ".own.ready", tmp_path / "ready")
    with publication.held(elsewhere, "own"):
        ready.rename(elsewhere / ".own.ready")
        permit(elsewhere, 0o555)
        process = check_of(elsewhere)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=3)
        permit(elsewhere, 0o755)
        shutil.rmtree(elsewhere / ".own.ready")
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert out.endswith("agrees with its facts\n")


@pytest.mark.parametrize("spoil", [
    lambda path: (shutil.rmtree(path / "own"), (path / "own").write_text("")),
    lambda path: ((path / "own" / "beta.csv").unlink(), (path / "own" / "beta.csv").mkdir()),
])  # fmt: skip
def test_what_has_no_place_is_found_out_before_anything_is_moved(tmp_path, spoil):
    path = publish(tmp_path / "board", 1)
    (path / "own.csv").unlink()
    spoil(path)
    before = contents(path)
    with pytest.raises(UserError, match="own: is no directory that|beta.csv: is a directory"):
        publish(path, 2)
    assert contents(path) == before


def test_hidden_names_are_no_suites_and_no_generators(tmp_path):
    path = publish(tmp_path / "board", 1)
    for name in (".own.new/own/delta.csv", ".old.new/old.csv", ".tmp/x.csv", "own/.delta.csv", ".delta.csv"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("x")
    assert directories.suites_in(path) == ["own"]
    assert set(directories.load(path, "own").kinds) == set(GENERATORS)
