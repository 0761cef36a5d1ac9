"""The networks behind the embedder `ae`: one-hot DNA to codes and back, and what is read off the pooled codes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

#: Bases per code position.
STRIDE = 4
#: Equal position bins that the codes, and the finer signals, are averaged in.
CODE_BINS, SIGNAL_BINS = 8, 16


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
    """One-hot DNA ``(n, 4, length)`` to codes, pooled activations and readings.

    A code or signal sees 12 bp by itself and 60 bp around it through the residual blocks. Codes are what the decoder
    restores the sequence from. Signals are free to become what the readings need: the readings say how much of which
    damage (see :mod:`dnabench_metrics.ae.corruption`) a sequence carries.
    """

    def __init__(self, *, width: int, codes: int, signals: int, hidden: int, readings: int) -> None:
        super().__init__()
        self.stem = nn.Conv1d(4, width, 3 * STRIDE, stride=STRIDE, padding=STRIDE)
        self.body = nn.Sequential(Residual(width, 5), Residual(width, 5, dilation=2))
        self.code = nn.Conv1d(width, codes, 1)
        self.signal = nn.Conv1d(width, signals, 1)
        pooled = codes * CODE_BINS + signals * SIGNAL_BINS
        self.read = nn.Sequential(nn.Linear(pooled, hidden), nn.GELU(), nn.Linear(hidden, readings))

    def forward(self, one_hot: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Codes ``(n, codes, length // 4)``, pooled activations ``(n, pooled)`` and readings ``(n, readings)``.

        What is averaged has been activated: an average of plain latents is linear in them and tells composition alone.
        """
        seen = functional.relu(self.body(self.stem(one_hot)))
        codes, signals = functional.gelu(self.code(seen)), functional.gelu(self.signal(seen))
        pooled = torch.cat([_pool(codes, CODE_BINS), _pool(signals, SIGNAL_BINS)], dim=1)
        return codes, pooled, self.read(pooled)


def _pool(x: torch.Tensor, bins: int) -> torch.Tensor:
    """Mean in each of equal position bins: ``(n, channels, positions)`` to ``(n, channels * bins)``."""
    return functional.adaptive_avg_pool1d(x, bins).flatten(1)


class Decoder(nn.Module):
    """Codes ``(n, codes, positions)`` to logits ``(n, 4 * positions, 4)``: every base on its own row."""

    def __init__(self, *, width: int, codes: int) -> None:
        super().__init__()
        self.open = nn.Conv1d(codes, width, 3, padding=1)
        self.body = Residual(width, 3)
        self.bases = nn.Conv1d(width, 4 * STRIDE, 1)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """Logits of A C G T."""
        logits: torch.Tensor = self.bases(functional.relu(self.body(self.open(codes))))
        n, _, positions = logits.shape
        return logits.view(n, STRIDE, 4, positions).permute(0, 3, 1, 2).reshape(n, positions * STRIDE, 4)
