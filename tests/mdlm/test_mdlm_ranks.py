"""Training in two processes: what one gives up to rounding, and the same bytes in both."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dnabench import SequenceSet
from dnabench_mdlm.model import MaskedDiffusion
from dnabench_mdlm.options import MdlmOptions

FIT = """
def fit(context, lr=3e-3):
    model = MaskedDiffusion(MdlmOptions(width=8, layers=2, steps=8, batch=8, devices=2, lr=lr))
    codes = np.random.default_rng(0).integers(0, 5, (40, 32), dtype=np.uint8)
    model.fit(SequenceSet(codes), context=context)
    return model
"""
START = """
import contextlib, os, sys
from pathlib import Path
import numpy as np, torch
from torch import distributed
from dnabench import Context, SequenceSet
from dnabench_mdlm.model import MaskedDiffusion
from dnabench_mdlm.options import MdlmOptions
"""
RUN = """
rank, out = int(os.environ["RANK"]), Path(sys.argv[1])
distributed.init_process_group("gloo")
torch.set_num_threads(1)
torch.autocast = lambda *_, **__: contextlib.nullcontext()
(out / "scratch").mkdir(exist_ok=True)
(out / str(rank)).mkdir()
fit(Context(length=32, seed=1, rank=rank, ranks=2, scratch=out / "scratch")).save(out / str(rank))
sys.stderr.flush()
os._exit(0)
"""


@pytest.mark.slow
def test_two_processes_end_as_one_does(torchrun, make_context, tmp_path, monkeypatch):
    done = torchrun(START + FIT + RUN, tmp_path, ranks=2)
    assert done.returncode == 0, done.stderr
    first, second = (tmp_path / rank / "model.safetensors" for rank in ("0", "1"))
    assert first.read_bytes() == second.read_bytes()

    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())
    space = {"MaskedDiffusion": MaskedDiffusion, "MdlmOptions": MdlmOptions, "np": np, "SequenceSet": SequenceSet}
    exec(FIT, space)
    expected = space["fit"](make_context(length=32, seed=1)).denoiser.state_dict()
    untrained = space["fit"](make_context(length=32, seed=1), lr=0.0).denoiser.state_dict()
    got = load_file(first)
    way = torch.cat([(expected[name] - untrained[name]).flatten() for name in expected])
    difference = torch.cat([(expected[name] - got[name]).flatten() for name in expected])
    assert way.norm() > 0.01
    assert difference.norm() < 1e-3 * way.norm()
