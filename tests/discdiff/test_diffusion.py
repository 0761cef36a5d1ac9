"""The noise schedules and the samplers, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dnabench_discdiff.diffusion import STEPS, Diffusion, alpha_bar


@pytest.mark.parametrize("schedule", ["linear", "cosine", "flow"])
def test_alpha_bar_falls_strictly_from_almost_one_to_almost_zero(schedule):
    share = alpha_bar(schedule)
    assert share.shape == (STEPS,)
    assert (share.diff() < 0).all()
    assert 0.9995 < share[0] < 1
    assert 0 < share[-1] < 2e-4


def test_linear_alpha_bar_is_the_product_of_one_minus_beta():
    product, by_hand = 1.0, []
    for t in range(1000):
        product *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999)
        by_hand.append(product)
    np.testing.assert_allclose(alpha_bar("linear").numpy(), by_hand, rtol=1e-9)
    assert by_hand[-1] == pytest.approx(4.0358e-5, rel=1e-4)  # Ho et al. 2020: KL of the prior about 1e-5 bits


def test_cosine_alpha_bar_is_one_half_in_the_middle_and_symmetric():
    share = alpha_bar("cosine")
    assert share[499].item() == pytest.approx(0.5, abs=1e-12)  # (0.5 + s) / (1 + 2 s) = 1/2
    np.testing.assert_allclose((share[:999] + share[:999].flip(0)).numpy(), 1.0, atol=1e-12)
    assert share[-1].item() == pytest.approx(math.sin(0.008 / 1.016 * math.pi / 2) ** 2, rel=1e-9)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "flow"])
def test_noise_keeps_the_variance_of_unit_latents(schedule):
    diffusion = Diffusion(schedule, "v")
    np.testing.assert_allclose((diffusion.alpha**2 + diffusion.sigma**2).numpy(), 1.0, atol=1e-6)
    x0, noise = torch.tensor([[3.0, -1.0], [0.5, 2.0]]), torch.tensor([[1.0, 0.0], [-2.0, 1.0]])
    t = torch.tensor([0, 700])
    share = alpha_bar(schedule)[t].float()[:, None]
    expected = share.sqrt() * x0 + (1 - share).sqrt() * noise
    torch.testing.assert_close(diffusion.add_noise(x0, t, noise), expected)


@pytest.mark.parametrize("schedule", ["linear", "cosine", "flow"])
@pytest.mark.parametrize("prediction", ["v", "epsilon", "velocity"])
def test_clean_inverts_the_target(schedule, prediction):
    diffusion = Diffusion(schedule, prediction)
    generator = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(2, 4, 3, 2, generator=generator)
    for t in (0, 10, 500, 900):
        steps = torch.full((4,), t)
        target = diffusion.target(x0, steps, noise)
        x0_again = diffusion.clean(lambda x, t, target=target: target, diffusion.add_noise(x0, steps, noise), t)
        torch.testing.assert_close(x0_again, x0, atol=2e-4, rtol=1e-4)


def gaussian_denoiser(diffusion: Diffusion, mean: float, sd: float):
    """The exact denoiser of data N(mean, sd^2): E[x_0 | x_t] is linear in x_t."""

    def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        a, s = diffusion.alpha[t[0]].double(), diffusion.sigma[t[0]].double()
        estimate = mean + a * sd**2 / (a**2 * sd**2 + s**2) * (x.double() - a * mean)
        epsilon = (x.double() - a * estimate) / s
        answers = {"v": a * epsilon - s * estimate, "epsilon": epsilon, "velocity": epsilon - estimate}
        return answers[diffusion.prediction].float()

    return denoise


@pytest.mark.parametrize("schedule", ["linear", "cosine", "flow"])
@pytest.mark.parametrize("prediction", ["v", "epsilon", "velocity"])
@pytest.mark.parametrize("sampler", ["dpm-solver", "ddpm"])
def test_samplers_recover_a_gaussian(schedule, prediction, sampler):
    diffusion = Diffusion(schedule, prediction)
    generator = torch.Generator().manual_seed(1)
    n = 40_000
    noise = torch.randn(n, 1, generator=generator)
    denoiser = gaussian_denoiser(diffusion, 1.5, 0.6)
    if sampler == "ddpm":
        x = diffusion.sample_ddpm(denoiser, noise, generator)
    else:
        x = diffusion.sample_dpm_solver(denoiser, noise, 50)
    # The standard errors are sd / sqrt(n) = 0.003 and sd / sqrt(2 n) = 0.002; the rest is room for discretisation.
    assert x.mean().item() == pytest.approx(1.5, abs=0.012)
    assert x.std().item() == pytest.approx(0.6, abs=0.008)


def test_dpm_solver_is_of_second_order():
    diffusion = Diffusion("cosine", "v")
    noise = torch.linspace(-2, 2, 9)[:, None]
    denoiser = gaussian_denoiser(diffusion, 0.0, 0.5)
    exact = 0.5 * noise  # the probability flow of a Gaussian maps quantile to quantile
    errors = [(diffusion.sample_dpm_solver(denoiser, noise, steps) - exact).abs().max().item() for steps in (10, 40)]
    assert errors[1] < errors[0] / 6  # first order would give 4
    assert errors[1] < 0.01


def test_dpm_solver_takes_the_evaluations_it_was_given():
    diffusion = Diffusion("cosine", "v")
    times = []

    def denoiser(x, t):
        times.append(t[0].item())
        return torch.zeros_like(x)

    diffusion.sample_dpm_solver(denoiser, torch.zeros(2, 1), 7)
    assert len(times) == 7
    assert (times[0], times[-1]) == (STEPS - 1, 0)
    assert times == sorted(times, reverse=True)


def test_expected_noise_and_latent_by_bayes_on_a_grid():
    diffusion = Diffusion("cosine", "v")
    grid = torch.linspace(-8, 8, 20_001, dtype=torch.float64)
    for t, x, mean, spread in [(100, 0.4, 0.7, 0.3), (500, -1.2, 0.7, 0.9), (900, 2.0, -1.0, 0.05)]:
        alpha, sigma = diffusion.alpha[t].double(), diffusion.sigma[t].double()
        log_p = -0.5 * ((grid - mean) / spread) ** 2 - 0.5 * ((x - alpha * grid) / sigma) ** 2
        x0 = (log_p.softmax(0) * grid).sum()
        entries = torch.tensor([[[x]], [[mean]], [[spread]]])
        got, noise = diffusion.expected(entries[:1], torch.tensor([t]), entries[1:2], entries[2:])
        assert got.item() == pytest.approx(x0.item(), abs=1e-4)
        assert noise.item() == pytest.approx(((x - alpha * x0) / sigma).item(), abs=1e-4)


def test_the_flow_schedule_has_the_signal_to_noise_ratio_of_a_straight_line():
    diffusion = Diffusion("flow", "velocity")
    for step in (0, 250, 499, 999):
        t = (step + 0.5) / 1000
        assert (diffusion.alpha[step] / diffusion.sigma[step]).item() == pytest.approx((1 - t) / t, rel=1e-4)


@pytest.mark.parametrize("prediction", ["v", "epsilon", "velocity"])
def test_min_snr_weighs_the_error_of_the_clean_latent(prediction):
    """Whatever is predicted, the weighted error is min(SNR, 5) times that of the x_0 it stands for."""
    diffusion = Diffusion("cosine", prediction)
    generator = torch.Generator().manual_seed(0)
    x0, noise, wrong = torch.randn(3, 6, 4, generator=generator)
    t = torch.tensor([5, 100, 300, 500, 700, 950])
    x_t = diffusion.add_noise(x0, t, noise)
    predicted = diffusion.target(x0, t, noise) + 0.1 * wrong
    error = (predicted - diffusion.target(x0, t, noise)).square().mean(1) * diffusion.min_snr_weight(t)
    for row, step in enumerate(t.tolist()):
        estimate = diffusion.clean(lambda x, t, row=row: predicted[row : row + 1], x_t[row : row + 1], step)
        share = alpha_bar("cosine")[step].item()
        expected = min(share / (1 - share), 5) * (estimate - x0[row]).square().mean().item()
        assert error[row].item() == pytest.approx(expected, rel=2e-3)
