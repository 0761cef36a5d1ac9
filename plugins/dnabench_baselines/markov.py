"""The baseline ``markov``: a homogeneous Markov chain of order k."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from dnabench import UserError
from dnabench_baselines.by_label import by_label
from dnabench_baselines.drawing import draw_bases, edges
from dnabench_baselines.options import MAX_ORDER
from dnabench_baselines.storage import ARRAYS

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context, Generator, SequenceSet
    from dnabench_baselines.options import MarkovOptions

N = 4
CHUNK = 1 << 22  # windows counted at once: 34 MB of indices
HELD_OUT = 0.1
"""Share of the training sequences that the order is chosen on, where it is not given."""


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

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Count (k + 1)-mers, leaving out windows with N. UserError when there are none.

        Without an order given, k is the one that predicts a tenth of the sequences best when the others are counted;
        the chain is then made from all of them.
        """
        order = self.options.order
        if order == "auto":
            order = best_order(train.codes, self.options.pseudocount, context.rng)
        counts = kmer_counts(train.codes, order + 1)
        if not counts.any():
            raise UserError(
                f"markov of order {order} needs {order + 1} bases without N in a row, and no training sequence has them"
            )
        self._edges = edges(next_base_weights(counts, self.options.pseudocount))
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


def best_order(codes: np.ndarray, pseudocount: float, rng: np.random.Generator) -> int:
    """The order, up to ``MAX_ORDER``, with the largest log-likelihood per base of held-out sequences; ties: the lowest.

    All orders predict the same bases, those with enough bases before them for the largest order. A tenth of the
    sequences is held out at random, so relatives among them favour large orders. UserError where there is nothing to
    learn from or to predict.
    """
    if len(codes) < 2:
        raise UserError(f"markov cannot choose its order on {len(codes)} training sequences; it needs 2, or an order")
    longest = min(MAX_ORDER, codes.shape[1] - 1) + 1
    shuffled = rng.permutation(len(codes))
    held_out = max(1, round(HELD_OUT * len(codes)))
    seen, predicted = kmer_counts(codes[shuffled[held_out:]], longest), kmer_counts(codes[shuffled[:held_out]], longest)
    if not (seen.any() and predicted.any()):
        raise UserError(
            f"markov cannot choose its order: it needs {longest} bases without N in a row, in held-out training "
            "sequences and in others; set an order"
        )
    # Counts of shorter words, at the same bases, are sums over what stands before them.
    words = [4 ** (order + 1) for order in range(longest)]
    scores = [
        log_likelihood(predicted.reshape(-1, size).sum(0), seen.reshape(-1, size).sum(0), pseudocount) for size in words
    ]
    return int(np.argmax(scores))


def log_likelihood(predicted: np.ndarray, seen: np.ndarray, pseudocount: float) -> float:
    """Nats per base with which a chain made from the k-mer counts ``seen`` predicts the last bases of others."""
    weights = next_base_weights(seen, pseudocount)
    with np.errstate(divide="ignore"):  # what was never seen has probability 0 without a pseudocount
        log_p = np.log(weights / weights.sum(1, keepdims=True)).ravel()
    there = predicted > 0
    return float((predicted[there] * log_p[there]).sum() / predicted.sum())


def next_base_weights(counts: np.ndarray, pseudocount: float) -> np.ndarray:
    """How often each base follows each (k - 1)-mer, shape ``(4**(k - 1), 4)``, from k-mer counts, not normalised.

    Without a pseudocount a word that only ever ends a sequence would lead nowhere: bases follow it as they do others.
    """
    following = counts.reshape(-1, 4) + pseudocount
    following[following.sum(1) == 0] = counts.reshape(-1, 4).sum(0)
    return following


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
