"""Predictions along sequences that are longer than what a network reads: the same network on windows side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from dnabench_metrics.oracles.inference import predict

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.oracles.inference import Network
    from dnabench_metrics.records.oracles import Strands

#: Windows and sequences of each side, at most: a mean is then known to a tenth of the spread between sequences.
MOST_WINDOWS = 32
MOST_SEQUENCES = 128
#: Windows, at most, of a network that reads every window anew.
MOST_SINGLE_WINDOWS = 12
#: Sequences of a forward pass, which also holds what the network makes of them.
_BATCH = 64


def window_starts(network: Network, length: int) -> np.ndarray:
    """First bases of the windows, evenly spread from end to end: int64; none where a network reads whole sequences."""
    if network.length is None or length <= network.length:
        return np.empty(0, np.int64)
    most = MOST_SINGLE_WINDOWS if network.along is None else MOST_WINDOWS
    last = length - network.length
    return np.linspace(0, last, min(last + 1, most)).round().astype(np.int64)


def sequences_along(network: Network, starts: np.ndarray, length: int, n: int) -> int:
    """Of how many sequences of ``length`` bp the windows are predicted, where the smaller side has ``n``; at least one.

    So many that no more than half as many bases are read as for the predictions that are scored.
    """
    assert network.length is not None
    bases = length if network.along is not None else len(starts) * network.length
    return min(n, MOST_SEQUENCES, max(1, n * network.length // (2 * bases)))


def predict_along(
    network: Network, sequences: SequenceSet, starts: np.ndarray, *, strands: Strands, context: Context
) -> np.ndarray:
    """Predictions for the windows that begin at ``starts``: float32, shape ``(n, windows, tracks)``.

    UserError for a prediction that is not finite, which names the sequence.
    """
    length = network.length
    assert length is not None
    forwards = starts.tolist()
    # The same bases of the reverse complement, which begins at the other end.
    backwards = (sequences.length - length - starts).tolist()

    def read(x: torch.Tensor, first: list[int]) -> torch.Tensor:
        if network.along is not None:
            return network.along(x, first)
        return torch.stack([network.module(x[:, :, start : start + length]) for start in first], dim=1)

    def forward(x: torch.Tensor) -> torch.Tensor:
        values = read(x, forwards)
        if strands == "both":
            values = (values + read(x.flip(1, 2), backwards)) / 2
        return values.flatten(1)

    whole = replace(network, length=None, window=None, batch=min(network.batch, _BATCH))
    values = predict(whole, sequences, strands="forward", context=context, forward=forward)
    return values.reshape(len(sequences), len(starts), -1)
