"""Options and presets of the generators ``discdiff`` and ``vae``; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dnabench import option

PATCH = 16
"""Bases per latent token: the encoder's two strides of 4."""


@dataclass(frozen=True)
class VaeOptions:
    """Stage 1, the autoencoder: all of the generator ``vae``, and the first half of ``discdiff``."""

    autoencoder: Literal["attention", "conv", "multi-scale", "released"] = option(
        "attention", "what its blocks look with; released: the network that DiscDiff's authors published"
    )
    latent_channels: int = option(4, "numbers per latent token (one token per 16 bp)", minimum=1)
    width: int = option(96, "width of the autoencoder's token blocks", minimum=8)
    decoder: Literal["autoregressive", "conv"] = option(
        "autoregressive", "bases sampled one by one given latent and preceding bases, or all at once from the latent"
    )
    head_width: int = option(96, "units of each LSTM layer of the autoregressive decoder, channels of conv", minimum=4)
    kl_weight: float = option(1.0, "weight of the KL divergence; 1 is the evidence lower bound", minimum=0)
    free_nats: float = option(0.25, "KL divergence per latent token that costs nothing, in nats", minimum=0)
    autoencoder_steps: int = option(2000, "training steps of the autoencoder", minimum=1)
    autoencoder_batch: int = option(16, "sequences per training step of the autoencoder", minimum=1)
    autoencoder_lr: float = option(7e-3, "peak learning rate of the autoencoder", minimum=0)
    autoencoder_optimiser: Literal["adamw", "released"] = option(
        "adamw", "AdamW, warmed up and down, weights averaged; or as released: Adam at one rate, last weights"
    )
    condition: str = option("", "label columns to condition on, such as species or species,class; empty: none")
    refine: Literal["none", "absorb-escape"] = option(
        "none", "let an autoregressive model replace what the conv decoder is unsure of (arXiv 2410.21345)"
    )
    refine_steps: int = option(800, "training steps of that model", minimum=1)
    absorb_threshold: float = option(
        0.85, "probability of the decoder's base below which that model takes over", minimum=0, maximum=1
    )
    devices: int = option(1, "processes that train together, each on a GPU of its own, or on the CPU", minimum=1)

    def __post_init__(self) -> None:
        for name in (name for name in vars(self) if name.endswith("_batch")):
            if getattr(self, name) % self.devices:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; {self.devices} devices share multiples of {self.devices}"
                )
        if self.autoencoder == "released" and self.devices > 1:
            raise ValueError("autoencoder=released trains on one device: its batch normalisation is not shared")
        if self.refine != "none" and self.decoder == "autoregressive" and self.autoencoder != "released":
            raise ValueError("refine replaces bases of decoder=conv; an autoregressive decoder has none to replace")


@dataclass(frozen=True)
class DiscDiffOptions(VaeOptions):
    """Both stages of ``discdiff``; the defaults are the preset ``quick``."""

    stages: Literal["two", "one"] = option(
        "two", "autoencoder first, then the denoiser of its latents; or both at once"
    )
    normalise_latents: bool = option(True, "scale every latent channel to mean 0 and variance 1 before the diffusion")
    batch_statistics: bool = option(
        False, "as released: latents to train on from batch statistics (autoencoder=released)"
    )
    denoiser: Literal["attention", "conv", "multi-scale", "released"] = option(
        "attention", "what the blocks of the denoising U-Net look with; released: diffusers' UNet2DModel"
    )
    denoiser_width: int = option(64, "width of the denoiser's finest level; deeper levels are wider", minimum=8)
    denoiser_blocks: int = option(1, "blocks per level of the denoiser, on the way down and on the way up", minimum=1)
    denoiser_steps: int = option(500, "training steps of the denoiser", minimum=1)
    denoiser_batch: int = option(64, "sequences per training step of the denoiser", minimum=1)
    denoiser_lr: float = option(2e-3, "peak learning rate of the denoiser", minimum=0)
    denoiser_optimiser: Literal["adamw", "released"] = option(
        "adamw", "AdamW, weights averaged; or as released: 500 steps of warm-up, last weights"
    )
    schedule: Literal["cosine", "linear", "flow"] = option(
        "cosine", "noise schedule of the 1,000 diffusion steps; flow: that of rectified flow"
    )
    prediction: Literal["v", "epsilon", "velocity"] = option(
        "v", "what the denoiser predicts; velocity: noise minus latent, as in flow matching"
    )
    loss_weight: Literal["none", "min-snr"] = option(
        "none", "weight of the loss over diffusion steps (arXiv 2303.09556)"
    )
    expected_target: bool = option(
        True, "train on the target's mean over a sequence's posterior, not on one draw of it"
    )
    label_dropout: float = option(
        0.1, "share of training sequences whose labels the denoiser is not told", minimum=0, maximum=1
    )
    guidance: float = option(1.0, "classifier-free guidance; 1 is none (arXiv 2207.12598)", minimum=0)
    sampler: Literal["dpm-solver", "ddpm"] = option(
        "dpm-solver", "DPM-Solver++ 2M with sampling_steps evaluations, or all 1,000 ancestral steps"
    )
    sampling_steps: int = option(30, "denoiser evaluations per sequence with dpm-solver", minimum=2, maximum=1000)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.denoiser_width % 2:
            raise ValueError(f"denoiser_width is {self.denoiser_width}; it must be even, for pairs of sine and cosine")
        if (self.denoiser == "released") != (self.autoencoder == "released"):
            raise ValueError(
                "the released networks go together: autoencoder and denoiser are both released, or neither"
            )
        if self.batch_statistics and self.autoencoder != "released":
            raise ValueError("batch_statistics is for autoencoder=released, the one with batch normalisation")
        if self.stages == "one" and "released" in (self.autoencoder, self.denoiser):
            raise ValueError("stages=one is not for the released networks")
        if self.stages == "one" and self.devices > 1:
            raise ValueError("stages=one trains on one device")
        if self.guidance != 1 and not (self.condition and self.label_dropout):
            raise ValueError("guidance needs labels to be guided by: set condition, and label_dropout above 0")


_STANDARD_VAE = {
    "latent_channels": 8,
    "width": 128,
    "head_width": 256,
    "autoencoder_steps": 10_000,
    "autoencoder_batch": 64,
    "autoencoder_lr": 2e-3,
}
# The release: 0.8 of 62,500 sequences in batches of 2 x 64 for 1,200 epochs; 600 epochs of 0.95 in batches of 2 x 256.
_PAPER_VAE = {
    "autoencoder": "released",
    "decoder": "conv",
    "kl_weight": 1e-6,
    "free_nats": 0.0,
    "autoencoder_steps": 469_000,
    "autoencoder_batch": 128,
    "autoencoder_lr": 1e-4,
    "autoencoder_optimiser": "released",
}

VAE_PRESETS: Mapping[str, Mapping[str, Any]] = {"quick": {}, "standard": _STANDARD_VAE, "paper": _PAPER_VAE}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {},
    "standard": {
        **_STANDARD_VAE,
        "denoiser_width": 128,
        "denoiser_blocks": 2,
        "denoiser_steps": 10_000,
        "denoiser_batch": 128,
        "denoiser_lr": 1e-3,
        "sampling_steps": 50,
    },
    "paper": {
        **_PAPER_VAE,
        "normalise_latents": False,
        "batch_statistics": True,
        "denoiser": "released",
        "denoiser_width": 256,
        "denoiser_blocks": 8,
        "denoiser_steps": 70_000,
        "denoiser_batch": 512,
        "denoiser_lr": 5e-5,
        "denoiser_optimiser": "released",
        "schedule": "linear",
        "prediction": "epsilon",
        "expected_target": False,
        "sampler": "ddpm",
    },
}
