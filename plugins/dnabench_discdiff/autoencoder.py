"""Stage 1: a variational autoencoder from one-hot DNA to a short sequence of latent tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dnabench_discdiff.blocks import Block, Mixer
from dnabench_discdiff.conditions import LabelEmbedding, kind_of, kinds
from dnabench_discdiff.decoders import AutoregressiveHead, ConvHead
from dnabench_discdiff.options import PATCH

N = 4
STEM = 64
"""Channels after the encoder's first stride of 4."""
BLOCKS = 1
"""Token blocks of the encoder, and of the latent's reader."""


class Encoder(nn.Module):
    """One-hot DNA (n, 4, L) -> mean and log-variance of the latent, each (n, L / 16, channels).

    ``told`` (n, width) is what the labels add to every token. Every token also gets the mean of all: what the latent is
    for, such as composition, shows in the whole sequence long before it shows in 16 bases.
    """

    def __init__(self, tokens: int, channels: int, width: int, mixer: Mixer) -> None:
        super().__init__()
        self.stem = nn.Conv1d(4, STEM, 16, stride=4, padding=6)
        self.patch = nn.Conv1d(STEM, width, 8, stride=4, padding=2)
        self.whole = nn.Linear(width, width)
        self.position = nn.Parameter(torch.zeros(tokens, width))
        self.blocks = nn.ModuleList(Block(width, mixer=mixer) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(width)
        self.write = nn.Linear(width, 2 * channels)

    def forward(self, one_hot: torch.Tensor, told: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See the class; float32 out."""
        h = F.gelu(self.stem(one_hot))  # (n, STEM, L / 4)
        h = F.gelu(self.patch(h)).transpose(1, 2)  # (n, T, width)
        h = h + self.whole(h.mean(1, keepdim=True)) + self.position + told[:, None]
        for block in self.blocks:
            h = block(h)
        mean, log_variance = self.write(self.norm(h)).float().chunk(2, dim=-1)
        return mean, log_variance.clamp(-12, 4)


class LatentReader(nn.Module):
    """Latent (n, T, channels) -> what a decoder is told of each token (n, T, width).

    As in the encoder every token also gets the mean of all, so that T noisy copies of one fact are averaged at once.
    """

    def __init__(self, tokens: int, channels: int, width: int, mixer: Mixer) -> None:
        super().__init__()
        self.read = nn.Linear(channels, width)
        self.whole = nn.Linear(channels, width)
        self.position = nn.Parameter(torch.zeros(tokens, width))
        self.blocks = nn.ModuleList(Block(width, mixer=mixer) for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(width)

    def forward(self, z: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        """See the class; ``told`` as in the encoder."""
        h = self.read(z) + self.whole(z.mean(1, keepdim=True)) + self.position + told[:, None]
        for block in self.blocks:
            h = block(h)
        tokens: torch.Tensor = self.norm(h)
        return tokens


class Stage1(nn.Module):
    """What both autoencoders offer, this file's and the released one. Labels are int64 (n, columns)."""

    latent_shape: tuple[int, ...]
    learns_n: ClassVar[bool] = False
    """Whether an N in the data is learned as a quarter of each base; if not, it adds no loss."""

    def count(self, codes: torch.Tensor, labels: torch.Tensor) -> None:
        """Count, on the CPU, what a decoder starts from, on codes uint8 (n, L); nothing unless it says otherwise."""

    def encode(self, codes: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log-variance of the latent, each (n, *latent_shape), for codes int64 (n, L)."""
        raise NotImplementedError

    def logits(self, z: torch.Tensor, codes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Logits (n, L, 4) of every base of codes; a decoder may look at those before it."""
        raise NotImplementedError

    def decode(self, z: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, length: int) -> torch.Tensor:
        """The first ``length`` bases, int64 (n, length); a decoder that draws does so from ``generator``."""
        raise NotImplementedError


class Autoencoder(Stage1):
    """Encoder, latent and decoder for sequences of ``length`` bp, a multiple of 16."""

    def __init__(
        self,
        length: int,
        channels: int,
        width: int,
        decoder: Literal["autoregressive", "conv"],
        head_width: int,
        mixer: Mixer = "attention",
        values: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.latent_shape = (length // PATCH, channels)
        self.values = tuple(values)
        self.encoder = Encoder(length // PATCH, channels, width, mixer)
        self.reader = LatentReader(length // PATCH, channels, width, mixer)
        self.tell_encoder = LabelEmbedding(values, width)
        self.tell_decoder = LabelEmbedding(values, width)
        self.head = (
            AutoregressiveHead(length, width, head_width, kinds(values))
            if decoder == "autoregressive"
            else ConvHead(width, head_width)
        )

    def count(self, codes: torch.Tensor, labels: torch.Tensor) -> None:
        """See :class:`Stage1`: the chains of an autoregressive decoder."""
        if isinstance(self.head, AutoregressiveHead):
            self.head.chain.count(codes, kind_of(labels, self.values))

    def encode(self, codes: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See :class:`Stage1`."""
        mean, log_variance = self.encoder(one_hot(codes), self.tell_encoder(labels))
        return mean, log_variance

    def logits(self, z: torch.Tensor, codes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """See :class:`Stage1`."""
        tokens = self.reader(z, self.tell_decoder(labels))
        if isinstance(self.head, AutoregressiveHead):
            return self.head(tokens, codes, kind_of(labels, self.values))  # type: ignore[no-any-return]
        return self.head(tokens)  # type: ignore[no-any-return]

    def decode(self, z: torch.Tensor, labels: torch.Tensor, generator: torch.Generator, length: int) -> torch.Tensor:
        """See :class:`Stage1`; the convolutional decoder gives the most probable base everywhere."""
        tokens = self.reader(z, self.tell_decoder(labels))
        if isinstance(self.head, AutoregressiveHead):
            return self.head.sample(tokens, kind_of(labels, self.values), generator, length)
        return most_probable(self.head(tokens)[:, :length])


def evidence_loss(
    autoencoder: Stage1,
    codes: torch.Tensor,
    labels: torch.Tensor,
    posterior: tuple[torch.Tensor, torch.Tensor],
    noise: torch.Tensor,
    kl_weight: float,
    free_nats: float,
    average: Callable[[torch.Tensor], torch.Tensor] = torch.Tensor.detach,
) -> torch.Tensor:
    """Negative evidence lower bound in nats per base, the KL divergence weighted, averaged over the batch.

    Args:
        codes: int64 (n, L), A C G T N = 0 1 2 3 4.
        labels: int64 (n, columns).
        posterior: mean and log-variance of the latents, as ``encode`` gives them.
        noise: standard normal (n, *latent_shape), the draw from the posterior.
        kl_weight: beta of Higgins et al. 2017.
        free_nats: KL divergence per latent token, in the batch's mean, that costs nothing.
        average: the mean of a number over the processes that share a batch, each with as many sequences. It decides
            whether the whole batch is beyond ``free_nats``, so that the mean of their gradients is the batch's.
    """
    mean, log_variance = posterior
    z = mean + (0.5 * log_variance).exp() * noise
    logits = autoencoder.logits(z, codes, labels).float()  # (n, L, 4)
    nats = F.cross_entropy(logits.reshape(-1, 4), codes.reshape(-1), ignore_index=N, reduction="sum")
    if autoencoder.learns_n:
        nats = nats - (logits.log_softmax(-1).mean(-1) * (codes == N)).sum()
    per_sequence = kl_divergence(mean, log_variance).flatten(1).sum(1).mean()
    excess = per_sequence - free_nats * mean[0, ..., 0].numel()
    return nats / codes.numel() + kl_weight * excess * (average(excess) >= 0) / codes.shape[1]


def most_probable(logits: torch.Tensor) -> torch.Tensor:
    """int64 (n, L) for logits (n, L, 4). Pairwise, which is 20 times as fast as argmax over four numbers."""
    a, c, g, t = logits.unbind(-1)
    first, second = torch.maximum(a, c), torch.maximum(g, t)
    return torch.where(first >= second, (c > a).long(), 2 + (t > g).long())


def one_hot(codes: torch.Tensor) -> torch.Tensor:
    """float32 (n, 4, L) from codes (n, L); N is 0.25 in each channel."""
    bases = torch.arange(4, device=codes.device)[None, :, None]
    return torch.where(codes[:, None] == N, 0.25, (codes[:, None] == bases).float())


def kl_divergence(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) in nats, elementwise (Kingma & Welling 2014, appendix B)."""
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)
