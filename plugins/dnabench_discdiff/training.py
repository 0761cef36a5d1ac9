"""Training of both stages, one after the other or together: what is minimised in a step, and by which recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from dnabench.training import Batches, bfloat16_pays, optimise, share_on, warm_up_cosine
from dnabench_discdiff.autoencoder import evidence_loss
from dnabench_discdiff.conditions import not_told
from dnabench_discdiff.diffusion import STEPS

if TYPE_CHECKING:
    from dnabench import Checkpoint, Context
    from dnabench_discdiff.autoencoder import Stage1
    from dnabench_discdiff.diffusion import Diffusion
    from dnabench_discdiff.options import DiscDiffOptions, VaeOptions

KL_WARM_UP = 0.15
"""Share of the autoencoder's steps over which the KL weight rises from 0, so that the latent is put to use first."""
MOMENTUM = 0.01
"""Share of a batch in the running moments of latents that are still being learned."""

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Data:
    """Training sequences on the device: codes uint8 (n, L), labels int64 (n, columns), how many values a column has."""

    codes: torch.Tensor
    labels: torch.Tensor
    values: tuple[int, ...]


def recipe(optimiser: str, stage: str, steps: int) -> dict[str, Any]:
    """What ``optimise`` is told beside the loss: dnabench's own recipe, or that of DiscDiff's release for a stage."""
    if optimiser == "adamw":
        return {"decay": 0.999 if stage == "denoiser" else 0.99}
    if stage == "denoiser":  # the release stops after a fifth of the cosine it has planned
        fused = partial(torch.optim.AdamW, fused=True)
        return {"optimizer": fused, "schedule": partial(warm_up_cosine, steps=5 * steps, warm_up=500), "decay": 0}
    return {
        "optimizer": partial(torch.optim.Adam, fused=True),
        "schedule": lambda _: 1.0,
        "decay": 0,
        "clip": torch.inf,
    }


class EvidenceLoss(nn.Module):
    """The autoencoder's loss as a module's output, the form that gradients of several processes are averaged in."""

    def __init__(self, autoencoder: Stage1, free_nats: float, context: Context) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.free_nats = free_nats
        self.average = context.mean_of_ranks

    def forward(self, codes: torch.Tensor, labels: torch.Tensor, noise: torch.Tensor, kl_weight: float) -> torch.Tensor:
        """See ``evidence_loss``."""
        posterior = self.autoencoder.encode(codes, labels)
        return evidence_loss(self.autoencoder, codes, labels, posterior, noise, kl_weight, self.free_nats, self.average)


def train_autoencoder(
    autoencoder: Stage1,
    data: Data,
    options: VaeOptions,
    *,
    generator: torch.Generator,
    checkpoint: Checkpoint,
    context: Context,
) -> Curve:
    """Maximise the evidence lower bound; returns the training curve."""
    device, steps = data.codes.device, options.autoencoder_steps
    shape = autoencoder.latent_shape
    batches = Batches(len(data.codes), options.autoencoder_batch, generator)
    loss_of = context.together(
        EvidenceLoss(autoencoder, options.free_nats, context),
        data.codes[:1].long(),
        data.labels[:1],
        torch.zeros(1, *shape, device=device),
        options.kl_weight,
    )
    # The released network is trained in full precision, as its authors did.
    bfloat16 = options.autoencoder != "released" and bfloat16_pays(device)

    def loss_at(step: int) -> torch.Tensor:
        rise = min(1.0, (step + 1) / (KL_WARM_UP * steps)) if options.autoencoder_optimiser == "adamw" else 1.0
        weight = options.kl_weight * rise
        rows = share_on(device, batches.draw(), context)
        noise = share_on(device, torch.randn(batches.size, *shape, generator=generator), context)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
            loss: torch.Tensor = loss_of(data.codes[rows].long(), data.labels[rows], noise, weight)
        return loss

    return optimise(
        autoencoder,
        loss_at,
        batches,
        steps=steps,
        lr=options.autoencoder_lr,
        stage="autoencoder",
        checkpoint=checkpoint,
        context=context,
        configuration=asdict(options),
        **recipe(options.autoencoder_optimiser, "autoencoder", steps),
    )


class DenoisingLoss:
    """The error of a denoiser on noisy latents (Ho et al. 2020, eq. 14), for batches drawn from one generator."""

    def __init__(
        self,
        predict: Callable[..., torch.Tensor],
        diffusion: Diffusion,
        options: DiscDiffOptions,
        values: tuple[int, ...],
        batches: Batches,
        context: Context,
    ) -> None:
        self.predict = predict
        self.diffusion = diffusion
        self.options = options
        self.values = values
        self.nothing = not_told(values, 1, diffusion.alpha.device)
        self.batches = batches
        self.context = context

    def __call__(
        self, mean: torch.Tensor, spread: torch.Tensor, of_latent: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """The mean squared error for latents N(mean, spread^2), each (n, ...); ``of_latent`` was drawn from N(0, 1).

        With ``expected_target``, of a frozen encoder's latents, the target is its mean over all x_0 and noise that the
        sequence's posterior leaves possible at x_t: the minimum is the same, but most of what cannot be predicted is
        gone from the gradient.
        """
        device, size, generator = mean.device, self.batches.size, self.batches.generator
        noise = share_on(device, torch.randn(size, *mean.shape[1:], generator=generator), self.context)
        t = share_on(device, torch.randint(STEPS, (size,), generator=generator), self.context)
        if self.values:
            untold = torch.rand(size, generator=generator) < self.options.label_dropout
            labels = torch.where(share_on(device, untold, self.context)[:, None], self.nothing, labels)
        x0 = mean + spread * of_latent
        x_t = self.diffusion.add_noise(x0, t, noise)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16_pays(device)):
            predicted = self.predict(x_t, t, labels)
        # Where the encoder learns too, the mean would reward it for a posterior that says nothing.
        if self.options.expected_target and self.options.stages == "two":
            x0, noise = self.diffusion.expected(x_t, t, mean, spread)
        error = (predicted - self.diffusion.target(x0, t, noise)).square().flatten(1).mean(1)  # (n,)
        if self.options.loss_weight == "min-snr":
            error = error * self.diffusion.min_snr_weight(t)
        return error.mean()


def train_denoiser(
    denoiser: nn.Module,
    diffusion: Diffusion,
    posterior: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    data: Data,
    options: DiscDiffOptions,
    *,
    generator: torch.Generator,
    checkpoint: Checkpoint,
    context: Context,
    latents: Stage1,
) -> Curve:
    """Minimise :class:`DenoisingLoss` on latents drawn anew in every step; returns the training curve.

    Args:
        posterior: the rows int64 (n,) of a batch -> mean and standard deviation of their latents, each (n, ...), as the
            diffusion is to see them.
        latents: the module that ``posterior`` runs with ``batch_statistics``; its state moves with every batch then.
    """
    device = data.codes.device
    batches = Batches(len(data.codes), options.denoiser_batch, generator)
    mean, _ = posterior(torch.zeros(1, dtype=torch.int64, device=device))
    predict = context.together(denoiser, mean, torch.zeros(1, device=device), data.labels[:1])
    loss_of = DenoisingLoss(predict, diffusion, options, data.values, batches, context)

    def loss_at(step: int) -> torch.Tensor:  # noqa: ARG001
        rows = share_on(device, batches.draw(), context)
        of_latent = share_on(device, torch.randn(batches.size, *mean.shape[1:], generator=generator), context)
        return loss_of(*posterior(rows), of_latent, data.labels[rows])

    return optimise(
        denoiser,
        loss_at,
        batches,
        steps=options.denoiser_steps,
        lr=options.denoiser_lr,
        stage="denoiser",
        checkpoint=checkpoint,
        context=context,
        parts={"latents": latents} if options.batch_statistics else None,
        configuration=asdict(options),
        **recipe(options.denoiser_optimiser, "denoiser", options.denoiser_steps),
    )


class BothStages(nn.Module):
    """Autoencoder and denoiser with one loss; latents are normalised by their running moments."""

    def __init__(self, autoencoder: Stage1, denoiser: nn.Module, options: DiscDiffOptions) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.denoiser = denoiser
        self.options = options
        channels = autoencoder.latent_shape[-1]
        self.mean: torch.Tensor
        self.variance: torch.Tensor
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(
        self,
        codes: torch.Tensor,
        labels: torch.Tensor,
        of_latent: torch.Tensor,
        kl_weight: float,
        denoising_loss: Callable[..., torch.Tensor],
    ) -> torch.Tensor:
        """The autoencoder's loss plus the denoiser's, whose gradient reaches the encoder too.

        Both are per base: the denoiser's error counts once for each number of the latent.
        """
        mean, log_variance = self.autoencoder.encode(codes, labels)
        evidence = evidence_loss(
            self.autoencoder, codes, labels, (mean, log_variance), of_latent, kl_weight, self.options.free_nats
        )
        spread = (0.5 * log_variance).exp()
        if self.options.normalise_latents and self.training:
            with torch.no_grad():
                z = mean + spread * of_latent
                self.mean.lerp_(z.mean((0, 1)), MOMENTUM)
                self.variance.lerp_((z - self.mean).square().mean((0, 1)), MOMENTUM)
        scale = self.variance.sqrt()
        error = denoising_loss((mean - self.mean) / scale, spread / scale, of_latent, labels)
        return evidence + error * mean[0].numel() / codes.shape[1]


def train_jointly(
    autoencoder: Stage1,
    denoiser: nn.Module,
    diffusion: Diffusion,
    data: Data,
    options: DiscDiffOptions,
    *,
    generator: torch.Generator,
    checkpoint: Checkpoint,
    context: Context,
) -> Curve:
    """Both stages in one, by the autoencoder's options of batch and steps; returns the training curve."""
    device, steps = data.codes.device, options.autoencoder_steps
    both = BothStages(autoencoder, denoiser, options).to(device)
    shape = autoencoder.latent_shape
    batches = Batches(len(data.codes), options.autoencoder_batch, generator)
    denoising_loss = DenoisingLoss(denoiser, diffusion, options, data.values, batches, context)

    def loss_at(step: int) -> torch.Tensor:
        weight = options.kl_weight * min(1.0, (step + 1) / (KL_WARM_UP * steps))
        rows = share_on(device, batches.draw(), context)
        of_latent = share_on(device, torch.randn(batches.size, *shape, generator=generator), context)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16_pays(device)):
            loss: torch.Tensor = both(data.codes[rows].long(), data.labels[rows], of_latent, weight, denoising_loss)
        return loss

    return optimise(
        both,
        loss_at,
        batches,
        steps=steps,
        lr=options.autoencoder_lr,
        stage="both stages",
        checkpoint=checkpoint,
        context=context,
        configuration=asdict(options),
        decay=0.99,
    )
