"""A small convolutional network on the bases themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from dnabench_metrics.classifier.words import Sample

BATCH = 64
#: Held-out sequences that are scored at a time.
SCORED = 1024
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 0.2
#: Parts of a sequence that the last layer tells apart, at most.
PLACES = 32


class SmallNetwork(nn.Module):
    """Motifs of 7 bp, motifs of these, and a weight for each of them in each of 32 parts of the sequence."""

    def __init__(self, length: int, channels: int = 32) -> None:
        super().__init__()
        pooled = -(-length // 4)
        width = -(-pooled // PLACES)
        self.layers = nn.Sequential(
            nn.Conv1d(4, channels, 7, padding=3),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.MaxPool1d(4, ceil_mode=True),
            nn.Conv1d(channels, channels, 5, padding=2),
            nn.BatchNorm1d(channels),
            nn.ReLU(),
            nn.AvgPool1d(width, ceil_mode=True),
            nn.Flatten(),
            nn.Linear(channels * -(-pooled // width), 1),
        )

    def forward(self, one_hot: Tensor) -> Tensor:
        """Log-odds, shape ``(batch,)``, of one-hot sequences of shape ``(batch, 4, length)``."""
        odds: Tensor = self.layers(one_hot)[:, 0]
        return odds


def network_scores(training: Sample, held_out: Sample, *, epochs: int, seed: int, device: str) -> np.ndarray:
    """The log-odds that each held-out sequence is a generated one: float64, shape ``(n,)``.

    Adam with a learning rate that falls to 0 over a fixed number of epochs; the held-out sequences decide nothing. The
    seed means the same initial weights and batches on every device.
    """
    table = torch.cat([torch.eye(4), torch.full((1, 4), 0.25)]).to(device)  # a row per code; N is 0.25 in each
    codes = torch.from_numpy(training.codes.copy()).to(device)
    labels = torch.from_numpy(training.generated.astype(np.float32)).to(device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallNetwork(codes.shape[1]).to(device)
    adam = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = -(-len(codes) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, epochs * batches)
    loss_of = nn.BCEWithLogitsLoss()
    random = torch.Generator("cpu").manual_seed(seed)
    for _ in range(epochs):
        for rows in torch.randperm(len(codes), generator=random).to(device).split(BATCH):  # type: ignore[no-untyped-call]
            loss = loss_of(network(_one_hot(codes[rows], table)), labels[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()
    network.eval()
    with torch.no_grad():
        scores = [
            network(_one_hot(torch.from_numpy(part.copy()).to(device), table)).double().cpu()
            for part in np.split(held_out.codes, range(SCORED, len(held_out.codes), SCORED))
        ]
    return torch.cat(scores).numpy()


def _one_hot(codes: Tensor, table: Tensor) -> Tensor:
    return table[codes.long()].transpose(1, 2).contiguous()
