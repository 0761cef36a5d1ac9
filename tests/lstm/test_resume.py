"""A training that is interrupted and continued, or done by two processes, ends as one that was not."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from dnabench import Context, SequenceSet
from dnabench_lstm.model import Lstm
from dnabench_lstm.options import LstmOptions

STEPS = 12
OPTIONS = {"hidden": 12, "embedding": 8, "steps": STEPS, "batch_size": 6, "dropout": 0.25}
DUE = 0.3
"""Seconds between checkpoints: more than these steps take by themselves."""


def train(scratch: Path, progress=lambda *_: None) -> str:
    """The sha256 of what is saved of a new model that is fitted with ``scratch``; 40 sequences, some N."""
    scratch.mkdir(exist_ok=True)
    model = Lstm(LstmOptions(**OPTIONS))
    sequences = SequenceSet(np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8))
    model.fit(sequences, context=Context(length=32, seed=1, scratch=scratch, progress=progress, checkpoint_seconds=DUE))
    saved = scratch / "model"
    saved.mkdir(exist_ok=True)
    model.save(saved)
    return hashlib.sha256(
        b"".join((saved / name).read_bytes() for name in ("model.safetensors", "losses.csv"))
    ).hexdigest()


@pytest.mark.parametrize("step", [1, 6, STEPS - 1])
def test_interrupted_and_continued(tmp_path, step):
    def interrupt(done, total, stage):
        if done == step:
            time.sleep(DUE)  # a checkpoint is due after this step
        if done == min(step + 2, STEPS):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", interrupt)
    reports = []
    assert train(tmp_path / "cut", lambda done, *_: reports.append(done)) == train(tmp_path / "whole")
    assert reports == list(range(reports[0], STEPS + 1))
    assert reports[0] > 1  # it went on from a checkpoint


TWO = """
import contextlib, json, os, sys
from pathlib import Path
import numpy as np, torch
from torch import distributed
from dnabench import Context, SequenceSet
from dnabench_lstm.model import Lstm
from dnabench_lstm.options import LstmOptions

rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
out, options = Path(sys.argv[1]), LstmOptions(**json.loads(sys.argv[2]))
distributed.init_process_group("gloo")
torch.autocast = lambda *_, **__: contextlib.nullcontext()
directory, scratch = out / f"rank{rank}", out / "scratch"
for path in (directory, scratch):
    path.mkdir(exist_ok=True)
model = Lstm(options)
train = SequenceSet(np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8))
model.fit(train, context=Context(length=32, seed=1, rank=rank, ranks=ranks, scratch=scratch))
model.save(directory)
sys.stdout.flush()
os._exit(0)  # Python 3.11 may abort while gloo's threads run
"""


@pytest.mark.slow
def test_two_processes_end_as_one_does(torchrun, make_context, tmp_path, monkeypatch):
    ended = torchrun(TWO, tmp_path, json.dumps(OPTIONS | {"devices": 2}), ranks=2)
    assert ended.returncode == 0, ended.stderr
    one, two = (load_file(tmp_path / f"rank{rank}" / "model.safetensors") for rank in (0, 1))
    monkeypatch.setattr("dnabench_lstm.model.bfloat16_pays", lambda _: False)
    alone = Lstm(LstmOptions(**OPTIONS))
    sequences = SequenceSet(np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8))
    alone.fit(sequences, context=make_context(length=32, seed=1))
    for name, weight in alone.network.state_dict().items():
        assert one[name].equal(two[name])
        assert (one[name] - weight).abs().max() < 1e-4
