"""Training in several processes: what one gives up to rounding, and the same bytes every time."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dnabench import Checkpoint, SequenceSet, UserError
from dnabench.options import build
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import DiscDiffOptions

STEPS = 8
TINY = {
    "latent_channels": 2,
    "width": 32,
    "head_width": 16,
    "free_nats": 0.38,  # the first batch lies beyond it with 0.383, and one of its shares does not with 0.373
    "autoencoder_steps": STEPS,
    "autoencoder_batch": 8,
    "denoiser_width": 32,
    "denoiser_steps": STEPS,
    "denoiser_batch": 6,
    "devices": 2,
}

START = """
import contextlib, json, os, signal, sys, time, traceback
from pathlib import Path
import numpy as np, torch
from torch import distributed
from dnabench import Context, SequenceSet
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import DiscDiffOptions

def leave(*error):  # a group that lost a member would be waited for, and Python 3.11 may abort while gloo's threads run
    traceback.print_exception(*error) if error else None
    sys.stderr.flush()
    os._exit(len(error))

sys.excepthook = leave
rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
out, options = Path(sys.argv[1]), DiscDiffOptions(**json.loads(sys.argv[2]))
distributed.init_process_group("gloo")

def fit(name, progress=lambda *_: None):
    directory, scratch = out / f"{name}{rank}", out / f"{name}-scratch"
    for path in (directory, scratch):
        path.mkdir(exist_ok=True)
    model = DiscDiff(options)
    train = SequenceSet(np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8))
    context = Context(
        length=32, seed=1, rank=rank, ranks=ranks, scratch=scratch, progress=progress, checkpoint_seconds=0.3
    )
    model.fit(train, context=context)
    model.save(directory)
"""
KILLED = """
def progress(done, total, stage):
    if done == 3:
        time.sleep(0.3)  # a checkpoint is due after this step
    if done == 5 and rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)

fit("usual")
autocast, torch.autocast = torch.autocast, lambda *_, **__: contextlib.nullcontext()
fit("float32")
torch.autocast = autocast
fit("cut", progress)
"""
CONTINUED = """
reports = []
fit("cut", lambda *report: reports.append(report))
(out / f"reports{rank}.json").write_text(json.dumps(reports))
fit("again")
leave()
"""


@pytest.fixture
def one_process(make_context):
    """``one_process(**options)``: what one process learns of the sequences and the seed of the others, by name."""

    def fit(**changes) -> dict[str, torch.Tensor]:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            model = DiscDiff(DiscDiffOptions(**{**TINY, **changes}))
            train = SequenceSet(np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8))
            model.fit(train, context=make_context(length=32, seed=1))
        finally:
            torch.set_num_threads(before)
        return model._tensors()

    return fit


@pytest.mark.slow
def test_two_processes_end_as_one_does_and_when_killed_with_the_same_bytes(
    torchrun, one_process, tmp_path, monkeypatch
):
    assert "(SIGKILL)" in torchrun(START + KILLED, tmp_path, json.dumps(TINY), ranks=2).stderr
    path = tmp_path / "cut-scratch" / "autoencoder.safetensors"
    reached = Checkpoint(path, every=0).load()["watch"]["done"]
    assert 1 <= reached <= 5
    assert torchrun(START + CONTINUED, tmp_path, json.dumps(TINY), ranks=2).returncode == 0

    def saved(name: str) -> bytes:
        return (tmp_path / name / "model.safetensors").read_bytes()

    assert len({saved(f"{name}{rank}") for name in ("usual", "cut", "again") for rank in (0, 1)}) == 1
    assert saved("float320") == saved("float321") != saved("usual0")
    continued = [[step, STEPS, "autoencoder"] for step in range(reached + 1, STEPS + 1)]
    continued += [[step, STEPS, "denoiser"] for step in range(1, STEPS + 1)]
    for rank in (0, 1):
        reports = json.loads((tmp_path / f"reports{rank}.json").read_text())
        assert [[done, total, stage.partition(",")[0]] for done, total, stage in reports] == continued

    untrained = one_process(autoencoder_lr=0.0, denoiser_lr=0.0)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    expected, got = one_process(), load_file(tmp_path / "float320" / "model.safetensors")
    weights = [name for name in expected if not name.startswith("latent")]
    way = torch.cat([(expected[name] - untrained[name]).flatten() for name in weights])
    difference = torch.cat([(expected[name] - got[name]).flatten() for name in weights])
    assert way.abs().max() > 0.01
    # Rounding of sums, 1e-7; Adam makes more of it where a gradient is nearly nothing else, as that of a key's bias is.
    assert difference.norm() < 1e-4 * way.norm()


@pytest.mark.parametrize(("name", "value"), [("autoencoder_batch", 10), ("denoiser_batch", 6)])
def test_a_batch_that_has_no_equal_shares_is_refused_before_anything_is_run(name, value):
    with pytest.raises(
        UserError,
        match=f"options of discdiff: {name} is {value}; 4 devices share multiples of 4",
    ):
        build(DiscDiffOptions, "discdiff", {"autoencoder_batch": 4, "denoiser_batch": 4, name: value, "devices": 4})


def test_too_few_sequences_for_equal_shares_are_refused_in_training(make_context):
    context = make_context(length=32, rank=1, ranks=2)
    with pytest.raises(UserError, match="2 devices cannot share batches of 5 sequences evenly"):
        context.share(torch.zeros(5))
