"""The denoiser's loss and training."""

from __future__ import annotations

import pytest
import torch

from dnabench_discdiff.autoencoder import Stage1
from dnabench_discdiff.denoiser import Denoiser
from dnabench_discdiff.diffusion import STEPS, Diffusion
from dnabench_discdiff.options import DiscDiffOptions
from dnabench_discdiff.training import Data, train_denoiser


@pytest.mark.slow
@pytest.mark.parametrize(("schedule", "prediction"), [("cosine", "v"), ("linear", "epsilon"), ("flow", "velocity")])
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
        lambda rows: (mean[rows], spread[rows]),
        Data(torch.zeros(1024, 64, dtype=torch.uint8), torch.zeros(1024, 0, dtype=torch.int64), ()),
        DiscDiffOptions(denoiser_batch=128, denoiser_steps=500, denoiser_lr=3e-3),
        generator=generator,
        checkpoint=context.checkpoint("denoiser"),
        context=context,
        latents=Stage1(),
    )
    assert reports[-1][:2] == (500, 500)
    assert not denoiser.training
    with torch.no_grad():
        nothing = torch.zeros(1000, 0, dtype=torch.int64)
        x = torch.randn(1000, 4, 2, generator=generator)
        x = diffusion.sample_dpm_solver(lambda x, t: denoiser(x, t, nothing), x, 30)
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
    nothing = torch.zeros(4000, 0, dtype=torch.int64)
    error = (denoiser(diffusion.add_noise(x0, t, noise), t, nothing) - diffusion.target(x0, t, noise)).square().mean()
    assert error.item() == pytest.approx(1.0, abs=0.04)
