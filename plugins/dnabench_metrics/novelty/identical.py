"""Sequences that equal each other, or each other's reverse complement."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnabench_metrics.compiled import compiled


class Distinct(NamedTuple):
    """The distinct sequences of a set, reverse complements taken for equal, in an order that the set alone decides.

    Attributes:
        rows: int64, the first row that holds each sequence.
        hashes: uint64, ascending, of those rows (see :func:`whole_hashes`).
    """

    rows: np.ndarray
    hashes: np.ndarray


def whole_hashes(codes: np.ndarray) -> np.ndarray:
    """uint64 of shape ``(n,)``: a hash of every sequence that is the same for its reverse complement.

    A sum of products of the bases with random numbers: two given sequences that differ have the same one with a
    probability of at most 2^-62 on each strand. Callers take equal hashes for equal sequences.
    """
    hashes = np.empty(len(codes), np.uint64)
    factors = np.random.default_rng(0).integers(0, 2**64, size=codes.shape[1:], dtype=np.uint64)
    _hash_rows(codes, factors, factors[::-1].copy(), hashes)
    return hashes


def distinct(codes: np.ndarray) -> Distinct:
    """One row of every sequence in ``codes``, uint8 of shape ``(n, length)``."""
    hashes, rows = np.unique(whole_hashes(codes), return_index=True)
    return Distinct(rows, hashes)


def find_identical(codes: np.ndarray, known: Distinct) -> np.ndarray:
    """The place in ``known.rows`` of the sequence that equals each row, on either strand, -1 where none does.

    ``codes`` is uint8 of shape ``(n, length)``, the length that of the known sequences. int64, shape ``(n,)``.
    """
    hashes = whole_hashes(codes)
    places = np.minimum(np.searchsorted(known.hashes, hashes), len(known.hashes) - 1)
    return np.where(known.hashes[places] == hashes, places, -1)


# Sums of products, not a chain of steps: the compiler makes vector instructions of them.
@compiled
def _hash_rows(codes, factors, mirrored_factors, hashes):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The smaller of the hashes of a row and of its reverse complement."""
    three = np.uint8(3)
    for i in range(len(codes)):
        forward, backward = np.uint64(0), np.uint64(0)
        for j in range(codes.shape[1]):
            code = codes[i, j]
            mirrored = code if code > three else np.uint8(three - code)
            forward += np.uint64(code) * factors[j]
            backward += np.uint64(mirrored) * mirrored_factors[j]
        hashes[i] = min(forward, backward)
