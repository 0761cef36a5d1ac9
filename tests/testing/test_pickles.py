"""Pickles are told by what is in a file, under any name."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from dnabench.testing.pickles import pickled


def saved(save, *what, **how) -> bytes:
    buffer = io.BytesIO()
    save(buffer, *what, **how)
    return buffer.getvalue()


def torch_file() -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(3)}, buffer)
    return buffer.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


OBJECTS = np.array([{"a": 1}, None], dtype=object)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.bin", lambda: pickle.dumps({"a": 1}), "by its first bytes"),
        ("model.pkl", lambda: pickle.dumps({"a": 1}, protocol=0), "by its name"),
        ("model.bin", torch_file, "data.pkl in it by its first bytes"),
        ("table.npy", lambda: saved(np.save, OBJECTS, allow_pickle=True), "with an array of objects"),
        ("table.npz", lambda: saved(np.savez, table=OBJECTS), "table.npy in it with an array of objects"),
        ("model.bin", lambda: zipped("any", pickle.dumps([1])), "any in it by its first bytes"),
    ],
)
def test_pickles(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content())
    assert reason in (pickled(path) or "none")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.npy", lambda: saved(np.save, np.ones(3))),
        ("table.npz", lambda: saved(np.savez, table=np.ones(3), words=np.array(["a", "b"]))),
        ("about.json", lambda: json.dumps({"a": 1}).encode()),
        ("empty", bytes),
    ],
)
def test_other_files(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content())
    assert pickled(path) is None
