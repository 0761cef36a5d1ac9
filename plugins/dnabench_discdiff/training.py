"""Training of both stages: a fixed number of steps over shuffled passes, so that a seed gives one result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import torch
from torch import nn

from dnabench_discdiff.diffusion import STEPS, Diffusion

if TYPE_CHECKING:
    from dnabench_discdiff.autoencoder import Autoencoder
    from dnabench_discdiff.denoiser import Denoiser

Progress = Callable[[int, int, str], None]

WARM_UP = 0.05
"""Share of the steps over which the learning rate rises."""
KL_WARM_UP = 0.15
"""Share of the autoencoder's steps over which the KL weight rises from 0, so that the latent is put to use first."""
REPORTS = 100
"""Progress is reported about this many times per stage."""


class EMA:
    """Exponential moving average of a module's parameters: ``average = d average + (1 - d) parameter``.

    In the k-th update d is ``min(decay, k / (k + 9))``, so that the first weights do not linger in a short training.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.average = [p.detach().clone() for p in module.parameters()]

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the module's present parameters."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))
        torch._foreach_lerp_(self.average, [p.detach() for p in module.parameters()], 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Replace the module's parameters by the average."""
        for parameter, average in zip(module.parameters(), self.average, strict=True):
            parameter.copy_(average)


def batches(rows: int, batch: int, steps: int, generator: torch.Generator) -> Iterator[torch.Tensor]:
    """Row numbers of each of ``steps`` batches: passes over all rows in a new order each, the last part-batch dropped.

    A batch holds ``min(batch, rows)`` rows.
    """
    batch, order = min(batch, rows), torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < batch:
            order = torch.randperm(rows, generator=generator)
        yield order[:batch]
        order = order[batch:]


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to 0: the factor on the peak rate at ``step`` of ``steps``."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def optimise(
    module: nn.Module,
    loss_at: Callable[[int], torch.Tensor],
    *,
    steps: int,
    peak: float,
    decay: float,
    stage: str,
    progress: Progress,
) -> None:
    """Minimise ``loss_at(step)`` over ``steps`` AdamW steps; the module ends with averaged weights, in eval mode."""
    optimizer = torch.optim.AdamW(module.parameters(), lr=peak, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(step, steps))
    ema = EMA(module, decay)
    module.train()
    for step in range(steps):
        loss = loss_at(step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        ema.update(module)
        if (step + 1) % max(1, steps // REPORTS) == 0 or step + 1 == steps:
            progress(step + 1, steps, stage)
    ema.copy_to(module)
    module.eval()


def train_autoencoder(
    autoencoder: Autoencoder,
    codes: torch.Tensor,
    *,
    batch: int,
    steps: int,
    peak: float,
    kl_weight: float,
    free_nats: float,
    generator: torch.Generator,
    progress: Progress,
) -> None:
    """Maximise the evidence lower bound on codes uint8 (n, L), which lie on the autoencoder's device."""
    rows = batches(len(codes), batch, steps, generator)

    def loss_at(step: int) -> torch.Tensor:
        weight = kl_weight * min(1.0, (step + 1) / (KL_WARM_UP * steps))
        x = codes[next(rows).to(codes.device)].long()
        noise = torch.randn(len(x), *autoencoder.latent_shape, generator=generator).to(codes.device)
        with torch.autocast(codes.device.type, dtype=torch.bfloat16):
            return autoencoder.loss(x, noise, weight, free_nats)

    optimise(autoencoder, loss_at, steps=steps, peak=peak, decay=0.99, stage="autoencoder", progress=progress)


def train_denoiser(
    denoiser: Denoiser,
    diffusion: Diffusion,
    mean: torch.Tensor,
    spread: torch.Tensor,
    *,
    batch: int,
    steps: int,
    peak: float,
    generator: torch.Generator,
    progress: Progress,
) -> None:
    """Minimise the squared error of the prediction (Ho et al. 2020, eq. 14) on latents drawn anew in every step.

    The target is its mean over all x_0 and noise that the sequence's posterior leaves possible at x_t: the minimum is
    the same, but most of what cannot be predicted is gone from the gradient.

    Args:
        mean, spread: float32 (n, T, channels), the posterior's mean and standard deviation of every training sequence.
    """
    rows = batches(len(mean), batch, steps, generator)

    def loss_at(step: int) -> torch.Tensor:  # noqa: ARG001
        chosen = next(rows)
        noise = torch.randn(2, len(chosen), *mean.shape[1:], generator=generator).to(mean.device)
        t = torch.randint(STEPS, (len(chosen),), generator=generator).to(mean.device)
        chosen = chosen.to(mean.device)
        x_t = diffusion.add_noise(mean[chosen] + spread[chosen] * noise[0], t, noise[1])
        with torch.autocast(mean.device.type, dtype=torch.bfloat16):
            predicted = denoiser(x_t, t)
        x0, expected_noise = diffusion.expected(x_t, t, mean[chosen], spread[chosen])
        error: torch.Tensor = predicted - diffusion.target(x0, t, expected_noise)
        return error.square().mean()

    optimise(denoiser, loss_at, steps=steps, peak=peak, decay=0.999, stage="denoiser", progress=progress)
