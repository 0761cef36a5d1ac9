"""The baselines of independent bases: ``composition`` and ``position``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench import UserError
from dnabench_baselines.by_label import by_label
from dnabench_baselines.drawing import draw_independent, edges
from dnabench_baselines.storage import load_array, save_array

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context, Generator, SequenceSet
    from dnabench_baselines.options import FrequencyOptions


def composition(options: FrequencyOptions) -> Generator:
    """A :class:`Composition`, or one for each value of the label ``options.by``."""
    return by_label(options.by, Composition)


def position(options: FrequencyOptions) -> Generator:
    """A :class:`Position`, or one for each value of the label ``options.by``."""
    return by_label(options.by, Position)


class Composition:
    """Independent bases with the frequencies of A, C, G and T in the training sequences; N does not count."""

    def fit(self, train: SequenceSet, *, context: Context) -> None:  # noqa: ARG002 - nothing random
        """Count the bases. UserError when there are none but N."""
        self._edges = edges(_counts(train.codes).sum(0, keepdims=True))

    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """uint8 codes, shape ``(n, context.length)``."""
        return draw_independent(self._edges, np.zeros(context.length, int), n, context.rng)

    def save(self, directory: Path) -> None:
        """Write the frequencies."""
        save_array(directory, self._edges)

    def load(self, directory: Path) -> None:
        """Read what ``save`` wrote."""
        self._edges = load_array(directory)


class Position:
    """Independent bases with the frequencies of A, C, G and T at each position of the training sequences.

    N does not count; a position that is N throughout gets the frequencies of all positions together.
    """

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Count the bases. UserError for another length than the run's, and when there are no bases but N."""
        if train.length != context.length:
            raise UserError(
                f"position learns the positions of {train.length} bp and cannot sample {context.length} bp; "
                f"use --length {train.length}"
            )
        counts = _counts(train.codes)
        self._edges = edges(np.where(counts.sum(1, keepdims=True) > 0, counts, counts.sum(0)))

    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """uint8 codes, shape ``(n, length of the training sequences)``."""
        return draw_independent(self._edges, np.arange(self._edges.shape[1]), n, context.rng)

    def save(self, directory: Path) -> None:
        """Write the frequencies."""
        save_array(directory, self._edges)

    def load(self, directory: Path) -> None:
        """Read what ``save`` wrote."""
        self._edges = load_array(directory)


def _counts(codes: np.ndarray) -> np.ndarray:
    """Counts of A, C, G and T at each position, int64, shape ``(length, 4)``; UserError when all are 0."""
    counts = np.stack([(codes == base).sum(0, dtype=np.int64) for base in range(4)], axis=1)
    if not counts.any():
        raise UserError("the training sequences hold no A, C, G or T to learn from")
    return counts
