"""Training of both stages: a fixed number of steps over shuffled passes, so that a seed gives one result."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from dnabench_discdiff.diffusion import STEPS, Diffusion

if TYPE_CHECKING:
    from dnabench import Checkpoint, Context
    from dnabench_discdiff.autoencoder import Autoencoder
    from dnabench_discdiff.denoiser import Denoiser

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

    def state_dict(self) -> dict[str, Any]:
        """All that the next update depends on."""
        return {"average": self.average, "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` returned."""
        torch._foreach_copy_(self.average, state["average"])
        self.updates = state["updates"]


class Batches:
    """Row numbers of batches: passes over all rows in a new order each, the last part-batch dropped.

    A batch holds ``size = min(batch, rows)`` rows. The orders come from ``generator``, which others may draw from too.
    """

    def __init__(self, rows: int, batch: int, generator: torch.Generator) -> None:
        self.rows = rows
        self.size = min(batch, rows)
        self.generator = generator
        self.left = torch.empty(0, dtype=torch.int64)  # of the present pass

    def draw(self) -> torch.Tensor:
        """The next batch: int64 (size,)."""
        if len(self.left) < self.size:
            self.left = torch.randperm(self.rows, generator=self.generator)
        batch, self.left = self.left[: self.size], self.left[self.size :]
        return batch

    def state_dict(self) -> dict[str, torch.Tensor]:
        """All that the next draw depends on, the generator's state included."""
        return {"left": self.left, "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from what ``state_dict`` returned."""
        self.left = state["left"]
        self.generator.set_state(state["generator"])


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to 0: the factor on the peak rate at ``step`` of ``steps``."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def optimise(
    module: nn.Module,
    loss_at: Callable[[int], torch.Tensor],
    batches: Batches,
    *,
    steps: int,
    peak: float,
    decay: float,
    stage: str,
    checkpoint: Checkpoint,
    context: Context,
) -> None:
    """Minimise ``loss_at(step)`` over ``steps`` AdamW steps; the module ends with averaged weights, in eval mode.

    ``loss_at`` draws from ``batches`` and its generator alone. Training goes on from where ``checkpoint`` stands; one
    that has been finished leaves its last state there.
    """
    optimizer = torch.optim.AdamW(module.parameters(), lr=peak, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(step, steps))
    ema = EMA(module, decay)
    parts: dict[str, Any] = {
        "module": module,
        "optimizer": optimizer,
        "scheduler": scheduler,
        "ema": ema,
        "batches": batches,
    }
    first = 0
    if (state := checkpoint.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        first = state["step"]
    module.train()
    for step in range(first, steps):
        loss = loss_at(step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        ema.update(module)
        if (step + 1) % max(1, steps // REPORTS) == 0 or step + 1 == steps:
            context.progress(step + 1, steps, stage)
        if checkpoint.due() or step + 1 == steps:
            checkpoint.save({name: part.state_dict() for name, part in parts.items()} | {"step": step + 1})
    ema.copy_to(module)
    module.eval()


class AutoencoderLoss(nn.Module):
    """The autoencoder's loss as a module's output, the form that gradients of several processes are averaged in."""

    def __init__(self, autoencoder: Autoencoder, free_nats: float, context: Context) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.free_nats = free_nats
        self.average = context.mean_of_ranks

    def forward(self, codes: torch.Tensor, noise: torch.Tensor, kl_weight: float) -> torch.Tensor:
        """See ``Autoencoder.loss``."""
        return self.autoencoder.loss(codes, noise, kl_weight, self.free_nats, self.average)


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
    checkpoint: Checkpoint,
    context: Context,
) -> None:
    """Maximise the evidence lower bound on codes uint8 (n, L), which lie on the autoencoder's device."""
    device, batches = codes.device, Batches(len(codes), batch, generator)
    example = codes[:1].long(), torch.zeros(1, *autoencoder.latent_shape, device=device), kl_weight
    autoencoder_loss = context.together(AutoencoderLoss(autoencoder, free_nats, context), *example)

    def loss_at(step: int) -> torch.Tensor:
        weight = kl_weight * min(1.0, (step + 1) / (KL_WARM_UP * steps))
        rows = context.share(batches.draw()).to(device)
        noise = context.share(torch.randn(batches.size, *autoencoder.latent_shape, generator=generator)).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss: torch.Tensor = autoencoder_loss(codes[rows].long(), noise, weight)
        return loss

    optimise(
        autoencoder,
        loss_at,
        batches,
        steps=steps,
        peak=peak,
        decay=0.99,
        stage="autoencoder",
        checkpoint=checkpoint,
        context=context,
    )


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
    checkpoint: Checkpoint,
    context: Context,
) -> None:
    """Minimise the squared error of the prediction (Ho et al. 2020, eq. 14) on latents drawn anew in every step.

    The target is its mean over all x_0 and noise that the sequence's posterior leaves possible at x_t: the minimum is
    the same, but most of what cannot be predicted is gone from the gradient.

    Args:
        mean, spread: float32 (n, T, channels), the posterior's mean and standard deviation of every training sequence.
    """
    device, batches = mean.device, Batches(len(mean), batch, generator)
    predict = context.together(denoiser, mean[:1], torch.zeros(1, device=device))

    def loss_at(step: int) -> torch.Tensor:  # noqa: ARG001
        rows = context.share(batches.draw()).to(device)
        drawn = torch.randn(2, batches.size, *mean.shape[1:], generator=generator)
        t = context.share(torch.randint(STEPS, (batches.size,), generator=generator)).to(device)
        of_latent, noise = (context.share(part).to(device) for part in drawn)
        x_t = diffusion.add_noise(mean[rows] + spread[rows] * of_latent, t, noise)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            predicted = predict(x_t, t)
        x0, expected_noise = diffusion.expected(x_t, t, mean[rows], spread[rows])
        error: torch.Tensor = predicted - diffusion.target(x0, t, expected_noise)
        return error.square().mean()

    optimise(
        denoiser,
        loss_at,
        batches,
        steps=steps,
        peak=peak,
        decay=0.999,
        stage="denoiser",
        checkpoint=checkpoint,
        context=context,
    )
