"""A training that is interrupted at any iteration and continued ends with the bytes of one that never stopped."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dnabench import Checkpoint, Context, SequenceSet
from dnabench_gan import training
from dnabench_gan.model import WassersteinGan

ITERATIONS, CRITIC_STEPS = 25, 2
DUE = 0.3
"""Seconds between checkpoints: more than these iterations take by themselves."""


@pytest.fixture
def options(tiny):
    return dataclasses.replace(tiny, iterations=ITERATIONS, critic_steps=CRITIC_STEPS)


def fit(options, train: SequenceSet, scratch: Path, *, seed: int = 1, progress=lambda *_: None) -> str:
    """The sha256 of what is saved of a new instance that is fitted with ``scratch``, its training curve included."""
    scratch.mkdir(exist_ok=True)
    model = WassersteinGan(options)
    context = Context(length=24, seed=seed, scratch=scratch, progress=progress, checkpoint_seconds=DUE)
    model.fit(train, context=context)
    saved = scratch / "model"
    saved.mkdir(exist_ok=True)
    model.save(saved)
    files = [saved / name for name in ("generator.safetensors", "losses.csv")]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def iteration_of(scratch: Path) -> int:
    """The iteration that the checkpoint stands at."""
    path = scratch / "gan.safetensors"
    return Checkpoint(path, every=0).load()["watch"]["done"]


@pytest.fixture
def critic_steps(monkeypatch):
    """``critic_steps(call)``: ``call(n)`` is called in the n-th critic step from here on; returns all n."""
    penalty = training.gradient_penalty

    def watch(call) -> list[int]:
        calls = []

        def gradient_penalty(*arguments):
            calls.append(len(calls) + 1)
            call(calls[-1])
            return penalty(*arguments)

        monkeypatch.setattr(training, "gradient_penalty", gradient_penalty)
        return calls

    return watch


@pytest.mark.parametrize("ema_decay", [0.99, 0.0])
@pytest.mark.parametrize("iteration", [1, 13, ITERATIONS - 1])
def test_interrupted_and_continued(options, random_dna, tmp_path, critic_steps, iteration, ema_decay):
    options = dataclasses.replace(options, ema_decay=ema_decay)
    whole = fit(options, random_dna, tmp_path / "whole")

    def interrupt(step):
        if step == CRITIC_STEPS * iteration:
            time.sleep(DUE)  # a checkpoint is due after this iteration
        if step == min(CRITIC_STEPS * iteration + 3, CRITIC_STEPS * ITERATIONS):  # amidst one of the next
            raise KeyboardInterrupt

    critic_steps(interrupt)
    with pytest.raises(KeyboardInterrupt):
        fit(options, random_dna, tmp_path / "cut")
    reached = iteration_of(tmp_path / "cut")
    assert 0 < reached < ITERATIONS

    steps, reports = critic_steps(lambda _: None), []
    assert fit(options, random_dna, tmp_path / "cut", progress=lambda *report: reports.append(report)) == whole
    assert len(steps) == CRITIC_STEPS * (ITERATIONS - reached)
    assert [report[:2] for report in reports] == [(done, ITERATIONS) for done in range(reached + 1, ITERATIONS + 1)]


def test_a_finished_training_is_not_repeated(options, random_dna, tmp_path, critic_steps):
    whole = fit(options, random_dna, tmp_path)
    steps = critic_steps(lambda _: None)
    assert fit(options, random_dna, tmp_path) == whole
    assert steps == []


PROGRAM = """
import json, sys, time
from pathlib import Path
import numpy as np, torch
from dnabench import Context, SequenceSet
from dnabench_gan.model import WassersteinGan
from dnabench_gan.options import GanOptions

torch.set_num_threads(1)
train, scratch, options = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])

def progress(done, total, stage):
    print(done, flush=True)
    if done >= 200:
        time.sleep(60)  # a parent that is late still finds it at work

WassersteinGan(GanOptions(**options)).fit(
    SequenceSet(np.load(train)),
    context=Context(length=24, seed=1, scratch=scratch, progress=progress, checkpoint_seconds=0),
)
"""


@pytest.mark.slow
def test_killed_while_it_works_and_continued_in_another_process(options, random_dna, tmp_path):
    options = dataclasses.replace(options, iterations=300)
    np.save(tmp_path / "train.npy", random_dna.codes)
    arguments = [tmp_path / "train.npy", tmp_path, json.dumps(dataclasses.asdict(options))]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if int(line) >= 100:
                process.kill()
                break
    reached = iteration_of(tmp_path)
    assert 1 <= reached < 300
    reports = []
    killed = fit(options, random_dna, tmp_path, progress=lambda *report: reports.append(report))
    assert reports[0][:2] == (reached // 3 * 3 + 3, 300)  # one in 3 iterations is reported
    assert killed == fit(options, random_dna, tmp_path / "whole")
