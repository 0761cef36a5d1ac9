from __future__ import annotations

import numpy as np
import pytest

from dnabench import UserError
from dnabench.files import atomic_write
from dnabench.keys import key, package_digest
from dnabench.store import Store


def test_a_sample_is_there_whole_or_not_at_all(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="halfway"), store.new_sample("k") as directory:
        (directory / "sample.fa.gz").write_text("half")
        raise RuntimeError("halfway")
    assert store.sample("k") is None
    assert list((tmp_path / "samples").iterdir()) == []
    with store.new_sample("k") as directory:
        (directory / "sample.fa.gz").write_text("whole")
    assert (store.sample("k") / "sample.fa.gz").read_text() == "whole"


def test_scratch_survives_a_failure_and_goes_after_success(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt), store.scratch("k") as scratch:
        (scratch / "checkpoint").write_text("step 10")
        raise KeyboardInterrupt
    with store.scratch("k") as scratch:
        assert (scratch / "checkpoint").read_text() == "step 10"
    assert not scratch.exists()


def test_fresh_reuses_nothing_but_what_it_wrote_itself(tmp_path):
    Store(tmp_path).put_score("k", {"value": 1.0})
    Store(tmp_path).put_embedding("e", np.ones((2, 3), np.float32))
    fresh = Store(tmp_path, fresh=True)
    assert fresh.score("k") is None
    assert fresh.embedding("e") is None
    fresh.put_score("k", {"value": 2.0})
    assert fresh.score("k") == {"value": 2.0}
    assert np.array_equal(Store(tmp_path).embedding("e"), np.ones((2, 3)))


def test_a_store_that_cannot_be_written_is_a_users_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Store(tmp_path / "file" / "store")


def test_atomic_write_leaves_no_trace_of_a_failure(tmp_path):
    target = tmp_path / "deep" / "x.csv"
    atomic_write(target, "a\n")
    atomic_write(target, "b\n")
    assert target.read_bytes() == b"b\n"
    assert list(target.parent.iterdir()) == [target]
    with pytest.raises(UserError, match="cannot be written"):
        atomic_write(target / "below-a-file", "c")


def test_keys_depend_on_all_parts_and_not_on_their_order():
    assert key("score", {"a": 1, "b": [2]}) == key("score", {"b": [2], "a": 1})
    assert len({key("score", {"a": 1}), key("sample", {"a": 1}), key("score", {"a": 2}), key("score", {})}) == 4


def test_the_package_digest_sees_every_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))

    def digest(name):
        package_digest.cache_clear()
        return package_digest(f"{name}.model:Model")

    package = tmp_path / "some_dna"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "model.py").write_text("x = 1")
    first = digest("some_dna")
    (package / "model.py").write_text("x = 2")
    second = digest("some_dna")
    (package / "weights.bin").write_bytes(b"1")
    assert len({first, second, digest("some_dna")}) == 3
