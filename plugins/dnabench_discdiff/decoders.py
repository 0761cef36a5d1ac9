"""What turns per-base features of the latent into bases: an autoregressive head, or one that sees the latent alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dnabench_discdiff.chain import LETTERS, Chain, N
from dnabench_discdiff.memory import WORD as REMEMBERED
from dnabench_discdiff.memory import FadingMemory

WORD = 5
"""Longest word of preceding bases with a row of its own in a table: 5^5 = 3,125 rows."""
WORD_CHANNELS = 32


def _as_drawn(t: int, p: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    return drawn


class AutoregressiveHead(nn.Module):
    """p(base t | the ``context`` bases before it, latent features at t, t).

    Logits are those of Markov chains counted on the training set plus what a small MLP makes of the latent's features,
    the position, the preceding bases, read as words of up to WORD letters, each looked up in a table of its own, and a
    memory of all bases before them that fades (see :class:`FadingMemory`). (With the last layer at 0 to begin with the
    latent is never put to use, see README.md.) Training is parallel over positions (teacher forcing). Sampling goes
    base by base for all sequences at once; its state is the last ``context`` bases and the memory.
    """

    def __init__(self, length: int, features: int, context: int, width: int, kinds: int = 1) -> None:
        super().__init__()
        self.context = context
        self.chain = Chain(length, context, kinds)
        self.words = [min(WORD, context - start) for start in range(0, context, WORD)]  # nearest word first
        self.tables = nn.ModuleList(nn.Embedding(LETTERS**size, WORD_CHANNELS) for size in self.words)
        self.position = nn.Parameter(torch.zeros(length, features))
        self.memory = FadingMemory()
        self.read = nn.Linear(features + WORD_CHANNELS * len(self.words) + self.memory.channels, width)
        self.mix = nn.Linear(width, width)
        self.write = nn.Linear(width, 4)

    def forward(self, features: torch.Tensor, codes: torch.Tensor, kind: torch.Tensor) -> torch.Tensor:
        """Logits (n, L, 4) of every base of codes int64 (n, L), given those before it.

        features: (n, L, features); kind: int64 (n,), which of the chain's kinds a sequence is of.
        """
        before = F.pad(codes, (self.context, 0), value=N)[:, :-1]
        memory = self.memory(last_word(before, REMEMBERED, codes.shape[1]))
        return self.logits(features + self.position, before, memory, self.chain(before, 0, kind))

    def logits(
        self, features: torch.Tensor, before: torch.Tensor, memory: torch.Tensor, chain: torch.Tensor
    ) -> torch.Tensor:
        """Logits (n, S, 4) at S consecutive positions.

        Args:
            features: (n, S, features), the position's embedding added.
            before: int64 (n, context + S - 1), all bases from ``context`` before the first position to the one before
                the last.
            memory: (n, S, channels), what is remembered of all bases before each position.
            chain: (n, S, 4), the chain's logits there.
        """
        size = features.shape[1]
        read, last = [features, memory], self.context
        for letters, table in zip(self.words, self.tables, strict=True):
            read.append(table(last_word(before[:, : last + size - 1], letters, size)))
            last -= letters
        h = F.gelu(self.read(torch.cat(read, dim=-1)))  # (n, S, width)
        h = h + F.gelu(self.mix(h))
        logits: torch.Tensor = chain + self.write(h)
        return logits

    def sample(
        self,
        features: torch.Tensor,
        kind: torch.Tensor,
        generator: torch.Generator,
        length: int,
        choose: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor] = _as_drawn,
    ) -> torch.Tensor:
        """Bases int64 (n, length) for features (n, L, features); ``generator`` draws on the CPU.

        ``choose(t, p, drawn)`` has the last word on base t, int64 (n,), given its probabilities (n, 4) and the base
        that was drawn from them.
        """
        n = len(features)
        uniform = torch.rand(n, length, generator=generator).to(features.device)
        features = features + self.position
        codes = torch.full((n, self.context + length), N, device=features.device)
        memory = torch.zeros(n, self.memory.channels, device=features.device)
        for t in range(length):
            before = codes[:, t : t + self.context]
            memory = self.memory.step(memory, last_word(before, REMEMBERED, 1)[:, 0])
            chain = self.chain(before, t, kind)
            p = self.logits(features[:, t : t + 1], before, memory[:, None], chain)[:, 0].float().softmax(-1)  # (n, 4)
            a, c, g, _ = p.unbind(-1)
            u = uniform[:, t]  # compared with running sums by hand: cumsum is not deterministic on CUDA
            codes[:, self.context + t] = choose(t, p, (u >= a).long() + (u >= a + c) + (u >= a + c + g))
        return codes[:, self.context :]


def last_word(before: torch.Tensor, letters: int, size: int) -> torch.Tensor:
    """The words of the last ``letters`` bases of each of ``size`` windows that end at the end of before (n, ...).

    int64 (n, size), the last base the leading digit.
    """
    word = torch.zeros_like(before[:, :size])
    end = before.shape[1] - size + 1
    for back in range(1, letters + 1):
        word = word * LETTERS + before[:, end - back : end - back + size]
    return word


class ConvHead(nn.Module):
    """All bases at once from the latent's features, as in the paper."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.read = nn.Conv1d(features, width, 5, padding=2)
        self.write = nn.Conv1d(width, 4, 5, padding=2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (n, L, 4) for features (n, L, features)."""
        h = F.gelu(self.read(F.gelu(features).transpose(1, 2)))
        logits: torch.Tensor = self.write(h)
        return logits.transpose(1, 2)
