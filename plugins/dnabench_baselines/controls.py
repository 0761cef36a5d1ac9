"""The controls that give real sequences again: ``holdout``, ``bootstrap`` and ``dinucleotide-shuffle``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import SequenceSet, UserError
from dnabench_baselines.shuffle import dinucleotide_shuffle
from dnabench_baselines.storage import load_sequences, save_sequences

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from dnabench import Context


class _Kept:
    """Keeps sequences from ``fit`` to ``sample``."""

    _sequences: SequenceSet

    def _keep(self, sequences: SequenceSet, length: int) -> None:
        if sequences.length != length:
            raise UserError(f"the real sequences have {sequences.length} bp, but {length} bp are to be sampled")
        if not len(sequences):
            raise UserError("there are no real sequences to draw from")
        self._sequences = SequenceSet(sequences.codes, labels=sequences.labels)

    def _with_replacement(self, n: int, rng: np.random.Generator) -> SequenceSet:
        return self._sequences.take(rng.integers(0, len(self._sequences), size=n))

    def save(self, directory: Path) -> None:
        """Write the sequences with their labels."""
        save_sequences(directory, self._sequences)

    def load(self, directory: Path) -> None:
        """Read what ``save`` wrote."""
        self._sequences = load_sequences(directory)


class Holdout(_Kept):
    """Real sequences that no generator has seen, without replacement: what a perfect generator would give."""

    def fit(self, train: SequenceSet, *, context: Context) -> None:  # noqa: ARG002 - that is the point
        """Keep ``context.held_out``. UserError when the run holds nothing out, or at another length."""
        if context.held_out is None:
            raise UserError("holdout needs real sequences outside training and reference, and this run has none")
        self._keep(context.held_out, context.length)

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` different held-out sequences with their labels. UserError when there are fewer."""
        if n > len(self._sequences):
            raise UserError(
                f"holdout was asked for {n} sequences, and only {len(self._sequences)} are held out; "
                f"use --samples {len(self._sequences)} or fewer"
            )
        return self._sequences.take(context.rng.permutation(len(self._sequences))[:n])


class Bootstrap(_Kept):
    """Training sequences again, with replacement: what a model that memorises would give."""

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Keep ``train``. UserError at another length than the run's."""
        self._keep(train, context.length)

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` training sequences with their labels."""
        return self._with_replacement(n, context.rng)


class DinucleotideShuffle(_Kept):
    """Training sequences, drawn with replacement and shuffled with their dinucleotide counts and both ends kept."""

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Keep ``train``. UserError at another length than the run's."""
        self._keep(train, context.length)

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` shuffled sequences with the labels of the sequences they come from."""
        drawn = self._with_replacement(n, context.rng)
        return SequenceSet(dinucleotide_shuffle(drawn.codes, context.rng), labels=drawn.labels)
