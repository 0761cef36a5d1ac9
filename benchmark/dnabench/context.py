"""What a plugin is handed beside its input: device, randomness, embeddings, a place for checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import nn

    from dnabench.checkpoint import Checkpoint
    from dnabench.sequences import SequenceSet

CHECKPOINT_SECONDS = 15.0


def _no_progress(done: int, total: int, stage: str) -> None:
    """Progress that nobody watches."""


def _no_embedders(name: str, sequences: SequenceSet) -> np.ndarray:  # noqa: ARG001
    raise LookupError(f"embedder {name!r} was asked for, but this context has no embedders")


def _compute(name: str, sequences: SequenceSet, compute: Callable[[SequenceSet], np.ndarray]) -> np.ndarray:  # noqa: ARG001
    """What :meth:`Context.per_sequence` does where nothing is remembered."""
    return compute(sequences)


@dataclass(kw_only=True)
class Context:
    """One plugin call's surroundings. All randomness of the call comes from here.

    Attributes:
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        seed: derived from base seed, role, dataset, repeat and generator (design rule 5.1); not the user's ``--seeds``.
        length: sequence length in bp.
        scratch: a directory whose contents survive an interruption, for checkpoints.
        train: the training split, where the run has one (novelty metrics).
        labels: when sampling, the labels asked for, one row per sequence, drawn from those of the training sequences;
            None where a generator may choose them itself. For generators that condition on labels.
        held_out: real sequences outside the training split and the reference; for controls only, None for all others.
        embedder: the embedder a feature metric is to use, as ``metric@embedder`` or its record names it.
        for_plots: whether the ``details`` of a score will be kept. A metric may leave out what it would make for them
            alone: those of floors and slices never are.
        progress: ``progress(done, total, stage)``, called as often as the plugin likes.
        rank, ranks: which process this is of how many that train together. More than one only where the record's
            ``devices_option`` asks for it; then a process group of ``torch.distributed`` is there.
        checkpoint_seconds: how long a training goes on without a checkpoint, at least.
    """

    device: str = "cpu"
    seed: int = 0
    length: int
    scratch: Path
    train: SequenceSet | None = None
    labels: pd.DataFrame | None = None
    held_out: SequenceSet | None = None
    embedder: str | None = None
    for_plots: bool = True
    progress: Callable[[int, int, str], None] = _no_progress
    rank: int = 0
    ranks: int = 1
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    embed_with: Callable[[str, SequenceSet], np.ndarray] = field(default=_no_embedders, repr=False)
    remember_with: Callable[[str, SequenceSet, Callable[[SequenceSet], np.ndarray]], np.ndarray] = field(
        default=_compute, repr=False
    )

    def __post_init__(self) -> None:
        self._torch_seeds = np.random.SeedSequence(self.seed)
        self._rng = np.random.default_rng(self._torch_seeds.spawn(1)[0])

    @property
    def rng(self) -> np.random.Generator:
        """The call's NumPy generator; the same object every time."""
        return self._rng

    def torch_generator(self) -> torch.Generator:
        """A CPU ``torch.Generator`` with a seed of its own: the first, second, ... of a context always get the same."""
        import torch

        state = self._torch_seeds.spawn(1)[0].generate_state(1, np.uint64)[0]
        return torch.Generator("cpu").manual_seed(int(state >> np.uint64(1)))

    def checkpoint(self, name: str) -> Checkpoint:
        """The checkpoint ``name`` of this call's training, in ``scratch``; the first process of a group writes it."""
        from dnabench.checkpoint import Checkpoint

        return Checkpoint(self.scratch / f"{name}.safetensors", every=self.checkpoint_seconds, writes=self.rank == 0)

    def share(self, rows: torch.Tensor) -> torch.Tensor:
        """The share of what all that train together have drawn which is for this one: every ``ranks``-th entry.

        UserError when the shares would not be equal.
        """
        from dnabench.together import share

        return share(rows, self.rank, self.ranks)

    def mean_of_ranks(self, value: torch.Tensor) -> torch.Tensor:
        """The mean of ``value`` over all processes that train together, without a gradient; all must ask for it."""
        from dnabench.together import mean_of_ranks

        return mean_of_ranks(value, self.ranks)

    def together(self, module: nn.Module, *example: object) -> nn.Module:
        """``module`` so that ``backward`` leaves the mean of all processes' gradients in its parameters.

        ``example`` is what ``module`` can be called with; where a process trains alone, it is ``module`` itself.
        """
        from dnabench.together import together

        return together(module, self.ranks, *example)

    def embed(self, name: str, sequences: SequenceSet) -> np.ndarray:
        """Embeddings of ``sequences`` by the embedder called ``name``: float32, shape ``(n, dimension)``; cached."""
        return self.embed_with(name, sequences)

    def per_sequence(
        self, name: str, sequences: SequenceSet, compute: Callable[[SequenceSet], np.ndarray]
    ) -> np.ndarray:
        """What ``compute(sequences)`` gives, remembered for as long as this process scores: shape ``(n, ...)``.

        For what a metric works out of each sequence alone, such as the place of a motif: floors and slices, which are
        parts of sets that were seen before, then cost nothing. ``name`` says what is computed, options included; the
        metrics of a package share the names. The array is not to be written to.
        """
        return self.remember_with(name, sequences, compute)
