"""What the networks are told of a sequence's labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn


class LabelEmbedding(nn.Module):
    """Label codes int64 (n, columns) -> the sum of a vector for each column, (n, width); 0 at initialisation.

    A column of k values has k + 1 vectors: the last, code k, is for "not told" (Ho & Salimans 2022, arXiv 2207.12598).
    """

    def __init__(self, values: Sequence[int], width: int) -> None:
        super().__init__()
        self.width = width
        self.tables = nn.ModuleList(nn.Embedding(size + 1, width) for size in values)
        for weight in self.parameters():
            nn.init.zeros_(weight)

    def forward(self, labels: torch.Tensor) -> torch.Tensor:
        """See the class."""
        told = torch.zeros(len(labels), self.width, device=labels.device)
        for column, table in enumerate(self.tables):
            told = told + table(labels[:, column])
        return told


def kind_of(labels: torch.Tensor, values: Sequence[int]) -> torch.Tensor:
    """One number int64 (n,) for each combination of labels int64 (n, columns), below the product of ``values``."""
    kind = torch.zeros(len(labels), dtype=torch.int64, device=labels.device)
    for column, size in enumerate(values):
        kind = kind * size + labels[:, column]
    return kind


def kinds(values: Sequence[int]) -> int:
    """How many combinations of labels there are; 1 where there are no columns."""
    return math.prod(values)


def not_told(values: Sequence[int], n: int, device: torch.device | str) -> torch.Tensor:
    """Labels int64 (n, columns) that say nothing."""
    return torch.tensor(values, dtype=torch.int64, device=device).expand(n, len(values))
