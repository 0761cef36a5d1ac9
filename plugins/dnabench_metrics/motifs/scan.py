"""Where the best hit of a motif lies in each sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dnabench_metrics.motifs.matrices import Motif

#: The position of a sequence without a hit.
ABSENT = -1
#: Windows scored at a time: bounds memory to about 40 MB whatever the set.
CHUNK_WINDOWS = 4_000_000


def best_hit_positions(codes: np.ndarray, motif: Motif) -> np.ndarray:
    """Position of each sequence's best hit: int64, shape ``(n,)``, `ABSENT` where no window reaches the cut-off.

    A position is the 0-based index, in the sequence, of the motif's anchor base. Every window counts, from the first
    base to the last; an N scores as the worst base of its column does. Of equal scores the given strand wins over the
    opposite one, then the leftmost window. Sequences shorter than the motif have no hit.

    Args:
        codes: uint8, shape ``(n, length)``, A C G T N = 0 1 2 3 4.
        motif: what to look for, and on which strands.
    """
    n, length = codes.shape
    positions = np.full(n, ABSENT)
    windows = length - motif.width + 1
    if windows < 1:
        return positions
    step = max(1, CHUNK_WINDOWS // windows)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        positions[rows] = _best_positions(codes[rows], motif)
    return positions


def window_scores(codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Score of every window: int32, shape ``(n, length - width + 1)``; see `best_hit_positions` for N."""
    width = len(weights)
    windows = codes.shape[1] - width + 1
    table = np.concatenate([weights, weights.min(axis=1, keepdims=True)], axis=1).astype(np.int32)
    scores = np.zeros((len(codes), windows), np.int32)
    for column in range(width):
        scores += table[column][codes[:, column : column + windows]]
    return scores


def _best_positions(codes: np.ndarray, motif: Motif) -> np.ndarray:
    best, start = _best_windows(codes, motif.weights)
    positions = start + motif.anchor
    if motif.strands == "both":
        # The reverse complement of a matrix: rows from last to first, A and T, C and G swapped.
        best_minus, start_minus = _best_windows(codes, motif.weights[::-1, ::-1])
        positions = np.where(best_minus > best, start_minus + motif.width - 1 - motif.anchor, positions)
        best = np.maximum(best, best_minus)
    return np.where(best >= motif.cutoff, positions, ABSENT)


def _best_windows(codes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The highest score of each sequence and the leftmost window that has it."""
    scores = window_scores(codes, weights)
    start = scores.argmax(axis=1)
    return scores[np.arange(len(codes)), start], start
