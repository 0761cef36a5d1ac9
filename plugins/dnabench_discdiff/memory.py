"""What an autoregressive decoder remembers of all preceding bases: sums that fade at several rates."""

from __future__ import annotations

import torch
from torch import nn

LETTERS = 5
"""A C G T, and N, which also stands for what lies before the first base."""
WORD = 3
"""Letters of the words that are summed: 5^3 = 125 rows."""
HALF_LIVES = (4, 16, 64, 256)
"""Bases after which a word counts half: from what the fixed context still sees in full to the whole sequence."""
CHANNELS = 16
"""Numbers per half-life."""
BLOCK = 64
"""Positions that are summed in one matrix product; a longer sequence goes block by block."""


class FadingMemory(nn.Module):
    """For each half-life tau: ``h_t = g sum over s <= t of 2^(-(t - s) / tau) e(word at s)``, g for unit variance.

    A linear recurrence with fixed rates (a diagonal state space layer, Gu et al. 2022, arXiv 2206.11893): parallel over
    positions in training, a state of a few numbers in sampling. From it the layers after it read composition so far,
    and how long ago an element was seen, for the price of one matrix product.
    """

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(LETTERS**WORD, len(HALF_LIVES) * CHANNELS)
        keep = 0.5 ** (1 / torch.tensor(HALF_LIVES, dtype=torch.float64))
        steps = torch.arange(BLOCK)
        ago = steps[:, None] - steps[None]
        within = torch.where(ago >= 0, keep[:, None, None] ** ago.clamp_min(0), 0.0)  # (rates, BLOCK, BLOCK)
        gain = (1 - keep**2).sqrt()  # independent words of variance 1 then sum to variance 1
        self.keep: torch.Tensor
        self.gain: torch.Tensor
        self.within: torch.Tensor
        self.carry: torch.Tensor
        self.register_buffer("keep", keep.float(), persistent=False)
        self.register_buffer("gain", gain.float(), persistent=False)
        self.register_buffer("within", (gain[:, None, None] * within).float(), persistent=False)
        self.register_buffer("carry", (keep[:, None] ** (steps + 1)).float(), persistent=False)  # (rates, BLOCK)

    @property
    def channels(self) -> int:
        """Numbers per position."""
        return len(HALF_LIVES) * CHANNELS

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """float32 (n, L, channels) for words int64 (n, L), each that of the bases up to and with its position."""
        n, length = words.shape
        e = self.table(words).view(n, length, len(HALF_LIVES), CHANNELS).transpose(1, 2)  # (n, rates, L, CHANNELS)
        state, parts = e.new_zeros(n, len(HALF_LIVES), CHANNELS), []
        for block in e.split(BLOCK, dim=2):
            size = block.shape[2]
            part = self.within[:, :size, :size] @ block + self.carry[:, :size, None] * state[:, :, None]
            parts.append(part)
            state = part[:, :, -1]
        return torch.cat(parts, dim=2).transpose(1, 2).reshape(n, length, self.channels)

    def step(self, state: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        """The next state (n, channels) from the one before and words int64 (n,)."""
        e = self.table(words).view(-1, len(HALF_LIVES), CHANNELS)
        before = state.view(-1, len(HALF_LIVES), CHANNELS)
        after: torch.Tensor = self.keep[:, None] * before + self.gain[:, None] * e
        return after.reshape(state.shape)
