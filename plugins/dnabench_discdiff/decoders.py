"""What turns the latent's tokens into bases: an autoregressive head, or one that sees the latent alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dnabench_discdiff.chain import LETTERS, Chain, N
from dnabench_discdiff.options import PATCH

FEATURES = 32
"""Channels that a base's inputs are embedded in."""
CONTEXT = 6
"""Preceding bases that the chains see."""
LAYERS = 2
"""Of the LSTM."""


def _as_drawn(t: int, p: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    return drawn


class AutoregressiveHead(nn.Module):
    """p(base t | all bases before it, latent token at t, t).

    Logits are those of Markov chains counted on the training set plus those of an LSTM (Hochreiter & Schmidhuber 1997)
    over the sum of three embeddings: of the base before, the position and the latent's token. (With its last layer at 0
    to begin with the latent is never put to use, see README.md.) Sampling goes base by base for all sequences at once;
    its state is the LSTM's and the last CONTEXT bases.

    Args:
        length: positions that are embedded.
        width: channels of the latent's tokens, one per 16 bases.
        hidden: units of each of the LSTM's layers.
        kinds: kinds of sequences that have chains of their own.
    """

    def __init__(self, length: int, width: int, hidden: int, kinds: int = 1) -> None:
        super().__init__()
        self.chain = Chain(length, CONTEXT, kinds)
        self.letter = nn.Embedding(LETTERS, FEATURES)
        self.position = nn.Embedding(length, FEATURES)
        self.read = nn.Linear(width, FEATURES)
        self.lstm = nn.LSTM(FEATURES, hidden, LAYERS)
        self.write = nn.Linear(hidden, 4)

    def forward(self, tokens: torch.Tensor, codes: torch.Tensor, kind: torch.Tensor) -> torch.Tensor:
        """Logits (n, L, 4) of every base of codes int64 (n, L), given those before it.

        tokens: (n, T, width), T >= L / 16; kind: int64 (n,), which of the chain's kinds a sequence is of.
        """
        before = F.pad(codes, (CONTEXT, 0), value=N)[:, :-1]
        h = self._given(tokens) + self.letter(before[:, CONTEXT - 1 :])
        h, _ = self.lstm(h.transpose(0, 1))
        logits: torch.Tensor = self.write(h).transpose(0, 1) + self.chain(before, 0, kind)
        return logits

    def sample(
        self,
        tokens: torch.Tensor,
        kind: torch.Tensor,
        generator: torch.Generator,
        length: int,
        choose: Callable[[int, torch.Tensor, torch.Tensor], torch.Tensor] = _as_drawn,
    ) -> torch.Tensor:
        """The first ``length`` bases, int64 (n, length); ``generator`` draws on the CPU.

        ``choose(t, p, drawn)`` has the last word on base t, int64 (n,), given its probabilities (n, 4) and the base
        that was drawn from them.
        """
        n, device = len(tokens), tokens.device
        uniform = torch.rand(n, length, generator=generator).to(device)
        given = self._given(tokens)
        codes = torch.full((n, CONTEXT + length), N, device=device)
        zeros = given.new_zeros(LAYERS, n, self.lstm.hidden_size)
        state = (zeros, zeros)
        for t in range(length):
            before = codes[:, t : t + CONTEXT]
            h, state = self.lstm((given[:, t] + self.letter(before[:, -1]))[None], state)
            p = (self.write(h[0]) + self.chain(before, t, kind)[:, 0]).float().softmax(-1)  # (n, 4)
            a, c, g, _ = p.unbind(-1)
            u = uniform[:, t]  # compared with running sums by hand: cumsum is not deterministic on CUDA
            codes[:, CONTEXT + t] = choose(t, p, (u >= a).long() + (u >= a + c) + (u >= a + c + g))
        return codes[:, CONTEXT:]

    def _given(self, tokens: torch.Tensor) -> torch.Tensor:
        """What position and latent add to the LSTM's inputs: (n, L, FEATURES)."""
        read: torch.Tensor = self.read(tokens)
        return self.position.weight + read.repeat_interleave(PATCH, 1)[:, : self.position.num_embeddings]


class ConvHead(nn.Module):
    """All bases at once from the latent's tokens, as in the paper: two transposed convolutions, then two plain ones."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.ConvTranspose1d(width, FEATURES, 8, stride=4, padding=2)
        self.refine = nn.ConvTranspose1d(FEATURES, FEATURES, 8, stride=4, padding=2)
        self.read = nn.Conv1d(FEATURES, hidden, 5, padding=2)
        self.write = nn.Conv1d(hidden, 4, 5, padding=2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits (n, L, 4) for tokens (n, L / 16, width)."""
        h = F.gelu(self.expand(tokens.transpose(1, 2)))  # (n, FEATURES, L / 4)
        h = F.gelu(self.read(F.gelu(self.refine(h))))  # (n, hidden, L)
        logits: torch.Tensor = self.write(h)
        return logits.transpose(1, 2)
