"""Training in several processes: what one gives up to rounding, and the same bytes every time."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from dnabench import Checkpoint, UserError
from dnabench.options import build
from dnabench_gan.model import WassersteinGan
from dnabench_gan.options import GanOptions

RANKS = 3
"""Of two processes' gradients the sum does not depend on the order."""
START = """
import json, os, signal, sys, time, traceback
from pathlib import Path
import numpy as np, torch
from torch import distributed
from dnabench import Context, SequenceSet, UserError
from dnabench_gan import training
from dnabench_gan.model import WassersteinGan
from dnabench_gan.options import GanOptions

def leave(*error):  # a group that lost a member would be waited for, and Python 3.11 may abort while gloo's threads run
    traceback.print_exception(*error) if error else None
    sys.stderr.flush()
    os._exit(len(error))

sys.excepthook = leave
rank, ranks = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
out, options = Path(sys.argv[1]), GanOptions(**json.loads(sys.argv[2]))
train = SequenceSet(np.load(out / "train.npy"))
distributed.init_process_group("gloo")

def fit(name, progress=lambda *_: None):
    directory, scratch = out / f"{name}{rank}", out / f"{name}-scratch"
    for path in (directory, scratch):
        path.mkdir(exist_ok=True)
    model = WassersteinGan(options)
    context = Context(
        length=24, seed=1, rank=rank, ranks=ranks, scratch=scratch, progress=progress, checkpoint_seconds=0.3
    )
    model.fit(train, context=context)
    model.save(directory)
"""
KILLED = """
def progress(done, total, stage):
    if done == 10:
        time.sleep(0.3)  # a checkpoint is due after this iteration
    if done == 20 and rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)

fit("whole")
penalty = training.gradient_penalty
if rank == 1:
    training.gradient_penalty = lambda *arguments: penalty(*arguments) + float("nan")  # its gradient is as before
try:
    fit("unfit")
except UserError as error:
    (out / f"error{rank}.txt").write_text(str(error))
training.gradient_penalty = penalty
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
def options(tiny):
    # Of drawn bases one in some thousand would fall otherwise by rounding, and what follows would differ by more.
    return dataclasses.replace(
        tiny, iterations=25, batch_size=18, devices=RANKS, network="residual", straight_through=False
    )


@pytest.mark.slow
def test_three_processes_end_as_one_does_and_when_killed_with_the_same_bytes(
    torchrun, options, random_dna, make_context, tmp_path
):
    np.save(tmp_path / "train.npy", random_dna.codes)
    arguments = tmp_path, json.dumps(dataclasses.asdict(options))
    assert "(SIGKILL)" in torchrun(START + KILLED, *arguments, ranks=RANKS).stderr
    path = tmp_path / "cut-scratch" / "gan.safetensors"
    reached = Checkpoint(path, every=0).load()["watch"]["done"]
    assert 1 <= reached <= 20
    assert torchrun(START + CONTINUED, *arguments, ranks=RANKS).returncode == 0

    def texts(name: str) -> set[str]:
        return {(tmp_path / name.format(rank)).read_text() for rank in range(RANKS)}

    saved = [
        tmp_path / f"{name}{rank}" / "generator.safetensors" for name in ("whole", "cut", "again") for rank in range(3)
    ]
    assert len({path.read_bytes() for path in saved}) == 1
    (reports,) = texts("reports{}.json")
    assert [report[:2] for report in json.loads(reports)] == [[done, 25] for done in range(reached + 1, 26)]
    (error,) = texts("error{}.txt")  # that of the process whose loss is not finite, in all of them
    assert error.startswith("gan: the loss is not finite at iteration 1 of 25")

    alone, untrained = (
        WassersteinGan(dataclasses.replace(options, **changes)) for changes in ({}, {"learning_rate": 0.0})
    )
    for model in (alone, untrained):
        model.fit(random_dna, context=make_context(length=24, seed=1))
    got, expected, start = load_file(saved[0]), alone._fitted().state_dict(), untrained._fitted().state_dict()
    way = torch.cat([(expected[name] - start[name]).flatten() for name in expected])
    difference = torch.cat([(expected[name] - got[name]).flatten() for name in expected])
    assert way.abs().max() > 0.01
    assert difference.norm() < 1e-5 * way.norm()  # rounding of sums, 1e-7, through 25 steps of Adam


def test_a_batch_that_has_no_equal_shares_is_refused_before_anything_is_run():
    with pytest.raises(UserError, match="options of gan: batch_size is 16; 3 devices share multiples of 3"):
        build(GanOptions, "gan", {"batch_size": 16, "devices": 3})
