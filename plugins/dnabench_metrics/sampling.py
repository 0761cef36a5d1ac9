"""Rows drawn from a set in a way that does not depend on the order in which its sequences come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dnabench import SequenceSet


def canonical_order(sequences: SequenceSet) -> np.ndarray:
    """Row numbers that sort the sequences by their bases: int64, shape ``(n,)``; equal ones keep their order."""
    n, length = sequences.codes.shape
    if length == 0:
        return np.arange(n)
    return np.argsort(np.ascontiguousarray(sequences.codes).view(f"V{length}").ravel(), kind="stable")


def shuffled(sequences: SequenceSet, *, seed: int, side: str) -> np.ndarray:
    """All row numbers in an order that ``seed``, ``side`` and the sequences decide, not the order they come in.

    ``side`` (``generated``, ``reference``, ``train``) keeps the draws from sets that share sequences apart.
    """
    state = np.random.SeedSequence([seed, *side.encode()])
    return canonical_order(sequences)[np.random.default_rng(state).permutation(len(sequences))]


def thinned(sequences: SequenceSet, most: int, *, seed: int, side: str) -> np.ndarray:
    """Row numbers of at most ``most`` sequences, drawn without replacement: int64, ascending."""
    if len(sequences) <= most:
        return np.arange(len(sequences))
    return np.sort(shuffled(sequences, seed=seed, side=side)[:most])
