"""Stage 1: a variational autoencoder from one-hot DNA to a short sequence of latent tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dnabench_discdiff.blocks import Block
from dnabench_discdiff.decoders import AutoregressiveHead, ConvHead
from dnabench_discdiff.options import PATCH

N = 4
FEATURES = 32
"""Channels of the per-base features that the latent is decoded to."""
STEM = 64
"""Channels after the encoder's first stride of 4."""
BLOCKS = 1
"""Token blocks of the encoder, and of the upsampler."""


class Encoder(nn.Module):
    """One-hot DNA (n, 4, L) -> mean and log-variance of the latent, each (n, L / 16, channels).

    Every token also gets the mean of all tokens: what the latent is for, such as composition, shows in the whole
    sequence long before it shows in 16 bases.
    """

    def __init__(self, tokens: int, channels: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(4, STEM, 16, stride=4, padding=6)
        self.patch = nn.Conv1d(STEM, width, 8, stride=4, padding=2)
        self.whole = nn.Linear(width, width)
        self.position = nn.Parameter(torch.zeros(tokens, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(width)
        self.write = nn.Linear(width, 2 * channels)

    def forward(self, one_hot: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class; float32 out."""
        h = F.gelu(self.stem(one_hot))  # (n, STEM, L / 4)
        h = F.gelu(self.patch(h)).transpose(1, 2)  # (n, T, width)
        h = h + self.whole(h.mean(1, keepdim=True)) + self.position
        for block in self.blocks:
            h = block(h)
        mean, log_variance = self.write(self.norm(h)).float().chunk(2, dim=-1)
        return mean, log_variance.clamp(-12, 4)


class Upsampler(nn.Module):
    """Latent tokens (n, T, channels) -> features of every base (n, L, FEATURES).

    As in the encoder every token also gets the mean of all, so that T noisy copies of one fact are averaged at once.
    """

    def __init__(self, tokens: int, channels: int, width: int) -> None:
        super().__init__()
        self.read = nn.Linear(channels, width)
        self.whole = nn.Linear(channels, width)
        self.position = nn.Parameter(torch.zeros(tokens, width))
        self.blocks = nn.ModuleList(Block(width) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(width)
        self.expand = nn.ConvTranspose1d(width, FEATURES, 8, stride=4, padding=2)
        self.refine = nn.ConvTranspose1d(FEATURES, FEATURES, 8, stride=4, padding=2)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """See the class."""
        h = self.read(z) + self.whole(z.mean(1, keepdim=True)) + self.position
        for block in self.blocks:
            h = block(h)
        h = F.gelu(self.expand(self.norm(h).transpose(1, 2)))  # (n, FEATURES, L / 4)
        features: torch.Tensor = self.refine(h)
        return features.transpose(1, 2)


class Autoencoder(nn.Module):
    """Encoder, latent and decoder for sequences of ``length`` bp."""

    def __init__(
        self,
        length: int,
        channels: int,
        width: int,
        decoder: Literal["autoregressive", "conv"],
        context: int,
        head_width: int,
    ) -> None:
        super().__init__()
        self.latent_shape = (length // PATCH, channels)
        self.encoder = Encoder(length // PATCH, channels, width)
        self.upsampler = Upsampler(length // PATCH, channels, width)
        self.head = (
            AutoregressiveHead(length, FEATURES, context, head_width)
            if decoder == "autoregressive"
            else ConvHead(FEATURES, head_width)
        )

    def encode(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log-variance of the latent, each (n, T, channels), for codes (n, L)."""
        mean, log_variance = self.encoder(one_hot(codes))
        return mean, log_variance

    def decode(self, z: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Bases int64 (n, L) for latents (n, T, channels); an autoregressive decoder draws from ``generator``."""
        return self.head.sample(self.upsampler(z), generator)

    def loss(
        self,
        codes: torch.Tensor,
        noise: torch.Tensor,
        kl_weight: float,
        free_nats: float,
        average: Callable[[torch.Tensor], torch.Tensor] = torch.Tensor.detach,
    ) -> torch.Tensor:
        """Negative evidence lower bound in nats per base, the KL divergence weighted, averaged over the batch.

        Args:
            codes: int64 (n, L), A C G T N = 0 1 2 3 4; an N adds no loss.
            noise: standard normal (n, T, channels), the draw from the posterior.
            kl_weight: beta of Higgins et al. 2017.
            free_nats: KL divergence per latent token, in the batch's mean, that costs nothing.
            average: the mean of a number over the processes that share a batch, each with as many sequences. It decides
                whether the whole batch is beyond ``free_nats``, so that the mean of their gradients is the batch's.
        """
        mean, log_variance = self.encode(codes)
        z = mean + (0.5 * log_variance).exp() * noise
        logits = self.head(self.upsampler(z), codes).float()  # (n, L, 4)
        nats = F.cross_entropy(logits.reshape(-1, 4), codes.reshape(-1), ignore_index=N, reduction="sum")
        excess = kl_divergence(mean, log_variance).sum(-1).mean() - free_nats  # nats per token
        return nats / codes.numel() + kl_weight * excess * (average(excess) >= 0) / PATCH


def one_hot(codes: torch.Tensor) -> torch.Tensor:
    """float32 (n, 4, L) from codes (n, L); N is 0.25 in each channel."""
    bases = torch.arange(4, device=codes.device)[None, :, None]
    return torch.where(codes[:, None] == N, 0.25, (codes[:, None] == bases).float())


def kl_divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) in nats, elementwise (Kingma & Welling 2014, appendix B)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)
