"""What the autoregressive decoder starts from: how often each base follows a word, counted on the training set."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

N = 4
LETTERS = 5
"""A C G T, and N, which also stands for what lies before the first base."""
TABLES = ((2, 1), (6, None), (4, 8), (6, 32))
"""Letters of the word and positions per bin (None: all) of every table, from what is sure to what is seldom seen."""
KIND_TABLES = ((1, None), (3, None), (5, None), (2, 8))
"""The same for those that are kept for every kind of sequence apart, where there are several."""
PRIOR = 100.0
"""Observations that the tables before count for where a table is filled."""
CHUNK = 1000
"""Sequences looked at at once while counting."""


class Chain(nn.Module):
    """Markov chains of several orders, whole-sequence and local, their log-ratios added up; counted, not trained.

    A table has a row of four logits for every word of preceding bases in every bin of positions, and where sequences
    are of several kinds, such as species, the last ones also for every kind. ``count`` fills one after the other, each
    with the log-ratio of what is seen to what the tables before it expect.
    """

    def __init__(self, length: int, context: int, kinds: int = 1) -> None:
        super().__init__()
        self.context = context
        shapes = [(*table, 1) for table in TABLES] + [(*table, kinds) for table in KIND_TABLES if kinds > 1]
        self.shapes = [(min(letters, context), positions or length, apart) for letters, positions, apart in shapes]
        self.bins = [-(-length // positions) for _, positions, _ in self.shapes]
        for which, (letters, _, apart) in enumerate(self.shapes):
            self.register_buffer(f"table{which}", torch.zeros(apart * self.bins[which] * LETTERS**letters, 4))

    @property
    def tables(self) -> list[torch.Tensor]:
        """All tables, float32 (bins x words, 4) each."""
        return [self.get_buffer(f"table{which}") for which in range(len(self.shapes))]

    def forward(self, before: torch.Tensor, first: int, kind: torch.Tensor) -> torch.Tensor:
        """Logits (n, S, 4) at the S positions from ``first`` on.

        before: int64 (n, context + S - 1); kind: int64 (n,), below ``kinds``.
        """
        first_row, *rows = self.rows(before, first, kind)
        logits = F.embedding(first_row, self.tables[0])
        for row, table in zip(rows, self.tables[1:], strict=True):
            logits = logits + F.embedding(row, table)
        return logits

    def rows(self, before: torch.Tensor, first: int, kind: torch.Tensor) -> list[torch.Tensor]:
        """The row of each table, (n, S), that is looked up at the S positions from ``first`` on."""
        size = before.shape[1] - self.context + 1
        words = [torch.zeros_like(before[:, :size])]  # of 0, 1, 2, ... letters; the nearest is the leading digit
        for back in range(1, max(letters for letters, _, _ in self.shapes) + 1):
            words.append(words[-1] * LETTERS + before[:, self.context - back : self.context - back + size])
        position = torch.arange(first, first + size, device=before.device)
        rows = []
        for bins, (letters, positions, apart) in zip(self.bins, self.shapes, strict=True):
            where = position // positions
            if apart > 1:
                where = where + kind[:, None] * bins
            rows.append(words[letters] + where * LETTERS**letters)
        return rows

    def count(self, codes: torch.Tensor, kind: torch.Tensor) -> None:
        """Fill the tables, on the CPU, from codes uint8 (n, L) of kinds int64 (n,); an N counts as context alone."""
        for last, table in enumerate(self.tables):
            table.zero_()
            seen, expected = torch.zeros(2, *table.shape, dtype=torch.float64)
            for chunk, kinds in zip(torch.split(codes, CHUNK), torch.split(kind, CHUNK), strict=True):
                base = chunk.long()
                before = F.pad(base, (self.context, 0), value=N)[:, :-1]
                known = base != N
                row = self.rows(before, 0, kinds)[last][known]
                p = self(before, 0, kinds)[known].exp()  # (bases of the chunk, 4)
                p /= p.sum(1, keepdim=True)  # softmax is slow on four numbers
                seen += torch.bincount(row * 4 + base[known], minlength=table.numel()).view(-1, 4)
                expected.index_add_(0, row, p.double())
            n = seen.sum(1, keepdim=True)
            expected = torch.where(n > 0, expected / n.clamp_min(1), 0.25)
            table.copy_(((seen + PRIOR * expected) / (n + PRIOR) / expected).log())
