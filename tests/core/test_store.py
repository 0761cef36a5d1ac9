from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dnabench import UserError
from dnabench.files import atomic_write
from dnabench.keys import key, numerics, package_digest
from dnabench.store import Store


def put_sample(store, key, text):
    with store.work(key) as work:
        (work / "sample").mkdir()
        (work / "sample" / "sample.fa.gz").write_text(text)
        assert store.cell("sample", key) is None
        store.put_files("sample", key, work / "sample")
        assert store.cell("sample", key) is None
        store.put_cell("sample", key, {"seed": 0}, {"sha256": text})


def test_a_cell_is_finished_once_its_files_and_its_record_are_there(tmp_path):
    store = Store.open(tmp_path)
    put_sample(store, "k", "one")
    assert store.cell("sample", "k") == {"sha256": "one"}
    assert (store.files("sample", "k") / "sample.fa.gz").read_text() == "one"
    assert list((tmp_path / "scratch").iterdir()) == []
    assert list(store.cells()) == [{"kind": "sample", "key": {"seed": 0}, "answer": {"sha256": "one"}}]
    shutil.rmtree(store.files("sample", "k"))
    assert store.cell("sample", "k") is None


def test_a_run_holds_its_lock_and_leaves_none(tmp_path):
    store = Store.open(tmp_path / "store")
    with store.in_use(tmp_path / "run"), store.in_use(tmp_path / "other"):
        with pytest.raises(UserError, match="another process runs here at this moment"), store.in_use(tmp_path / "run"):
            pass
        assert len(list((tmp_path / "store" / "scratch").iterdir())) == 2
    assert list((tmp_path / "store" / "scratch").iterdir()) == []


def test_a_damaged_record_is_no_record(tmp_path):
    store = Store.open(tmp_path)
    store.put_cell("score", "k", {}, {"value": 1})
    (tmp_path / "cells" / "k.json").write_text('{"kind": "sc')
    assert store.cell("score", "k") is None
    assert list(store.cells()) == []


def test_work_survives_an_interruption_and_is_taken_up_again(tmp_path):
    store = Store.open(tmp_path)
    with pytest.raises(KeyboardInterrupt), store.work("k") as work:
        (work / "checkpoint").write_text("step 10")
        raise KeyboardInterrupt
    with store.work("k") as work:
        assert (work / "checkpoint").read_text() == "step 10"
    assert not work.exists()


def test_fresh_begins_anew_once_and_then_goes_on_from_there(tmp_path):
    def interrupted(store, text):
        with pytest.raises(KeyboardInterrupt), store.work("k") as work:
            (work / "checkpoint").write_text(text)
            raise KeyboardInterrupt

    interrupted(Store.open(tmp_path), "earlier")
    time.sleep(0.02)  # the clock of a file system ticks that slowly
    fresh = Store.open(tmp_path, fresh=True)
    with pytest.raises(KeyboardInterrupt), fresh.work("k") as work:
        assert list(work.iterdir()) == []
        raise KeyboardInterrupt
    interrupted(fresh, "now")
    with Store(tmp_path, since=fresh.since).work("k") as work:
        assert (work / "checkpoint").read_text() == "now"


def test_two_workers_on_one_key_take_turns(tmp_path):
    log = []

    def take(name):
        with Store.open(tmp_path).work("k") as work:
            (work / name).touch()
            log.append(sorted(path.name for path in work.iterdir()))
            time.sleep(0.05)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, "abcd"))
    assert sorted(log) == [["a"], ["b"], ["c"], ["d"]]


def test_fresh_reuses_nothing_but_what_was_written_since_by_whichever_process(tmp_path):
    Store(tmp_path).put_score("k", {"value": 1.0})
    Store(tmp_path).put_embedding("e", np.ones((2, 3), np.float32))
    put_sample(Store.open(tmp_path), "s", "one")
    time.sleep(0.02)  # the clock of a file system ticks that slowly
    fresh = Store.open(tmp_path, fresh=True)
    assert fresh.score("k") is None
    assert fresh.embedding("e") is None
    assert fresh.cell("sample", "s") is None
    fresh.put_score("k", {"value": 2.0})
    put_sample(fresh, "s", "two")
    other = Store(tmp_path, since=fresh.since)
    assert other.score("k") == {"value": 2.0}
    assert other.cell("sample", "s") == {"sha256": "two"}
    assert np.array_equal(Store(tmp_path).embedding("e"), np.ones((2, 3)))


def test_a_store_that_cannot_be_written_is_a_users_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Store.open(tmp_path / "file" / "store")


def test_atomic_write_leaves_no_trace_of_a_failure(tmp_path, monkeypatch):
    target = tmp_path / "deep" / "x.csv"
    atomic_write(target, "a\n")
    atomic_write(target, "b\n")
    assert target.read_bytes() == b"b\n"
    assert list(target.parent.iterdir()) == [target]
    with pytest.raises(UserError, match="cannot be written"):
        atomic_write(target / "below-a-file", "c")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="x.csv: cannot be written: No space left"):
        atomic_write(target, "c\n")
    assert target.read_bytes() == b"b\n"
    assert list(target.parent.iterdir()) == [target]


def test_keys_depend_on_all_parts_and_not_on_their_order():
    assert key("score", {"a": 1, "b": [2]}) == key("score", {"b": [2], "a": 1})
    assert len({key("score", {"a": 1}), key("sample", {"a": 1}), key("score", {"a": 2}), key("score", {})}) == 4


def test_keys_depend_on_the_code_of_dnabench_itself():
    assert numerics("cuda:1", 2, "a") != numerics("cuda:1", 2, "b")
    assert numerics("cuda:1", 2, "a") == numerics("cuda:0", 2, "a")


def test_the_package_digest_sees_every_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))

    package = tmp_path / "some_dna"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model.py").write_text("x = 1")
    first = package_digest("some_dna")
    (package / "model.py").write_text("x = 2")
    second = package_digest("some_dna")
    (package / "weights.bin").write_bytes(b"1")
    assert len({first, second, package_digest("some_dna")}) == 3
