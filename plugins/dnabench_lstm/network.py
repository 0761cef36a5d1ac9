"""The network: embedded letters, LSTM layers, and the next base's logits."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

N = 4
START = 5
"""The letter before the first base."""
State = list[tuple[torch.Tensor, torch.Tensor]]
"""Of each layer the hidden and the cell state, (1, n, hidden) each."""


class Network(nn.Module):
    """Logits of every base given those before it: an LSTM (Hochreiter & Schmidhuber 1997) over embedded letters.

    Letters are A C G T, N, which is read but never predicted, and the start. The embeddings of the position, where
    there are any, and of every label are added to that of the letter.

    Args:
        length: positions that are embedded; 0 for none.
        labels: how many values each label column has.
    """

    def __init__(self, layers: int, hidden: int, embedding: int, length: int = 0, labels: Sequence[int] = ()) -> None:
        super().__init__()
        self.letter = nn.Embedding(START + 1, embedding)
        self.position = nn.Embedding(length, embedding) if length else None
        self.labels = nn.ModuleList(nn.Embedding(values, embedding) for values in labels)
        self.layers = nn.ModuleList(nn.LSTM(hidden if layer else embedding, hidden) for layer in range(layers))
        self.write = nn.Linear(hidden, N)

    def forward(self, codes: torch.Tensor, labels: torch.Tensor, keep: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Logits float32 (n, L, 4), those at position i given the bases before it.

        Args:
            codes: int64 (n, L), A C G T N = 0 1 2 3 4.
            labels: int64 (n, columns).
            keep: for every layer factors on its outputs (n, hidden), the same at all positions (variational dropout,
                Gal & Ghahramani 2016, arXiv 1512.05287); none where nothing is dropped.
        """
        before = F.pad(codes, (1, 0), value=START)[:, :-1].t()  # (L, n)
        h = self.letter(before) + self.constant(labels)
        if self.position is not None:
            h = h + self.position.weight[:, None]
        for number, layer in enumerate(self.layers):
            h, _ = layer(h)
            if keep:
                h = h * keep[number]
        logits: torch.Tensor = self.write(h).float()
        return logits.transpose(0, 1)

    def constant(self, labels: torch.Tensor) -> torch.Tensor:
        """What a sequence's labels (n, columns) add to each of its inputs: (n, embedding)."""
        total = self.letter.weight.new_zeros(len(labels), self.letter.embedding_dim)
        for number, column in enumerate(self.labels):
            total = total + column(labels[:, number])
        return total

    def loss(self, codes: torch.Tensor, labels: torch.Tensor, keep: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """Negative log-likelihood in nats per base of the batch; an N adds none. Arguments as in ``forward``."""
        logits = self(codes, labels, keep)
        nats = F.cross_entropy(logits.reshape(-1, N), codes.reshape(-1), ignore_index=N, reduction="sum")
        return nats / codes.numel()

    @torch.no_grad()
    def sample(self, labels: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
        """Bases int64 (n, L), one step of the recurrence each.

        Args:
            labels: int64 (n, columns).
            uniforms: float32 (L, n) from [0, 1): a base is the first whose running sum of probabilities exceeds it.
        """
        n = len(labels)
        constant, bases = self.constant(labels), torch.empty(uniforms.shape, dtype=torch.int64, device=labels.device)
        before = torch.full((n,), START, device=labels.device)
        zeros = constant.new_zeros(1, n, self.write.in_features)
        states: State = [(zeros, zeros)] * len(self.layers)
        for position, uniform in enumerate(uniforms):
            h = self.letter(before) + constant
            if self.position is not None:
                h = h + self.position.weight[position]
            h = h[None]
            for number, layer in enumerate(self.layers):
                h, states[number] = layer(h, states[number])
            a, c, g, _ = self.write(h[0]).softmax(1).unbind(1)
            # Comparing with sums: cumsum is not deterministic on CUDA.
            before = (uniform >= a).long() + (uniform >= a + c) + (uniform >= a + c + g)
            bases[position] = before
        return bases.t()
