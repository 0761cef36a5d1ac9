"""What the trees see of a sequence: how often each short word occurs in it, and which bases stand where."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from dnabench_metrics.kmers import kmer_counts_by_sequence

#: Words of 1 to this many bases are counted over the whole sequence.
LONGEST = 4
#: Stretches of equal length that dinucleotides are counted in, at most; and the fewest bp of one.
STRETCHES, SHORTEST = 16, 8
#: Rows that are worked on at a time: few enough to stay in cache.
ROWS = 512


class Sample(NamedTuple):
    """Sequences of both sides.

    Attributes:
        codes: uint8, shape ``(n, length)``.
        counts: what :func:`word_counts` makes of them.
        generated: bool, shape ``(n,)``.
    """

    codes: np.ndarray
    counts: np.ndarray
    generated: np.ndarray


def words(k: int) -> list[str]:
    """All k-mers in the order of their counts."""
    return ["".join(bases) for bases in itertools.product("ACGT", repeat=k)]


def word_counts(codes: np.ndarray) -> np.ndarray:
    """Counts of all words of 1 to 4 bases, overlapping, without those that hold an N: int32, shape ``(n, 340)``."""
    counts = np.zeros((len(codes), len(word_names())), np.int32)
    for top in range(0, len(codes), ROWS):
        rows = slice(top, top + ROWS)
        counts[rows] = np.concatenate([kmer_counts_by_sequence(codes[rows], k) for k in range(1, LONGEST + 1)], axis=1)
    return counts


def word_names() -> list[str]:
    """What the columns of :func:`word_counts` count."""
    return [word for k in range(1, LONGEST + 1) for word in words(k)]


def place_names(length: int) -> list[str]:
    """What the columns of :func:`places` count, from index 0 on: ``C at 205``, ``CG in 192-207``."""
    bases = [f"{base} at {position}" for position in range(length) for base in "ACGT"]
    stretches = [f"{word} in {start}-{end - 1}" for start, end in _stretches(length) for word in words(2)]
    return bases + stretches


def places(codes: np.ndarray) -> np.ndarray:
    """Which base stands at each position, and the dinucleotides that begin in each stretch: int32.

    Shape ``(n, 4 length + 16 stretches)``.
    """
    n, length = codes.shape
    bases = (codes[:, :, None] == np.arange(4)).reshape(n, 4 * length)
    dinucleotides = [
        kmer_counts_by_sequence(np.ascontiguousarray(codes[:, start : end + 1]), 2) for start, end in _stretches(length)
    ]
    return np.concatenate([bases, *dinucleotides], axis=1, dtype=np.int32)


def _stretches(length: int) -> list[tuple[int, int]]:
    ends = np.linspace(0, length, max(1, min(STRETCHES, length // SHORTEST)) + 1).astype(int)
    return list(itertools.pairwise(ends.tolist()))


def separation(values: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """Differences of the sides' means in standard deviations within them: float64, shape ``(columns,)``; 0 if constant.

    Args:
        values: whole numbers, shape ``(n, columns)``.
        generated: bool, shape ``(n,)``; both sides occur.
    """
    one, other = values[generated], values[~generated]
    difference = one.mean(0) - other.mean(0)
    # The constant stands for the spread of a column that never varies within either side.
    return np.asarray(difference / np.sqrt((one.var(0) + other.var(0)) / 2 + 1e-12))
