"""The training loop that plugins share: batches, rates, averages, curves, and what it does when the loss is lost."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
import torch

from dnabench import UserError
from dnabench.training import Batches, MovingAverage, optimise, seeded, warm_up_cosine

DUE = 0.3
"""Seconds between checkpoints: more than these steps take by themselves."""


def test_ema_by_hand():
    layer = torch.nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(1.0)
    ema = MovingAverage(layer, decay=0.15)
    layer.weight.data.fill_(2.0)
    ema.update(layer)  # 0.1 * 1 + 0.9 * 2 = 1.9, the warm-up's 1 / 10
    layer.weight.data.fill_(5.0)
    ema.update(layer)  # 0.15 * 1.9 + 0.85 * 5, as 2 / 11 is beyond the decay
    assert layer.weight.item() == 5.0
    ema.copy_to(layer)
    assert layer.weight.item() == pytest.approx(4.535, abs=1e-6)


def drawn(rows: int, batch: int, steps: int) -> list[torch.Tensor]:
    batches = Batches(rows, batch, torch.Generator().manual_seed(0))
    return [batches.draw() for _ in range(steps)]


def test_batches_are_passes_over_all_rows():
    batches = drawn(10, 3, 7)
    assert [len(rows) for rows in batches] == [3] * 7
    for first in (0, 3):  # a pass is three batches of three; the tenth row is left out
        assert len(set(torch.cat(batches[first : first + 3]).tolist())) == 9
    assert batches[0].tolist() != batches[3].tolist()
    assert set(torch.cat(drawn(10, 3, 90)).tolist()) == set(range(10))


def test_a_batch_is_never_larger_than_the_data():
    assert [sorted(rows.tolist()) for rows in drawn(2, 64, 3)] == [[0, 1]] * 3


def test_learning_rate_rises_then_falls_to_nothing():
    factors = [warm_up_cosine(step, 200, 10) for step in range(200)]
    np.testing.assert_allclose(factors[:10], np.arange(1, 11) / 10)
    assert factors[10] == pytest.approx(1)
    assert factors[105] == pytest.approx(0.5)  # half of the cosine's 190 steps
    assert all(a > b for a, b in pairwise(factors[10:]))
    assert 0 < factors[-1] < 1e-3
    assert warm_up_cosine(0, 1, 1) == 1


def line(context, *, steps=40, **changes):
    """Fit y = 2 x + 1 without noise; returns the layer and its curve."""
    generator = torch.Generator().manual_seed(0)
    x = torch.linspace(-1, 1, 32)[:, None]
    with seeded(generator):
        layer = torch.nn.Linear(1, 1)
    batches = Batches(32, 8, generator)

    def squares(layer, step):
        rows = batches.draw()
        return (layer(x[rows]) - 2 * x[rows] - 1).square().mean()

    loss_of = changes.pop("loss_of", squares)
    arguments = {"steps": steps, "lr": 0.1, "checkpoint": context.checkpoint("line"), "context": context}
    return layer, optimise(layer, lambda step: loss_of(layer, step), batches, **(arguments | changes))


def test_a_line_is_fitted_and_the_curve_holds_every_steps_loss(make_context):
    reports = []
    layer, curve = line(make_context(progress=lambda *report: reports.append(report)), steps=80, decay=0)
    assert not layer.training
    assert layer.weight.item() == pytest.approx(2, abs=0.1)
    assert layer.bias.item() == pytest.approx(1, abs=0.05)
    assert [step for step, _ in curve] == list(range(1, 81))
    assert [report[:2] for report in reports] == [(step, 80) for step in range(1, 81)]
    assert reports[4][2] == f"train, loss {curve[4][1]:.4g}"
    assert curve[-1][1] < 0.01
    assert curve[0][1] > 1


def test_the_first_step_is_adams_by_hand(make_context):
    """Bias-corrected Adam moves every weight by the learning rate: the gradient over its own root mean square."""
    generator = torch.Generator()
    layer = torch.nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(3.0)
    context = make_context()
    optimise(
        layer,
        lambda step: 5 * layer.weight.sum(),
        Batches(1, 1, generator),
        steps=1,
        lr=0.25,
        checkpoint=context.checkpoint("one"),
        context=context,
        decay=0,
    )
    assert layer.weight.item() == pytest.approx(3 - 0.25 * 3 * 0.01 - 0.25, abs=1e-5)  # decoupled decay, then the step


def test_gradients_are_clipped_to_their_norm(make_context):
    layer = torch.nn.Linear(2, 1, bias=False)
    layer.weight.data.zero_()
    context = make_context()
    optimise(
        layer,
        lambda step: (layer.weight * torch.tensor([30.0, 40.0])).sum(),
        Batches(1, 1, torch.Generator()),
        steps=1,
        lr=1.0,
        optimizer=lambda parameters, lr: torch.optim.SGD(parameters, lr=lr),
        checkpoint=context.checkpoint("one"),
        context=context,
        decay=0,
        clip=1.0,
    )
    np.testing.assert_allclose(layer.weight.detach(), [[-0.6, -0.8]], atol=1e-6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_lost_is_named_by_its_step_and_the_good_checkpoint_stays(make_context, bad):
    context = make_context(checkpoint_seconds=0)
    checkpoint = context.checkpoint("line")

    def loss_of(layer, step):
        return layer.weight.sum() * (bad if step == 6 else 1.0)

    with pytest.raises(UserError, match="train: the loss is not finite at step 7 of 1000; a smaller learning rate"):
        line(context, steps=1000, loss_of=loss_of)
    state = checkpoint.load()
    assert 1 <= state["watch"]["done"] <= 6
    assert all(torch.isfinite(weight).all() for weight in state["module"].values())


def test_a_gradient_that_is_lost_counts_too(make_context):
    with pytest.raises(UserError, match="not finite at step 1 of 40"):
        line(make_context(), loss_of=lambda layer, step: (layer.weight * 0).abs().sqrt().sum())


def test_a_checkpoint_of_another_configuration_is_refused(make_context):
    context = make_context(checkpoint_seconds=0)
    line(context)
    with pytest.raises(UserError, match="another configuration; remove it, or train with .*one of 40 steps"):
        line(context, steps=50)
    named = make_context(checkpoint_seconds=0)
    line(named, configuration={"rate": 0.1, "batch": 8})
    with pytest.raises(UserError, match=r"another configuration \(rate 0.1 there and 0.2 here\); remove it"):
        line(named, configuration={"rate": 0.2, "batch": 8})
    wide = torch.nn.Linear(2, 1)
    with pytest.raises(UserError, match="train: the checkpoint in .* is of another configuration"):
        optimise(
            wide,
            lambda step: wide.weight.sum(),
            Batches(32, 8, torch.Generator()),
            steps=40,
            lr=0.1,
            checkpoint=context.checkpoint("line"),
            context=context,
        )


@pytest.mark.parametrize("step", [1, 7, 39])
def test_interrupted_anywhere_it_ends_with_the_same_bits_and_the_same_curve(make_context, step):
    whole, curve = line(make_context())
    context = make_context(checkpoint_seconds=DUE)

    def stop(done, total, stage):
        if done == step:
            time.sleep(DUE)  # a checkpoint is due after this step
        if done == step + 1:
            raise KeyboardInterrupt

    context.progress = stop
    with pytest.raises(KeyboardInterrupt):
        line(context)
    assert context.checkpoint("line").load()["watch"]["done"] == step
    context.progress = lambda *_: None
    layer, continued = line(context)
    assert torch.equal(layer.weight, whole.weight)
    assert torch.equal(layer.bias, whole.bias)
    assert continued == curve
