"""Batches, learning rate, averaging and the two training loops."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from dnabench_discdiff.denoiser import Denoiser
from dnabench_discdiff.diffusion import STEPS, Diffusion
from dnabench_discdiff.training import EMA, Batches, learning_rate, train_denoiser


def test_ema_by_hand():
    layer = torch.nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(1.0)
    ema = EMA(layer, decay=0.15)
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
    factors = [learning_rate(step, 200) for step in range(200)]
    np.testing.assert_allclose(factors[:10], np.arange(1, 11) / 10)
    assert factors[10] == pytest.approx(1)
    assert factors[105] == pytest.approx(0.5)  # half of the cosine's 190 steps
    assert all(a > b for a, b in pairwise(factors[10:]))
    assert 0 < factors[-1] < 1e-3
    assert learning_rate(0, 1) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("schedule", "prediction"), [("cosine", "v"), ("linear", "epsilon")])
def test_diffusion_learns_a_two_point_distribution(schedule, prediction, make_context):
    """Latents +2 or -2 in all entries together: no Gaussian has that correlation and those two modes."""
    generator = torch.Generator().manual_seed(0)
    signs = (torch.arange(1024) % 4 > 0).float() * 2 - 1  # three quarters positive
    mean = signs[:, None, None].expand(-1, 4, 2) * 2
    spread = torch.full_like(mean, 0.2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        denoiser = Denoiser(4, 2, width=32, blocks=1)
    diffusion = Diffusion(schedule, prediction)
    reports = []
    context = make_context(progress=lambda *report: reports.append(report))
    train_denoiser(
        denoiser,
        diffusion,
        mean,
        spread,
        batch=128,
        steps=500,
        peak=3e-3,
        generator=generator,
        checkpoint=context.checkpoint("denoiser"),
        context=context,
    )
    assert reports[-1] == (500, 500, "denoiser")
    assert not denoiser.training
    with torch.no_grad():
        x = diffusion.sample_dpm_solver(denoiser, torch.randn(1000, 4, 2, generator=generator), 30)
    side = x.mean((1, 2))
    assert (side.abs() - 2).abs().median() < 0.15
    assert ((x > 0).float().mean((1, 2)) - 0.5).abs().eq(0.5).float().mean() > 0.97  # all entries on one side
    assert (side > 0).float().mean().item() == pytest.approx(0.75, abs=0.1)
    within = (x - side[:, None, None]).abs().median().item()
    assert within == pytest.approx(0.6745 * 0.2 * (7 / 8) ** 0.5, abs=0.04)  # of a Gaussian about the mean of eight


def test_the_denoisers_loss_of_a_fresh_network_is_the_targets_power():
    """A fresh denoiser answers 0, so its first loss is the mean square of v: 1 for unit latents."""
    generator = torch.Generator().manual_seed(0)
    diffusion = Diffusion("cosine", "v")
    x0, noise = torch.randn(2, 4000, 4, 2, generator=generator)
    t = torch.randint(STEPS, (4000,), generator=generator)
    denoiser = Denoiser(4, 2, width=32, blocks=1)
    error = (denoiser(diffusion.add_noise(x0, t, noise), t) - diffusion.target(x0, t, noise)).square().mean()
    assert error.item() == pytest.approx(1.0, abs=0.04)
