"""What turns per-base features of the latent into bases: an autoregressive head, or one that sees the latent alone."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dnabench_discdiff.chain import LETTERS, Chain, N

WORD = 5
"""Longest word of preceding bases with a row of its own in a table: 5^5 = 3,125 rows."""
WORD_CHANNELS = 32


class AutoregressiveHead(nn.Module):
    """p(base t | the ``context`` bases before it, latent features at t, t).

    Logits are those of Markov chains counted on the training set plus what a small MLP makes of the latent's features,
    the position and the preceding bases, read as words of up to WORD letters, each looked up in a table of its own.
    (With the last layer at 0 to begin with the latent is never put to use, see README.md.) Training is parallel over
    positions (teacher forcing). Sampling goes base by base for all sequences at once and keeps the last ``context``
    bases as its only state.
    """

    def __init__(self, length: int, features: int, context: int, width: int) -> None:
        super().__init__()
        self.context = context
        self.chain = Chain(length, context)
        self.words = [min(WORD, context - start) for start in range(0, context, WORD)]  # nearest word first
        self.tables = nn.ModuleList(nn.Embedding(LETTERS**size, WORD_CHANNELS) for size in self.words)
        self.position = nn.Parameter(torch.zeros(length, features))
        self.read = nn.Linear(features + WORD_CHANNELS * len(self.words), width)
        self.mix = nn.Linear(width, width)
        self.write = nn.Linear(width, 4)

    def forward(self, features: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Logits (n, L, 4) of every base of codes int64 (n, L), given those before it; features (n, L, features)."""
        before = F.pad(codes, (self.context, 0), value=N)[:, :-1]
        return self.logits(features + self.position, before, 0)

    def logits(self, features: torch.Tensor, before: torch.Tensor, first: int) -> torch.Tensor:
        """Logits (n, S, 4) at S consecutive positions.

        Args:
            features: (n, S, features), the position's embedding added.
            before: int64 (n, context + S - 1), all bases from ``context`` before the first position to the one before
                the last.
            first: the first position.
        """
        size = features.shape[1]
        read, last = [features], self.context
        for letters, table in zip(self.words, self.tables, strict=True):
            word = torch.zeros_like(before[:, :size])
            for back in range(1, letters + 1):
                word = word * LETTERS + before[:, last - back : last - back + size]
            read.append(table(word))
            last -= letters
        h = F.gelu(self.read(torch.cat(read, dim=-1)))  # (n, S, width)
        h = h + F.gelu(self.mix(h))
        logits: torch.Tensor = self.chain(before, first) + self.write(h)
        return logits

    def sample(self, features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Bases int64 (n, L) for features (n, L, features); ``generator`` draws on the CPU."""
        n, length, _ = features.shape
        uniform = torch.rand(n, length, generator=generator).to(features.device)
        features = features + self.position
        codes = torch.full((n, self.context + length), N, device=features.device)
        for t in range(length):
            logits = self.logits(features[:, t : t + 1], codes[:, t : t + self.context], t)[:, 0].float()  # (n, 4)
            a, c, g, _ = logits.softmax(-1).unbind(-1)
            u = uniform[:, t]  # compared with running sums by hand: cumsum is not deterministic on CUDA
            codes[:, self.context + t] = (u >= a).long() + (u >= a + c) + (u >= a + c + g)
        return codes[:, self.context :]


class ConvHead(nn.Module):
    """All bases at once from the latent's features, each the most probable one, as in the paper."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.read = nn.Conv1d(features, width, 5, padding=2)
        self.write = nn.Conv1d(width, 4, 5, padding=2)

    def forward(self, features: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        """Logits (n, L, 4) for features (n, L, features); the true bases are not looked at."""
        h = F.gelu(self.read(F.gelu(features).transpose(1, 2)))
        logits: torch.Tensor = self.write(h)
        return logits.transpose(1, 2)

    def sample(self, features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:  # noqa: ARG002
        """Bases int64 (n, L) for features (n, L, features)."""
        return self.forward(features, torch.empty(0)).argmax(-1)
