"""A training that is interrupted at any step and continued ends with the bytes of one that never stopped."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dnabench import Checkpoint, Context, SequenceSet
from dnabench_mdlm.model import MaskedDiffusion
from dnabench_mdlm.options import MdlmOptions

STEPS = 12
OPTIONS = MdlmOptions(width=8, layers=2, steps=STEPS, batch=9, condition="species")
DUE = 0.3
"""Seconds between checkpoints: more than these steps take by themselves."""


@pytest.fixture(scope="module", autouse=True)  # the scope of what is compared with
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def train(scratch: Path, progress=lambda *_: None) -> tuple[bytes, bytes]:
    """What is saved of a new instance that is fitted with ``scratch``: weights and losses."""
    codes = np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8)
    labels = pd.DataFrame({"species": ["hs", "mm"] * 20})
    model = MaskedDiffusion(OPTIONS)
    context = Context(length=32, seed=1, scratch=scratch, progress=progress, checkpoint_seconds=DUE)
    model.fit(SequenceSet(codes, labels=labels), context=context)
    saved = scratch / "model"
    saved.mkdir(exist_ok=True)
    model.save(saved)
    return (saved / "model.safetensors").read_bytes(), (saved / "losses.csv").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[bytes, bytes]:
    """What an uninterrupted training saves."""
    return train(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("step", [1, 6, STEPS - 1])
def test_interrupted_and_continued(whole, tmp_path, step):
    def interrupt(done, total, stage):
        if done == step:
            time.sleep(DUE)  # a checkpoint is due after this step
        if done == min(step + 2, STEPS):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, interrupt)
    reached = Checkpoint(tmp_path / "denoiser.safetensors", every=0).load()["watch"]["done"]
    assert 0 < reached < min(step + 2, STEPS)

    reports = []
    assert train(tmp_path, lambda done, total, stage: reports.append(done)) == whole
    assert reports == list(range(reached + 1, STEPS + 1))
