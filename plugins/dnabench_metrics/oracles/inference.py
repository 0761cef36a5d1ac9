"""Predictions of a network for every sequence: batches of one size, windows and padding, strands, checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from dnabench import UserError
from dnabench_metrics.precision import full_precision

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.oracles import Strands

#: What stands for an unknown base in each of the four channels, inside a sequence and around one.
UNKNOWN = 0.25


@dataclass(frozen=True)
class Network:
    """A network in evaluation mode and the sequences that it takes.

    Attributes:
        name: what errors call it.
        module: maps float32 ``(n, 4, length)``, channels A C G T, to ``(n, outputs)``.
        sha256: of its file of weights.
        batch: rows of every forward pass, the last one filled up: rounding depends on the batch size.
        length: bp that it reads; None for any.
        window: index of the first base that it reads of longer sequences; None for the middle.
        predicts: what the outputs are, with their unit.
        along: windows of sequences at once where that is cheaper than one by one: ``(n, 4, L)`` and first bases to
            ``(n, windows, outputs)``.
    """

    name: str
    module: nn.Module
    sha256: str
    batch: int
    length: int | None = None
    window: int | None = None
    predicts: str = "prediction (unit of the model)"
    along: Callable[[torch.Tensor, Sequence[int]], torch.Tensor] | None = None


def predict(
    network: Network,
    sequences: SequenceSet,
    *,
    strands: Strands,
    context: Context,
    forward: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> np.ndarray:
    """What ``forward``, by default the network itself, answers for every sequence: float32, shape ``(n, outputs)``.

    ``strands="both"`` is the mean of the answers for the sequence and for its reverse complement. UserError for
    sequences without the window, and for an answer that is not finite, which names the sequence.
    """
    device = torch.device(context.device)
    network.module.to(device)
    answer = network.module if forward is None else forward
    n, answers = len(sequences), []
    with torch.inference_mode(), full_precision():
        for start in range(0, max(n, 1), network.batch):
            chunk = sequences.take(np.arange(start, min(start + network.batch, n)))
            one_hot = torch.full((network.batch, 4, sequences.length), UNKNOWN, dtype=torch.float32, device=device)
            one_hot[: len(chunk)] = chunk.one_hot(device)
            read = one_hot if network.length is None else fit(one_hot, network.length, network.window)
            values = answer(read)
            if strands == "both":
                values = (values + answer(read.flip(1, 2))) / 2
            values = values[: len(chunk)].float().cpu().numpy()
            _check_finite(network.name, values, chunk)
            answers.append(values)
            context.progress(start + len(chunk), n, "predict")
    return np.concatenate(answers)


def fit(one_hot: torch.Tensor, length: int, window: int | None) -> torch.Tensor:
    """``(n, 4, L)`` to ``(n, 4, length)``: the window that begins at ``window``, or the middle, padded if shorter.

    Of an odd difference the smaller half is cut off or added on the left. UserError where there is no such window.
    """
    found = one_hot.shape[2]
    if window is not None:
        if window + length > found:
            raise UserError(
                f"a window of {length} bp that starts at index {window} does not fit in sequences of {found} bp"
            )
        return one_hot[:, :, window : window + length]
    if found >= length:
        left = (found - length) // 2
        return one_hot[:, :, left : left + length]
    left = (length - found) // 2
    return nn.functional.pad(one_hot, (left, length - found - left), value=UNKNOWN)


def _check_finite(name: str, values: np.ndarray, chunk: SequenceSet) -> None:
    finite = np.isfinite(values).all(1)
    if not finite.all():
        raise UserError(f"{name}: the prediction for sequence {chunk.names[int(finite.argmin())]} is not finite")
