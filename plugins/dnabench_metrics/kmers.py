"""Counts of overlapping k-mers in compiled loops.

Everywhere codes are uint8 of shape ``(n, length)``, A C G T N = 0 1 2 3 4; a k-mer is the number that its bases spell
in base 4, the first one the most significant digit; windows that hold an N are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnabench_metrics.compiled import compiled


class Spectrum(NamedTuple):
    """A set's k-mers, pooled over its sequences, and how they cluster within them.

    With ``c`` a sequence's count of a k-mer and ``t`` its number of windows:

    Attributes:
        counts: sum of c over the sequences, int64, shape ``(4**k,)``.
        squares: sum of c^2, likewise.
        weighted: sum of c t, likewise.
        windows: t, int64, shape ``(n,)``.
    """

    counts: np.ndarray
    squares: np.ndarray
    weighted: np.ndarray
    windows: np.ndarray


def kmer_counts_by_sequence(codes: np.ndarray, k: int) -> np.ndarray:
    """How often each k-mer occurs in each sequence: int64, shape ``(n, 4**k)``."""
    counts = np.zeros((len(codes), 4**k), np.int64)
    _count_by_sequence(codes, k, counts)
    return counts


def kmer_spectrum(codes: np.ndarray, k: int) -> Spectrum:
    """The pooled counts together with their second moments."""
    moments = np.zeros((4**k, 3), np.int64)
    windows = np.zeros(len(codes), np.int64)
    _count_moments(codes, k, moments, windows)
    counts, squares, weighted = moments.T.copy()
    return Spectrum(counts, squares, weighted, windows)


def sums_over_windows(codes: np.ndarray, k: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each sequence's sum of its k-mers' weights, and its number of windows: float64 and int64, shape ``(n,)``.

    Args:
        codes: see above.
        k: bases in a k-mer.
        weights: float64, shape ``(4**k,)``.
    """
    sums, windows = np.zeros(len(codes)), np.zeros(len(codes), np.int64)
    _sum(codes, k, weights, sums, windows)
    return sums, windows


# An N (code 4) spoils the rolling number until k known bases have pushed its bits out, and until then no window counts.


@compiled
def _count(codes: np.ndarray, k: int, counts: np.ndarray) -> None:
    last = np.int64(4**k - 1)
    for i in range(codes.shape[0]):
        kmer, known = np.int64(0), np.int64(0)
        for j in range(codes.shape[1]):
            base = np.int64(codes[i, j])
            kmer = ((kmer << 2) | base) & last
            known = known + 1 if base < 4 else np.int64(0)
            if known >= k:
                counts[kmer] += 1


@compiled
def _count_by_sequence(codes: np.ndarray, k: int, counts: np.ndarray) -> None:
    for i in range(codes.shape[0]):
        _count(codes[i : i + 1], k, counts[i])


@compiled
def _count_moments(codes: np.ndarray, k: int, moments: np.ndarray, windows: np.ndarray) -> None:
    last = np.int64(4**k - 1)
    own = np.zeros(4**k, np.int32)  # this sequence's counts; emptied again as they are read
    kmers = np.zeros(codes.shape[1], np.int64)
    for i in range(codes.shape[0]):
        kmer, known, found = np.int64(0), np.int64(0), np.int64(0)
        for j in range(codes.shape[1]):
            base = np.int64(codes[i, j])
            kmer = ((kmer << 2) | base) & last
            known = known + 1 if base < 4 else np.int64(0)
            if known >= k:
                own[kmer] += 1
                kmers[found] = kmer
                found += 1
        windows[i] = found
        for j in range(found):
            kmer = kmers[j]
            count = np.int64(own[kmer])  # 0 where the k-mer has come before; no branch, as nothing predicts it
            moments[kmer, 0] += count
            moments[kmer, 1] += count * count
            moments[kmer, 2] += count * found
            own[kmer] = 0


@compiled
def _sum(codes: np.ndarray, k: int, weights: np.ndarray, sums: np.ndarray, windows: np.ndarray) -> None:
    last = np.int64(4**k - 1)
    for i in range(codes.shape[0]):
        kmer, known, found, total = np.int64(0), np.int64(0), np.int64(0), 0.0
        for j in range(codes.shape[1]):
            base = np.int64(codes[i, j])
            kmer = ((kmer << 2) | base) & last
            known = known + 1 if base < 4 else np.int64(0)
            if known >= k:
                total += weights[kmer]
                found += 1
        sums[i] = total
        windows[i] = found
