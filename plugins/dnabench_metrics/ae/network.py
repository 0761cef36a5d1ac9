"""The autoencoder behind the embedder `ae`: one-hot DNA to a code per 4 bp and back."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

#: Bases per code position.
STRIDE = 4
#: Equal position bins that the codes are averaged in to make features.
BINS = 8


class Residual(nn.Module):
    """Pre-activation residual block; shape ``(n, width, positions)`` is kept."""

    def __init__(self, width: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add what a convolution and a mixing layer see."""
        seen: torch.Tensor = self.mix(functional.relu(self.conv(functional.relu(x))))
        return x + seen


class Encoder(nn.Module):
    """One-hot DNA ``(n, 4, length)`` to codes ``(n, channels, length // 4)``.

    A code sees 12 bp by itself and 60 bp around it through the residual blocks.
    """

    def __init__(self, *, width: int, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(4, width, 3 * STRIDE, stride=STRIDE, padding=STRIDE)
        self.body = nn.Sequential(Residual(width, 5), Residual(width, 5, dilation=2))
        self.code = nn.Conv1d(width, channels, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        """The codes after their activation: it is what makes an average over positions tell more than composition."""
        return functional.gelu(self.code(functional.relu(self.body(self.stem(one_hot)))))


def pool(codes: torch.Tensor, bins: int = BINS) -> torch.Tensor:
    """Mean code in each of equal position bins: ``(n, channels, positions)`` to ``(n, channels * bins)``."""
    return functional.adaptive_avg_pool1d(codes, bins).flatten(1)


class Decoder(nn.Module):
    """Codes ``(n, channels, positions)`` to logits ``(n, 4 * positions, 4)``: every base on its own row."""

    def __init__(self, *, width: int, channels: int) -> None:
        super().__init__()
        self.open = nn.Conv1d(channels, width, 3, padding=1)
        self.body = Residual(width, 3)
        self.bases = nn.Conv1d(width, 4 * STRIDE, 1)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Logits of A C G T."""
        logits: torch.Tensor = self.bases(functional.relu(self.body(self.open(codes))))
        n, _, positions = logits.shape
        return logits.view(n, STRIDE, 4, positions).permute(0, 3, 1, 2).reshape(n, positions * STRIDE, 4)
