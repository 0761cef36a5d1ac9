"""Masked diffusion (Sahoo et al. 2024, arXiv 2406.07524): bases are masked one by one, and a denoiser fills them in.

At time t from 0 to 1 each base is still there with probability ``alpha(t) = 1 - t``, the log-linear schedule, apart
from all others. A denoiser is ``(x_t uint8 (n, L), t float32 (n,)) -> logits (n, L, 4)``. As its output has no mask
among the letters it never puts one in place of a base ("zero masking probabilities"), and as neither the bound nor the
sampler reads it where there is no mask, bases stay what they are ("carry-over unmasking").
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import cross_entropy

from dnabench_mdlm.network import BASES, MASK

Predict = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def alpha(t: torch.Tensor) -> torch.Tensor:
    """The probability that a base is not masked at time t."""
    return 1 - t


def weight(t: torch.Tensor) -> torch.Tensor:
    """``-alpha'(t) / (1 - alpha(t))``, what a masked base's cross-entropy counts at time t: 1 / t."""
    return 1 / t


def spread_times(n: int, generator: torch.Generator) -> torch.Tensor:
    """Times in (0, 1], each uniform, one in every n-th of it: float32 (n,), ascending.

    The low-discrepancy sampler of Kingma et al. 2021 (arXiv 2107.00630, appendix I.1): all share one uniform number.
    """
    return (torch.arange(n) + 1 - torch.rand(1, generator=generator)) / n


def mask(codes: torch.Tensor, t: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """x_t of codes uint8 (n, L) at times t (n,), by uniform numbers (n, L) in [0, 1); N is masked at any time."""
    return torch.where(uniforms < alpha(t)[:, None], codes, MASK)


def bound(logits: torch.Tensor, codes: torch.Tensor, x_t: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Terms (n, L), in nats, of the negative evidence lower bound of codes (n, L) (eq. 10 of the paper).

    Their sum over the positions, averaged over a uniform t and the masks at t, is the bound. It is 0 where the base is
    not masked, and where it is N, which is no outcome at all.
    """
    targets = torch.where(x_t == MASK, codes, MASK).long()
    loss = cross_entropy(logits.reshape(-1, BASES), targets.reshape(-1), ignore_index=MASK, reduction="none")
    return loss.view(codes.shape) * weight(t)[:, None]


def draw(logits: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """The base that each uniform number (m,) in [0, 1), float64, stands for under logits (m, 4): uint8 (m,).

    In float64, by running sums of the probabilities: Gumbel noise made of float32 numbers has a largest value, so that
    rare letters come too seldom, as if at a lower temperature (Zheng et al. 2024, arXiv 2409.02908).
    """
    a, c, g, _ = logits.double().softmax(-1).unbind(-1)
    # Not by cumsum, which has no deterministic code on a GPU.
    return (uniforms >= a).to(torch.uint8) + (uniforms >= a + c) + (uniforms >= a + c + g)


@torch.no_grad()
def sample(
    denoiser: Predict, n: int, length: int, steps: int, generator: torch.Generator, device: str = "cpu"
) -> torch.Tensor:
    """Sequences from all masked to none in ``steps`` equal steps of time (eq. 7 of the paper): uint8 (n, length).

    From t to s a mask stays with probability s / t. So one is still there at s with probability s: the step at which a
    base gets unmasked is uniform over all steps, whatever the bases are. These steps are drawn first; the denoiser is
    evaluated only where one comes up, and all noise comes from the CPU's ``generator`` in two draws.
    """
    step_of = torch.randint(steps, (n * length,), generator=generator)
    order = step_of.argsort(stable=True)
    counts = step_of.bincount(minlength=steps).tolist()
    uniforms = torch.rand(n * length, generator=generator, dtype=torch.float64).to(device)
    x = torch.full((n * length,), MASK, dtype=torch.uint8, device=device)
    parts = zip(torch.split(order.to(device), counts), torch.split(uniforms, counts), strict=True)
    for step, (places, of_places) in enumerate(parts):
        if counts[step]:
            t = torch.full((n,), 1 - step / steps, device=device)
            logits = denoiser(x.view(n, length), t).reshape(-1, BASES)
            x[places] = draw(logits[places], of_places)
    return x.view(n, length)
