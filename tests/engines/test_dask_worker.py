"""What runs inside a dask worker, tried without dask."""

from __future__ import annotations

import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dnabench import keys
from dnabench.engines import Started, dask_worker
from dnabench.engines.dask_worker import Gpus, described, difference
from dnabench.engines.room import Room


@pytest.fixture
def room():
    room = Room(threads=1)
    yield room
    room.close()


def test_a_room_answers_many_threads_and_kills_by_group(room):
    started = []
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda _: room.execute({"task": "machine"}, heard=started.append).result(), range(8))
        )
    assert all(answer["numerics"]["threads"] == 1 for answer in answers)
    assert sum(isinstance(event, Started) for event in started) == 8
    room.kill("one")
    assert room.execute({"task": "machine"}, group="one").result()["status"] == "interrupted"
    assert "numerics" in room.execute({"task": "machine"}, group="another").result()
    assert not room.holds("another")


def test_a_room_answers_for_a_cell_that_it_cannot_begin(room, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert room.execute({"task": "machine"}, environment={"A": b"bytes are no JSON"}).result()["status"] == "crashed"
    assert "numerics" in room.execute({"task": "machine"}).result()


def test_a_closed_room_has_answered_everything(room):
    answer = room.execute({"task": "machine"})
    room.close()
    assert answer.done()


def test_gpus_are_shared_out_by_name():
    gpus, had = Gpus(["3", "5"]), []

    def take() -> None:
        with gpus.taken(2) as taken:
            had.append(sorted(taken))

    with gpus.taken(1) as first, gpus.taken(1) as second, gpus.taken(0) as none:
        assert (first, second, none) == (["3"], ["5"], [])
        other = threading.Thread(target=take)
        other.start()
        time.sleep(0.05)
        assert had == []
    other.join(5)
    assert had == [["3", "5"]]
    with gpus.taken(7) as all_there_are:
        assert len(all_there_are) == 2


def test_a_worker_speaks_of_the_code_that_it_has_imported_not_of_what_became_of_its_files(monkeypatch):
    before = described(["dnabench", "json"])
    monkeypatch.setattr(keys, "package_digest", lambda name: f"changed {name}")
    after = described(["dnabench", "json"])
    assert after["dnabench"] == before["dnabench"]
    assert after["dnabench_metrics"] == before["dnabench_metrics"]
    assert after["json"] == "changed json"


def test_a_difference_names_what_it_is():
    expected = {"Python": "3.11", "torch": "2.13.0", "mine": "a" * 64}
    assert difference(expected, {**expected, "more": "b"}) == ""
    assert difference(expected, {**expected, "Python": "3.12"}).startswith("Python is 3.12 there and 3.11 here; ")
    assert difference(expected, {**expected, "mine": "b" * 64}).startswith(
        "mine is bbbbbbbbbbbb there and aaaaaaaaaaaa here"
    )
    assert difference(expected, {**expected, "mine": ""}).startswith("mine is missing there and aaaaaaaaaaaa here")
    assert difference(expected, {"Python": "3.11"}).startswith("torch is missing there")


def test_seeing_a_store_takes_reading_and_writing(tmp_path):
    (tmp_path / dask_worker.TOKEN).write_text("token")
    assert "file" in dask_worker.see_store(str(tmp_path), "token")
    assert "another directory" in dask_worker.see_store(str(tmp_path), "other")
    assert "not the same directory" in dask_worker.see_store(str(tmp_path / "nowhere"), "token")
