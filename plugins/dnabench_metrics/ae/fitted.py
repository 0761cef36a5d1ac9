"""`ae-fit`: the autoencoder of `ae`, trained on the user's own training sequences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dnabench import UserError
from dnabench_metrics.ae import train as training
from dnabench_metrics.ae.embedder import MIN_LENGTH, Autoencoder
from dnabench_metrics.ae.train import Recipe, write

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.ae.network import Encoder
    from dnabench_metrics.records.embedders import FittedAutoencoderOptions

#: Different training sequences, as the record says.
FEWEST = 500


class FittedAutoencoder(Autoencoder):
    """Features of an autoencoder trained on the training sequences; for DNA that is far from promoters.

    Definition:
        Architecture, damage and features are those of `ae`; the weights are made from the training sequences without N,
        in groups by their label `species` where they have one. They are kept in the store, and their sha256 stands
        beside every score. Another training set is another instrument: scores are not comparable, and a run that uses
        it has no place on a suite's leaderboard.
    Cost:
        About 0.1 s a step of 128 sequences of 256 bp on one CPU core.
    """

    remedy = "remove its directory, and it is trained anew"

    def __init__(self, options: FittedAutoencoderOptions) -> None:
        self.options = options

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Train. UserError with fewer than 500 different training sequences without N, or shorter than 64 bp."""
        known = train.take(np.flatnonzero((train.codes < 4).all(axis=1)))
        different = len(np.unique(known.codes, axis=0))
        if different < FEWEST or known.length < MIN_LENGTH:
            raise UserError(
                f"embedder ae-fit: {different} different training sequences of {known.length} bp without N; it needs "
                f"{FEWEST} of {MIN_LENGTH} bp"
            )
        recipe = Recipe(steps=self.options.steps, seed=context.seed)

        def progress(step: int, reconstruction: float, errors: np.ndarray) -> None:  # noqa: ARG001
            context.progress(step + 1, recipe.steps, "fit ae")

        self._encoder, _ = training.train(known, recipe, progress, device=context.device)
        self._fitted: tuple[Encoder, SequenceSet, Recipe] = self._encoder, known, recipe

    def save(self, directory: Path) -> None:
        """Write ``encoder.safetensors`` and ``encoder.json``."""
        encoder, known, recipe = self._fitted
        about = {"sequences": len(known), "length": known.length, "digest": known.digest}
        write(encoder, known.codes, directory, recipe, {"trained_on": about})
