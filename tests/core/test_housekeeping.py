"""What goes from a store and what stays, beside processes that are at work on it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnabench import UserError, housekeeping, inventory
from dnabench.files import locked
from dnabench.housekeeping import DAY, HOUR, Unit, choose, prune, units
from dnabench.inventory import MADE, Item, scan, summary
from dnabench.store import Store


def hexkey(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def put_model(root: Path, name: str, text: str = "weights") -> str:
    """A finished train cell of two files."""
    store, key = Store.open(root), hexkey(name)
    with store.work(key) as work:
        (work / "model" / "deep").mkdir(parents=True)
        (work / "model" / "dnabench.json").write_text("{}")
        (work / "model" / "deep" / "weights").write_text(text)
        store.put_files("train", key, work / "model")
        store.put_cell("train", key, {}, {})
    return key


def age(path: Path, seconds: float) -> None:
    """Have everything at and below ``path`` used last so long ago."""
    then = time.time() - seconds
    for each in (path, *path.rglob("*")):
        os.utime(each, (then, then), follow_symlinks=False)


def clear(root: Path, *kinds: str, **criteria: float | None) -> set[str]:
    """Prune; what went, by its path below ``root``."""
    pruned = prune(root, kinds or MADE, **{"older_than": None, "max_size": None} | criteria)
    assert pruned.refused == []
    return {str(item.path.relative_to(root)) for unit in pruned.removed for item in unit.items}


HOLDING = """
import sys
from pathlib import Path
from dnabench.store import Store
with Store(Path(sys.argv[1])).work(sys.argv[2]) as work:
    (work / "checkpoint").write_text("step 10")
    print("working", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def worker(tmp_path):
    """``worker(key)``: another process that is at work on a key, until its stdin is closed."""
    started = []

    def start(key: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDING, str(tmp_path), key]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout.readline() == "working\n"
        return started[-1]

    yield start
    for process in started:
        process.communicate()


def test_the_old_goes_and_the_rest_stays(tmp_path):
    old, new = put_model(tmp_path, "old"), put_model(tmp_path, "new")
    Store(tmp_path).put_score(hexkey("s"), {"value": 1.0})
    Store(tmp_path).put_embedding(hexkey("e"), np.ones((2, 3), np.float32))
    age(tmp_path / "models" / old, 3 * DAY)
    age(tmp_path / "cells" / f"{old}.json", 3 * DAY)
    age(tmp_path / "embeddings", 3 * DAY)
    assert clear(tmp_path, older_than=2 * DAY) == {
        f"cells/{old}.json",
        f"models/{old}",
        f"embeddings/{hexkey('e')}.npy",
    }
    store = Store(tmp_path)
    assert store.cell("train", old) is None
    assert store.cell("train", new) == {}
    assert store.score(hexkey("s")) == {"value": 1.0}
    assert clear(tmp_path, older_than=2 * DAY) == set()


def test_what_was_read_is_not_old(tmp_path):
    """A model made long ago, sampled from just now."""
    key = put_model(tmp_path, "m")
    age(tmp_path, 9 * DAY)
    weights = tmp_path / "models" / key / "deep" / "weights"
    os.utime(weights, (time.time() - HOUR, time.time() - 9 * DAY))
    assert clear(tmp_path, older_than=DAY) == set()
    os.utime(weights, (time.time() - 9 * DAY, time.time() - 9 * DAY))
    list(scan(tmp_path))  # looking is no use
    assert clear(tmp_path, older_than=DAY) == {f"cells/{key}.json", f"models/{key}"}


def test_the_oldest_go_until_the_rest_is_small_enough(tmp_path):
    keys = [put_model(tmp_path, str(number), "x" * 1000) for number in range(5)]
    one = sum(item.bytes for item in scan(tmp_path) if item.key == keys[0])
    for position, number in enumerate((3, 1, 4, 0, 2)):
        for path in (tmp_path / "models" / keys[number], tmp_path / "cells" / f"{keys[number]}.json"):
            age(path, (9 - position) * DAY)
    gone = clear(tmp_path, max_size=3 * one)
    assert gone == {path for n in (3, 1) for path in (f"cells/{keys[n]}.json", f"models/{keys[n]}")}
    assert sum(item.bytes for item in scan(tmp_path)) == 3 * one
    assert clear(tmp_path, max_size=3 * one - 1) == {f"cells/{keys[4]}.json", f"models/{keys[4]}"}


def test_what_was_just_used_stays_unless_older_than_says_less(tmp_path):
    put_model(tmp_path, "m")
    age(tmp_path, HOUR / 2)
    pruned = prune(tmp_path, MADE, older_than=None, max_size=1)
    assert (pruned.removed, len(pruned.spared)) == ([], 1)
    assert pruned.left == sum(item.bytes for item in scan(tmp_path))
    assert len(clear(tmp_path, older_than=HOUR / 3)) == 2


def test_kinds_that_are_not_named_stay(tmp_path):
    key = put_model(tmp_path, "m")
    Store(tmp_path).put_cell("score", hexkey("s"), {}, {})
    age(tmp_path, 9 * DAY)
    assert clear(tmp_path, "cells", older_than=DAY) == {f"cells/{hexkey('s')}.json"}
    assert clear(tmp_path, "samples", "scores", older_than=DAY) == set()
    assert clear(tmp_path, "models", older_than=DAY) == {f"models/{key}", f"cells/{key}.json"}


def test_a_pruning_that_is_stopped_leaves_no_record_without_files(tmp_path, monkeypatch):
    key = put_model(tmp_path, "m")
    age(tmp_path, 9 * DAY)

    def killed(path):
        (path / "dnabench.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", killed)
        clear(tmp_path, older_than=DAY)
    assert (tmp_path / "models" / key / "deep").exists()
    assert Store(tmp_path).cell("train", key) is None
    assert not (tmp_path / "scratch" / f"{key}.lock").exists()
    assert clear(tmp_path, older_than=DAY) == set()  # it has changed just now
    age(tmp_path, 2 * DAY)
    assert clear(tmp_path, older_than=9 * DAY) == {f"models/{key}"}  # waste goes after a day


def test_parts_are_there_as_long_as_their_record_is(tmp_path, monkeypatch):
    parts = tmp_path / "parts" / hexkey("p")
    (parts / "train").mkdir(parents=True)
    (parts / "about.json").write_text("{}")
    age(tmp_path, 9 * DAY)
    seen = []
    monkeypatch.setattr(shutil, "rmtree", lambda path: seen.append((path / "about.json").exists()))
    assert clear(tmp_path, older_than=DAY) == {f"parts/{hexkey('p')}"}
    assert seen == [False]
    monkeypatch.undo()
    age(tmp_path, 2 * DAY)
    assert clear(tmp_path, older_than=99 * DAY) == {f"parts/{hexkey('p')}"}
    assert list((tmp_path / "parts").iterdir()) == []


def test_what_killed_processes_left_goes_after_a_day(tmp_path):
    key = put_model(tmp_path, "m")
    left = [
        f"scores/.{key}.json.a_b3k9zq",
        f"embeddings/.{key}.npy.abcd1234",
        f"parts/{key}.lock",
        f"scratch/{key}.lock",
    ]
    for name in left:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert clear(tmp_path, older_than=1e-9) == {f"cells/{key}.json", f"models/{key}"}
    for name in left:
        (tmp_path / name).write_text("")
        age(tmp_path / name, DAY - 60)
    assert clear(tmp_path, older_than=1e-9) == set()
    for name in left:
        age(tmp_path / name, DAY + 60)
    assert clear(tmp_path, older_than=99 * DAY) == set(left)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_is_not_dnabenchs_stays_whatever_directory_is_called_a_store(tmp_path):
    """Somebody's project, with folders of their own that have the names of the store's."""
    key = hexkey("k")
    mine = ["models/resnet/weights.bin", "samples/a.fa", "data/raw/x.csv", "downloads/thesis/a.pdf", "scratch/todo.md",
            "cells/readme.json", "models/.cache/x", f"models/{key}.bak/x", f"cells/{key}/x", "src/x.py", "x.lock",
            ".git/HEAD", "parts/.list.txt.abcd1234", f"scores/{key}.JSON", "downloads/x.origin.json"]  # fmt: skip
    for name in mine:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("precious")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("precious")
    store = tmp_path / "store"
    put_model(store, "m")
    (store / "models" / hexkey("link")).symlink_to(tmp_path / "outside")
    (store / "embeddings").symlink_to(tmp_path / "outside")
    (store / "scores").mkdir()
    (store / "scores" / f"{hexkey('s')}.json").symlink_to(tmp_path / "outside" / "x")
    (store / "models" / hexkey("m") / "link").symlink_to(tmp_path / "outside")
    age(tmp_path, 9 * DAY)
    assert units(tmp_path, scan(tmp_path)) == []
    assert {item.kind for item in scan(tmp_path)} == {"other", "data"}
    for root in (tmp_path, store):
        clear(root, *housekeeping.PRUNABLE, older_than=DAY, max_size=1)
    assert not (store / "models" / hexkey("m")).exists()
    assert sorted(path.name for path in (store / "models").iterdir()) == [hexkey("link")]
    assert all((tmp_path / name).read_text() == "precious" for name in [*mine, "outside/x"])
    assert (store / "embeddings" / "x").read_text() == "precious"


def test_downloads_go_when_they_are_named_and_data_never(tmp_path):
    for name in ("downloads/epd/hs/x.gz", "downloads/epd/hs/x.gz.origin.json", "data/mine/about.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    age(tmp_path, 9 * DAY)
    assert clear(tmp_path, older_than=DAY, max_size=1) == set()
    with locked(tmp_path / "fetch-epd.lock") as _:
        (tmp_path / "scratch").mkdir()
        (tmp_path / "fetch-epd.lock").rename(tmp_path / "scratch" / "fetch-epd.lock")
        assert clear(tmp_path, "downloads", older_than=DAY) == set()  # while a fetch may read them
        (tmp_path / "scratch" / "fetch-epd.lock").rename(tmp_path / "fetch-epd.lock")
    assert clear(tmp_path, "downloads", "data", older_than=DAY) == {"downloads/epd"}
    assert (tmp_path / "data" / "mine" / "about.json").exists()


def test_work_of_another_process_stays_and_so_does_what_its_run_may_need(tmp_path, worker):
    busy, idle, recent = hexkey("busy"), hexkey("idle"), put_model(tmp_path, "recent")
    (tmp_path / "scratch" / idle).mkdir()
    (tmp_path / "scratch" / idle / "checkpoint").write_text("step 10")
    process = worker(busy)
    age(tmp_path, 9 * DAY)
    age(tmp_path / "models" / recent, DAY / 2)
    pruned = prune(tmp_path, MADE, older_than=HOUR, max_size=None)
    assert {item.path.name for unit in pruned.removed for item in unit.items} == {idle}
    assert {unit.items[-1].path.name for unit in pruned.spared} == {busy, recent, f"{busy}.lock"}
    assert (tmp_path / "scratch" / busy / "checkpoint").read_text() == "step 10"
    process.communicate()
    assert not (tmp_path / "scratch" / busy).exists()
    assert clear(tmp_path, older_than=HOUR) == {f"cells/{recent}.json", f"models/{recent}"}


def test_work_of_a_killed_process_goes(tmp_path, worker):
    process = worker(hexkey("killed"))
    process.kill()
    process.wait()
    age(tmp_path, 2 * DAY)
    gone = {f"scratch/{hexkey('killed')}", f"scratch/{hexkey('killed')}.lock"}
    assert clear(tmp_path, older_than=DAY) == gone
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_is_used_between_the_look_and_the_removal_stays(tmp_path):
    key = put_model(tmp_path, "m")
    age(tmp_path, 9 * DAY)
    (unit,) = units(tmp_path, scan(tmp_path))
    (tmp_path / "models" / key / "deep" / "weights").write_text("new")
    assert not housekeeping.remove(unit)
    assert Store(tmp_path).cell("train", key) == {}


def test_files_that_get_their_record_between_the_look_and_the_removal_stay(tmp_path):
    key = put_model(tmp_path, "m")
    record = (tmp_path / "cells" / f"{key}.json").rename(tmp_path / "record")
    age(tmp_path, 9 * DAY)
    (unit,) = units(tmp_path, scan(tmp_path))
    assert unit.waste
    record.rename(tmp_path / "cells" / f"{key}.json")
    assert not housekeeping.remove(unit)
    assert Store(tmp_path).cell("train", key) == {}


MAKING = """
import os, sys, time
from pathlib import Path
from dnabench.store import Store
os.fsync = lambda descriptor: None  # no disk is to be the slowest here
root, keys, end = Path(sys.argv[1]), sys.argv[2].split(","), time.monotonic() + float(sys.argv[3])
store, made, n = Store(root), 0, 0
while time.monotonic() < end:
    key, n = keys[n % len(keys)], n + 1
    with store.work(key) as work:
        files = store.files("train", key)
        if store.cell("train", key) is not None:
            assert sorted(path.name for path in files.iterdir()) == ["a", "b"], "finished without its files"
            continue
        (work / "model").mkdir()
        for name in ("a", "b"):
            (work / "model" / name).write_text(name)
        store.put_files("train", key, work / "model")
        store.put_cell("train", key, {}, {})
        made += 1
print(made)
"""


def test_cells_that_are_made_and_pruned_at_once_are_never_finished_without_files(tmp_path):
    """Everything goes that can, however new; locks alone keep makers and removals apart."""
    keys = [hexkey(str(number)) for number in range(4)]
    for folder in ("scratch", "models", "cells"):
        (tmp_path / folder).mkdir()
    command = [sys.executable, "-c", MAKING, str(tmp_path), ",".join(keys), "3"]
    makers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    removed = 0
    while any(maker.poll() is None for maker in makers):
        cells = [item for item in scan(tmp_path) if item.whole and item.kind in ("cells", "models")]
        removed += sum(map(housekeeping.remove, units(tmp_path, cells)))
    made = [int(maker.communicate()[0]) for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    assert removed > 20
    assert min(made) > 5
    assert list((tmp_path / "scratch").iterdir()) == []


def unit(number: int, size: int, used: float, *, waste: bool) -> Unit:
    item = Item(kind="scores", key=str(number), path=Path(f"{number}"), bytes=size, used=used)
    return Unit(kind="scores", items=(item,), lock=None, waste=waste)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(0, 9 * DAY), st.booleans(), st.booleans())),
    st.none() | st.floats(1, 9 * DAY),
    st.none() | st.integers(1, 400),
)
def test_what_is_chosen(drawn, older_than, max_size):
    now = 10 * DAY
    found = [unit(n, size, used, waste=waste) for n, (size, used, waste, _) in enumerate(drawn)]
    held = {one.items[0].key for one, (*_, is_held) in zip(found, drawn, strict=True) if is_held}
    chosen, spared = choose(
        found, now=now, older_than=older_than, max_size=max_size, in_use=lambda one: one.items[0].key in held
    )
    gone, stays = set(chosen), set(found) - set(chosen)
    assert not {one.items[0].key for one in chosen} & held
    assert {one.items[0].key for one in spared} <= held
    for one in found:
        free, age = one.items[0].key not in held, now - one.used
        if one.waste:
            assert (one in gone) == (free and age > DAY)
        elif older_than is not None and age > older_than:
            assert (one in gone) == free
        elif max_size is None:
            assert one in stays
    free = [one for one in stays if not one.waste and one.items[0].key not in held]
    if max_size is not None and free:
        assert sum(one.bytes for one in stays) <= max_size
    by_size = [one for one in chosen if not one.waste and not (older_than and now - one.used > older_than)]
    if by_size and free:
        assert max(one.used for one in by_size) <= min(one.used for one in free)
        before = sum(one.bytes for one in stays) + by_size[-1].bytes
        assert before > max_size  # the last that went had to


def test_a_summary_counts_entries_and_all_bytes(tmp_path):
    key = put_model(tmp_path, "m", "x" * 100)
    (tmp_path / "models" / f".{key}.abcd1234").write_text("12345")
    (tmp_path / "notes.txt").write_text("1234567")
    age(tmp_path / "models" / key, DAY)
    rows = {row["kind"]: row for row in summary(scan(tmp_path))}
    assert list(rows) == [*inventory.KINDS, "total"]
    assert (rows["models"]["entries"], rows["models"]["bytes"]) == (1, 100 + 2 + 5)
    assert rows["models"]["oldest"] == pytest.approx(time.time() - DAY, abs=60)
    assert (rows["other"]["entries"], rows["other"]["bytes"]) == (1, 7)
    assert rows["scores"] == {"kind": "scores", "entries": 0, "bytes": 0, "oldest": None, "newest": None}
    assert (rows["total"]["entries"], rows["total"]["oldest"]) == (3, rows["models"]["oldest"])


def test_no_store(tmp_path):
    with pytest.raises(UserError, match="absent: no such directory, so no store"):
        inventory.check(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file: not a directory, so no store"):
        inventory.check(tmp_path / "file")
