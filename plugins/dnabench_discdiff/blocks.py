"""The block that encoder, decoder and denoiser share: what mixes a short sequence of tokens, then an MLP."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

Mixer = Literal["attention", "conv", "multi-scale"]
HEAD = 32
"""Channels per attention head, or more where the width asks for it."""
KERNELS = {"conv": (7,), "multi-scale": (3, 7, 15)}
"""Widths of the convolutions, in tokens."""


class Attention(nn.Module):
    """Multi-head self-attention, (n, T, width) -> (n, T, width).

    Written out because T is small: two batched products are faster here than the fused kernels, whose CUDA backward
    passes are not deterministic.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = next(heads for heads in range(max(1, width // HEAD), 0, -1) if width % heads == 0)
        self.to_qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        n, T, width = x.shape
        q, k, v = self.to_qkv(x).view(n, T, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5).softmax(-1)  # (n, heads, T, T)
        mixed: torch.Tensor = self.project((weights.to(v.dtype) @ v).transpose(1, 2).reshape(n, T, width))
        return mixed


class Convolution(nn.Module):
    """Depthwise convolutions over tokens, (n, T, width) -> (n, T, width), then a linear map.

    With one kernel width the block around it is ConvNeXt's (Liu et al. 2022, arXiv 2201.03545); with several, each sees
    an equal share of the channels.
    """

    def __init__(self, width: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        share = width // len(kernels)
        self.sizes = [share] * (len(kernels) - 1) + [width - share * (len(kernels) - 1)]
        self.depthwise = nn.ModuleList(
            nn.Conv1d(size, size, kernel, padding=kernel // 2, groups=size)
            for size, kernel in zip(self.sizes, kernels, strict=True)
        )
        self.project = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        parts = torch.split(x.transpose(1, 2), self.sizes, dim=1)
        seen = torch.cat([conv(part) for conv, part in zip(self.depthwise, parts, strict=True)], dim=1)
        mixed: torch.Tensor = self.project(seen.transpose(1, 2))
        return mixed


class Block(nn.Module):
    """A pre-norm residual block (n, T, width) -> (n, T, width), identity at initialisation: ``mixer``, then an MLP.

    Where it is given a condition (n, condition), shifts, scales and gates of both branches are linear in it
    (adaLN-Zero, Peebles & Xie 2023, arXiv 2212.09748).
    """

    def __init__(self, width: int, condition: int = 0, mixer: Mixer = "attention", expansion: int = 3) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, elementwise_affine=not condition)
        self.mix = Attention(width) if mixer == "attention" else Convolution(width, KERNELS[mixer])
        self.norm2 = nn.LayerNorm(width, elementwise_affine=not condition)
        contract = nn.Linear(expansion * width, width)
        self.mlp = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), contract)
        self.modulation = nn.Linear(condition, 6 * width) if condition else None
        for last in (self.modulation,) if self.modulation is not None else (self.mix.project, contract):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None = None) -> torch.Tensor:
        """See the class."""
        if self.modulation is None:
            x = x + self.mix(self.norm1(x))
            return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(condition)[:, None].chunk(6, dim=-1)
        x = x + gate1 * self.mix(self.norm1(x) * (1 + scale1) + shift1)
        return x + gate2 * self.mlp(self.norm2(x) * (1 + scale2) + shift2)  # type: ignore[no-any-return]
