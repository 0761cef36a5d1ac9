"""The baseline ``markov``: a homogeneous Markov chain of order k."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from dnabench import UserError
from dnabench_baselines.by_label import by_label
from dnabench_baselines.drawing import draw_bases, edges
from dnabench_baselines.storage import ARRAYS

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context, Generator, SequenceSet
    from dnabench_baselines.options import MarkovOptions

N = 4
CHUNK = 1 << 22  # windows counted at once: 34 MB of indices


def markov(options: MarkovOptions) -> Generator:
    """A :class:`Markov`, or one for each value of the label ``options.by``."""
    return by_label(options.by, lambda: Markov(options))


class Markov:
    """A chain whose next base depends on the ``order`` bases before it.

    It begins with a k-mer drawn from the k-mers at all positions of the training sequences, which is close to its
    stationary distribution. Without a pseudocount the (k + 1)-mer spectrum of the samples is therefore close to that of
    the training sequences from the first base on; a pseudocount moves every next base towards the uniform one.
    """

    def __init__(self, options: MarkovOptions) -> None:
        self.options = options

    def fit(self, train: SequenceSet, *, context: Context) -> None:  # noqa: ARG002 - nothing random
        """Count (k + 1)-mers, leaving out windows with N. UserError when there are none."""
        order = self.options.order
        counts = kmer_counts(train.codes, order + 1)
        if not counts.any():
            raise UserError(
                f"markov of order {order} needs {order + 1} bases without N in a row, and no training sequence has them"
            )
        following = counts.reshape(-1, 4) + self.options.pseudocount
        # Without a pseudocount a k-mer that only ever ends a sequence would lead nowhere.
        bases = counts.reshape(-1, 4).sum(0)
        following[following.sum(1) == 0] = bases
        self._edges = edges(following)
        starts = np.cumsum(kmer_counts(train.codes, order), dtype=np.float64)
        self._starts = starts / starts[-1]

    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """uint8 codes, shape ``(n, context.length)``; one vectorised step per base."""
        contexts = len(self._starts)
        order = contexts.bit_length() // 2
        codes = np.empty((max(context.length, order), n), np.uint8)
        preceding = np.searchsorted(self._starts, context.rng.random(n), side="right")
        for position in range(order):
            codes[position] = preceding >> 2 * (order - 1 - position) & 3
        for position in range(order, context.length):
            codes[position] = draw_bases(self._edges, preceding, context.rng.random(n))
            preceding = (4 * preceding + codes[position]) % contexts
        return np.ascontiguousarray(codes[: context.length].T)

    def save(self, directory: Path) -> None:
        """Write the distributions."""
        save_file({"edges": self._edges, "starts": self._starts}, directory / ARRAYS)

    def load(self, directory: Path) -> None:
        """Read what ``save`` wrote."""
        arrays = load_file(directory / ARRAYS)
        self._edges, self._starts = arrays["edges"], arrays["starts"]


def kmer_counts(codes: np.ndarray, k: int) -> np.ndarray:
    """Counts of all k-mers over windows without N: int64, shape ``(4**k,)``, the first base the most significant.

    For k = 0 that is the count of the empty word.
    """
    counts = np.zeros(4**k, np.int64)
    windows = codes.shape[1] - k + 1
    if windows < 1:
        return counts
    rows = max(1, CHUNK // windows)
    for first in range(0, len(codes), rows):
        part = codes[first : first + rows]
        words = np.zeros((len(part), windows), np.int64)
        clean = np.ones(words.shape, bool)
        for offset in range(k):
            bases = part[:, offset : offset + windows]
            words = 4 * words + bases
            clean &= bases != N
        counts += np.bincount(words[clean], minlength=4**k)
    return counts
