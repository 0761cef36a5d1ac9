"""Options and presets of the generator ``discdiff``; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dnabench import option

PATCH = 16
"""Bases per latent token: the encoder's two strides of 4."""


@dataclass(frozen=True)
class DiscDiffOptions:
    """What can be set; the defaults are the preset ``quick``."""

    latent_channels: int = option(4, "numbers per latent token (one token per 16 bp)", minimum=1)
    width: int = option(96, "width of the autoencoder's token blocks", minimum=8)
    decoder: Literal["autoregressive", "conv"] = option(
        "autoregressive", "bases sampled one by one given latent and preceding bases, or all at once from the latent"
    )
    context: int = option(10, "preceding bases that the autoregressive decoder sees", minimum=1)
    head_width: int = option(128, "width of the layers that turn features into bases", minimum=4)
    kl_weight: float = option(1.0, "weight of the KL divergence; 1 is the evidence lower bound", minimum=0)
    free_nats: float = option(0.5, "KL divergence per latent token that costs nothing, in nats", minimum=0)
    autoencoder_steps: int = option(2400, "training steps of the autoencoder", minimum=1)
    autoencoder_batch: int = option(32, "sequences per training step of the autoencoder", minimum=1)
    autoencoder_lr: float = option(3e-3, "peak learning rate of the autoencoder", minimum=0)
    normalise_latents: bool = option(True, "scale every latent channel to mean 0 and variance 1 before the diffusion")
    denoiser_width: int = option(64, "width of the denoiser's finest level; deeper levels are wider", minimum=8)
    denoiser_blocks: int = option(1, "blocks per level of the denoiser, on the way down and on the way up", minimum=1)
    denoiser_steps: int = option(900, "training steps of the denoiser", minimum=1)
    denoiser_batch: int = option(64, "sequences per training step of the denoiser", minimum=1)
    denoiser_lr: float = option(2e-3, "peak learning rate of the denoiser", minimum=0)
    schedule: Literal["cosine", "linear"] = option("cosine", "noise schedule of the 1,000 diffusion steps")
    prediction: Literal["v", "epsilon"] = option("v", "what the denoiser predicts")
    sampler: Literal["dpm-solver", "ddpm"] = option(
        "dpm-solver", "DPM-Solver++ 2M with sampling_steps evaluations, or all 1,000 ancestral steps"
    )
    sampling_steps: int = option(30, "denoiser evaluations per sequence with dpm-solver", minimum=2, maximum=1000)
    devices: int = option(1, "processes that train together, each on a GPU of its own, or on the CPU", minimum=1)

    def __post_init__(self) -> None:
        for name in ("autoencoder_batch", "denoiser_batch"):
            if getattr(self, name) % self.devices:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; {self.devices} devices share multiples of {self.devices}"
                )


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {},
    "standard": {
        "latent_channels": 8,
        "width": 128,
        "context": 15,
        "head_width": 256,
        "autoencoder_steps": 10_000,
        "autoencoder_batch": 64,
        "autoencoder_lr": 2e-3,
        "denoiser_width": 128,
        "denoiser_blocks": 2,
        "denoiser_steps": 10_000,
        "denoiser_batch": 128,
        "denoiser_lr": 1e-3,
        "sampling_steps": 50,
    },
    "paper": {
        "latent_channels": 32,
        "width": 192,
        "decoder": "conv",
        "head_width": 128,
        "kl_weight": 1e-6,
        "free_nats": 0.0,
        "autoencoder_steps": 20_000,
        "autoencoder_batch": 128,
        "autoencoder_lr": 1e-3,
        "normalise_latents": False,
        "denoiser_width": 256,
        "denoiser_blocks": 2,
        "denoiser_steps": 50_000,
        "denoiser_batch": 256,
        "denoiser_lr": 2e-4,
        "schedule": "linear",
        "prediction": "epsilon",
        "sampler": "ddpm",
    },
}
