from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch

from dnabench import Checkpoint


def test_a_training_that_is_cut_in_two_ends_with_the_same_bits(tmp_path):
    def train(steps, checkpoint, stop_after=None):
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7), torch.nn.Linear(7, 1))
        optimizer = torch.optim.AdamW(module.parameters(), lr=0.05, fused=True)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        generator, first = torch.Generator().manual_seed(1), 0
        if (state := checkpoint.load()) is not None:
            for part, saved in zip((module, optimizer, scheduler), state["parts"], strict=True):
                part.load_state_dict(saved)
            generator.set_state(state["generator"])
            first = state["step"]
        for step in range(first, steps):
            x = torch.randn(16, 5, generator=generator)
            optimizer.zero_grad()
            (module(x) - x.sum(1, keepdim=True)).square().mean().backward()
            optimizer.step()
            scheduler.step()
            if checkpoint.due():
                parts = [part.state_dict() for part in (module, optimizer, scheduler)]
                checkpoint.save({"parts": parts, "generator": generator.get_state(), "step": step + 1})
            if step == stop_after:
                return None
        return module.state_dict()

    whole = train(20, Checkpoint(tmp_path / "whole", every=3600))
    assert train(20, Checkpoint(tmp_path / "cut", every=0), stop_after=11) is None
    continued = train(20, Checkpoint(tmp_path / "cut", every=3600))
    assert all(torch.equal(whole[name], continued[name]) for name in whole)
    assert not (tmp_path / "whole").exists()


def test_a_state_comes_back_as_it_was(tmp_path):
    shared = torch.arange(3)
    state = {
        "texts": ["a", "Fréchet"],
        0: {"step": torch.tensor(2.0), "none": None, "flag": True},
        "pair": (1, 0.1 + 0.2),
        "infinite": float("inf"),
        "tied": [shared, shared],
        "bytes": torch.arange(256, dtype=torch.uint8),
        "half": torch.tensor([1.5], dtype=torch.bfloat16),
        "view": torch.arange(6).reshape(2, 3).T,
    }
    Checkpoint(tmp_path / "c", every=0).save(state)
    back = Checkpoint(tmp_path / "c", every=0).load()
    assert list(back) == list(state)
    assert (back["texts"], back["pair"], back["infinite"]) == (state["texts"], state["pair"], state["infinite"])
    assert back[0]["none"] is None
    assert back[0]["flag"] is True
    assert torch.equal(back["tied"][1], shared)
    for name in ("bytes", "half", "view"):
        assert torch.equal(back[name], state[name])
        assert back[name].dtype == state[name].dtype


@pytest.mark.parametrize(
    ("state", "what"),
    [({"a": {1, 2}}, "cannot hold set {1, 2}"), ({1.5: 0}, "keys are texts and whole numbers, not 1.5")],
)
def test_what_a_state_cannot_hold_is_refused_and_the_last_one_kept(tmp_path, state, what):
    checkpoint = Checkpoint(tmp_path / "c", every=0)
    checkpoint.save({"step": 1})
    with pytest.raises(TypeError, match=re.escape(what)):
        checkpoint.save(state)
    assert checkpoint.load() == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_damaged_file_means_a_new_start(tmp_path):
    (tmp_path / "c").write_bytes(b"damaged")
    with pytest.warns(UserWarning, match="not a checkpoint, so training starts anew"):
        assert Checkpoint(tmp_path / "c", every=0).load() is None


def test_it_is_due_after_its_time_in_one_process_of_a_group(tmp_path):
    assert Checkpoint(tmp_path / "c", every=0).due()
    assert not Checkpoint(tmp_path / "c", every=60).due()
    other = Checkpoint(tmp_path / "c", every=0, writes=False)
    assert not other.due()
    other.save({"step": 1})
    assert not (tmp_path / "c").exists()


WRITER = """
import sys, torch
from pathlib import Path
from dnabench import Checkpoint
checkpoint, number = Checkpoint(Path(sys.argv[1]), every=0), 0
while True:
    number += 1
    checkpoint.save({"a": torch.full((200_000,), number), "b": torch.full((200_000,), number), "number": number})
    print(number, flush=True)
"""


def test_a_kill_while_writing_leaves_a_whole_state(tmp_path):
    for attempt in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path / "c"], stdout=subprocess.PIPE, text=True
        ) as writer:
            writer.stdout.readline()
            time.sleep(0.01 * attempt)
            os.kill(writer.pid, signal.SIGKILL)
        state = Checkpoint(tmp_path / "c", every=0).load()
        assert (state["a"] == state["number"]).all()
        assert (state["b"] == state["number"]).all()
