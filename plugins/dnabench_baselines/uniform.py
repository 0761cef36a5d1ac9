"""The baseline ``random``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context, SequenceSet


class Random:
    """Bases independent and uniform; learns nothing."""

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Nothing to learn."""

    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """uint8 codes, shape ``(n, context.length)``."""
        return context.rng.integers(0, 4, size=(n, context.length), dtype=np.uint8)

    def save(self, directory: Path) -> None:
        """Nothing to write."""

    def load(self, directory: Path) -> None:
        """Nothing to read."""
