"""The denoising U-Net over a short sequence of latent tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dnabench_discdiff.blocks import Block, Mixer
from dnabench_discdiff.conditions import LabelEmbedding

LEVELS = 3
"""At most this many resolutions; a level is left out where the number of tokens is odd."""


def time_features(t: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines of t (n,) at frequencies from 1 to 1e-4: float32 (n, width)."""
    frequencies = torch.exp(-math.log(1e4) * torch.arange(width // 2, device=t.device) / (width // 2))
    angles = t.float()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Stack(nn.ModuleList):
    """Blocks one after the other, under one condition."""

    def forward(self, h: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """(n, T, width) and (n, condition) -> (n, T, width)."""
        for block in self:
            h = block(h, condition)
        return h


class Denoiser(nn.Module):
    """Predicts noise or v: x_t (n, T, channels), t (n,), labels (n, columns) -> (n, T, channels) float32.

    On the way down two neighbouring tokens are merged into one by a linear map, on the way up they are split again and
    the skip connection of that level is added through another. Every block is modulated by the time step and the
    labels. Every token also gets the mean of all: what tokens share stands out of the noise there first.
    """

    def __init__(
        self,
        tokens: int,
        channels: int,
        width: int,
        blocks: int,
        mixer: Mixer = "attention",
        values: Sequence[int] = (),
    ) -> None:
        super().__init__()
        levels = 1
        while levels < LEVELS and tokens % 2**levels == 0:
            levels += 1
        widths = [width * (2 + level) // 2 for level in range(levels)]
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, 2 * width))
        self.tell = LabelEmbedding(values, 2 * width)
        self.read = nn.Linear(channels, width)
        self.whole = nn.Linear(channels, width)
        self.position = nn.Parameter(torch.zeros(tokens, width))

        def stack(size: int) -> Stack:
            return Stack(Block(size, condition=2 * width, mixer=mixer) for _ in range(blocks))

        self.down = nn.ModuleList(stack(size) for size in widths[:-1])
        self.merge = nn.ModuleList(nn.Linear(2 * a, b) for a, b in pairwise(widths))
        self.middle = stack(widths[-1])
        self.split = nn.ModuleList(nn.Linear(b, 2 * a) for a, b in pairwise(widths))
        self.skip = nn.ModuleList(nn.Linear(size, size) for size in widths[:-1])
        self.up = nn.ModuleList(stack(size) for size in widths[:-1])
        self.norm = nn.LayerNorm(width)
        self.write = nn.Linear(width, channels)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def forward(self, x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """See the class."""
        condition = F.silu(self.time(time_features(t, self.width)) + self.tell(labels))  # (n, 2 width)
        h = self.read(x) + self.whole(x.mean(1, keepdim=True)) + self.position  # (n, T, width)
        skips = []
        for blocks, merge in zip(self.down, self.merge, strict=True):
            h = blocks(h, condition)
            skips.append(h)
            n, tokens, width = h.shape
            h = merge(h.reshape(n, tokens // 2, 2 * width))
        h = self.middle(h, condition)
        for blocks, split, skip in zip(reversed(self.up), reversed(self.split), reversed(self.skip), strict=True):
            h = split(h).reshape(skips[-1].shape) + skip(skips.pop())
            h = blocks(h, condition)
        predicted: torch.Tensor = self.write(self.norm(h))
        return predicted.float()
