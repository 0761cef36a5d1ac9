"""A training that is interrupted at any step and continued ends with the bytes of one that never stopped."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from dnabench import Checkpoint, Context, SequenceSet
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import DiscDiffOptions

STEPS = 12
TINY = {
    "latent_channels": 2,
    "width": 32,
    "head_width": 16,
    "autoencoder_steps": STEPS,
    "autoencoder_batch": 9,  # of 40 sequences: a pass is four batches, and four sequences are left out
    "denoiser_width": 32,
    "denoiser_steps": STEPS,
    "denoiser_batch": 7,
}
REPORTS = [(step, STEPS, stage) for stage in ("autoencoder", "denoiser") for step in range(1, STEPS + 1)]
DUE = 0.3
"""Seconds between checkpoints: more than these steps take by themselves."""


@pytest.fixture(scope="module", autouse=True)  # the scope of what is compared with
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sequences(seed: int = 0) -> SequenceSet:
    return SequenceSet(np.random.default_rng(seed).integers(0, 5, (40, 32), dtype=np.uint8))


def train(scratch: Path, progress=lambda *_: None, seed: int = 1, options=TINY, data: int = 0) -> str:
    """The sha256 of what is saved of a new instance that is fitted with ``scratch``."""
    scratch.mkdir(exist_ok=True)
    model = DiscDiff(DiscDiffOptions(**options))
    context = Context(length=32, seed=seed, scratch=scratch, progress=progress, checkpoint_seconds=DUE)
    model.fit(sequences(data), context=context)
    saved = scratch / "model"
    saved.mkdir(exist_ok=True)
    model.save(saved)
    return hashlib.sha256((saved / "model.safetensors").read_bytes()).hexdigest()


def named(reports: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Reports without the loss behind the stage's name."""
    return [(done, total, stage.partition(",")[0]) for done, total, stage in reports]


def step_of(scratch: Path, stage: str) -> int:
    """The step that the stage's checkpoint stands at."""
    path = scratch / f"{stage}.safetensors"
    return Checkpoint(path, every=0).load()["watch"]["done"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> str:
    """What an uninterrupted training saves."""
    return train(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("stage", ["autoencoder", "denoiser"])
@pytest.mark.parametrize("step", [1, 6, STEPS - 1])
def test_interrupted_and_continued(whole, tmp_path, stage, step):
    def interrupt(done, total, where):
        if where.startswith(stage) and done == step:
            time.sleep(DUE)  # a checkpoint is due after this step
        if where.startswith(stage) and done == min(step + 2, STEPS):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, interrupt)
    reached = step_of(tmp_path, stage)
    assert 0 < reached < min(step + 2, STEPS)

    reports = []
    assert train(tmp_path, lambda *report: reports.append(report)) == whole
    assert named(reports) == REPORTS[REPORTS.index((reached, STEPS, stage)) + 1 :]


def test_interrupted_twice_in_one_stage_and_finished(whole, tmp_path):
    seen = []

    def interrupt(done, total, stage):
        seen.append((done, total, stage))
        time.sleep(DUE if done in {3, 7} else 0)
        if len(seen) in {5, 10}:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path, interrupt)
    assert train(tmp_path) == whole
    reports = []
    assert train(tmp_path, lambda *report: reports.append(report)) == whole  # only the sampling was left to do
    assert reports == []


PROGRAM = """
import json, sys, time
from pathlib import Path
import numpy as np, torch
from dnabench import Context, SequenceSet
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import DiscDiffOptions

torch.set_num_threads(1)
scratch, options = Path(sys.argv[1]), json.loads(sys.argv[2])
train = SequenceSet(np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8))

def progress(done, total, stage):
    print(done, flush=True)
    if done >= 200:
        time.sleep(60)  # a parent that is late still finds it at work

DiscDiff(DiscDiffOptions(**options)).fit(
    train, context=Context(length=32, seed=1, scratch=scratch, progress=progress, checkpoint_seconds=0)
)
"""


@pytest.mark.slow
def test_killed_while_it_works_and_continued_in_another_process(tmp_path):
    options = TINY | {"autoencoder_steps": 300}
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, tmp_path, json.dumps(options)], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if int(line) >= 100:
                process.kill()
                break
    reached = step_of(tmp_path, "autoencoder")
    assert 1 <= reached < 300
    reports = []
    killed = train(tmp_path, lambda *report: reports.append(report), options=options)
    assert named(reports)[0] == (reached // 3 * 3 + 3, 300, "autoencoder")  # one in three steps is reported
    assert killed == train(tmp_path / "whole", options=options)
