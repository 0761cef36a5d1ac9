"""Stage 1 as released with Li et al. 2023 (arXiv 2310.06150): 1-D convolutions, then 2-D ones over their features.

With the released sizes the network has 454,785 parameters for 2,048 bp, 129,857 for 256 bp.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn

from dnabench import UserError
from dnabench_discdiff.autoencoder import Stage1, most_probable, one_hot

ROWS = 128
"""Largest height of the image: every halving of the sequence until it fits is one more 1-D stage."""
WIDTHS = (64, 128)
"""Channels of the first and the last 1-D stage; the last ones are the columns of the image."""
IMAGE_WIDTHS = (8, 16, 32)
"""Channels after each 2-D convolution, all of stride 2."""
LATENT_CHANNELS = 16


def padded_length(length: int) -> int:
    """The shortest length, in bp and at least ``length``, that both released networks take: a power of two from 128 on.

    The image must be halved three times by the autoencoder and three times by the U-Net, so it has 64 or 128 rows.
    """
    return max(ROWS, 1 << (length - 1).bit_length())


def stage_widths(halvings: int) -> list[int]:
    """Channels after the first stage and after each of the ``halvings`` others: even numbers, evenly spaced in log."""
    first, last = WIDTHS
    ratio = (last / first) ** (1 / halvings)
    return [2 * round(first * ratio**stage / 2) for stage in range(halvings + 1)]


class ReleasedAutoencoder(Stage1):
    """Encoder, latent and decoder for sequences of ``length`` bp.

    BatchNorm normalises by the batch in train mode and by running means in eval mode. The release encodes its training
    latents in train mode and decodes in eval mode; ``encode`` works in both, and in train mode a latent depends on the
    sequences beside it and the running means move.

    As in the release an N, which is what shorter sequences are padded with, is learned as a quarter of each base.

    A length that is not its own ``padded_length`` is a UserError.
    """

    learns_n: ClassVar[bool] = True

    def __init__(self, length: int) -> None:
        super().__init__()
        if length != padded_length(length):
            raise UserError(
                f"discdiff's released autoencoder takes sequences of {padded_length(length)} bp, not of {length} bp: "
                "pad them with N"
            )
        halvings = max(1, (length // ROWS).bit_length() - 1)
        stages = stage_widths(halvings)
        self.latent_shape = (LATENT_CHANNELS, (length >> halvings) // 8, stages[-1] // 8)
        self.sequence_encoder = SequenceEncoder(stages)
        self.image_encoder = nn.Sequential(
            *(ImageStage(nn.Conv2d(a, b, 3, stride=2, padding=1)) for a, b in pairwise((1, *IMAGE_WIDTHS))),
            nn.Conv2d(IMAGE_WIDTHS[-1], 2 * LATENT_CHANNELS, 1),
        )
        back = (*reversed(IMAGE_WIDTHS), IMAGE_WIDTHS[0])
        self.image_decoder = nn.Sequential(
            nn.Conv2d(LATENT_CHANNELS, IMAGE_WIDTHS[-1], 1),
            *(
                ImageStage(nn.ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=1))
                for a, b in pairwise(back)
            ),
            nn.Conv2d(IMAGE_WIDTHS[0], 1, 3, padding=1),
            nn.Tanh(),
        )
        self.sequence_decoder = SequenceDecoder(stages)
        self.apply(initialise)

    def encode(self, codes: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # noqa: ARG002
        """Mean and log-variance of the latent, float32 (n, 16, rows / 8, 16) each; the release knows no labels.

        Channels are in A C G T order, where the release has A T G C: the first layer's weights are learned, and no
        order is nearer to its initialisation than another.
        """
        features = self.sequence_encoder(one_hot(codes))  # (n, columns, rows)
        image = features.transpose(1, 2)[:, None]  # (n, 1, rows, columns)
        mean, log_variance = self.image_encoder(image).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-30, 20)

    def logits(
        self,
        z: torch.Tensor,
        codes: torch.Tensor,  # noqa: ARG002
        labels: torch.Tensor,  # noqa: ARG002
    ) -> torch.Tensor:
        """Logits float32 (n, L, 4) of all bases, from latents (n, 16, rows / 8, 16) alone."""
        return self._logits(z)

    def decode(
        self,
        z: torch.Tensor,
        labels: torch.Tensor,  # noqa: ARG002
        generator: torch.Generator,  # noqa: ARG002
        length: int,
    ) -> torch.Tensor:
        """The most probable bases, int64 (n, length); nothing is drawn."""
        return most_probable(self._logits(z)[:, :length])

    def _logits(self, z: torch.Tensor) -> torch.Tensor:
        features = self.image_decoder(z)[:, 0].transpose(1, 2)  # (n, columns, rows)
        logits: torch.Tensor = self.sequence_decoder(features).transpose(1, 2)
        return logits.float()


class PreActivated(nn.Sequential):
    """Normalise every channel of a sequence by itself, GELU, ``conv``: (n, channels in, L) -> (n, channels out, L)."""

    def __init__(self, conv: nn.Conv1d | nn.ConvTranspose1d) -> None:
        super().__init__(nn.GroupNorm(conv.in_channels, conv.in_channels), nn.GELU(), conv)


class SequenceStage(nn.Module):
    """A convolution, then a residual one that looks at single positions."""

    def __init__(self, conv: nn.Conv1d | nn.ConvTranspose1d) -> None:
        super().__init__()
        self.conv = PreActivated(conv)
        self.residual = PreActivated(nn.Conv1d(conv.out_channels, conv.out_channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, channels in, L) -> (n, channels out, L)."""
        x = self.conv(x)
        return x + self.residual(x)  # type: ignore[no-any-return]


class SequenceEncoder(nn.Sequential):
    """One-hot DNA (n, 4, L) -> (n, widths[-1], L / 2^(len(widths) - 1))."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__(SequenceStage(nn.Conv1d(4, widths[0], 15, padding=7)))
        for a, b in pairwise(widths):
            self.append(SequenceStage(nn.Conv1d(a, b, 5, padding=2)))
            self.append(nn.MaxPool1d(2))


class SequenceDecoder(nn.Sequential):
    """The way back of ``SequenceEncoder``, to logits (n, 4, L)."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        back = widths[::-1]
        for a, b in pairwise(back):
            self.append(nn.Upsample(scale_factor=2, mode="nearest"))
            self.append(SequenceStage(nn.ConvTranspose1d(a, b, 5, padding=2)))
        self.append(SequenceStage(nn.Conv1d(widths[0], 4, 15, padding=7)))


class ImageStage(nn.Sequential):
    """``conv``, BatchNorm, LeakyReLU: (n, channels in, H, W) -> (n, channels out, H / 2 or 2 H, W / 2 or 2 W)."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__(conv, nn.BatchNorm2d(conv.out_channels), nn.LeakyReLU(0.01))


def initialise(module: nn.Module) -> None:
    """Weights of 1-D convolutions from N(0, sqrt(2 / (kernel x channels out))); all else as PyTorch does it."""
    if isinstance(module, nn.Conv1d):
        nn.init.normal_(module.weight, std=math.sqrt(2 / (module.kernel_size[0] * module.out_channels)))
