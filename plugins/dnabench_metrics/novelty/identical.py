"""Sequences that equal each other, or each other's reverse complement."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93))


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

    Two different sequences have the same hash with a probability of about 2^-64. Callers take equal hashes for equal
    sequences.
    """
    hashes = np.empty(len(codes), np.uint64)
    _hash_rows(codes, hashes)
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


@numba.njit(cache=True)
def _hash_rows(codes, hashes):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """The smaller of the hashes of a row and of its reverse complement, mixed base by base, both at once."""
    length, shift = codes.shape[1], np.uint64(32)
    for i in range(len(codes)):
        forward, backward = np.uint64(length), np.uint64(length)
        for j in range(length):
            code, mirrored = codes[i, j], codes[i, length - 1 - j]
            mirrored = mirrored if mirrored > 3 else 3 - mirrored
            forward = (forward ^ np.uint64(code + 1)) * _FACTORS[0]
            backward = (backward ^ np.uint64(mirrored + 1)) * _FACTORS[0]
            forward ^= forward >> shift
            backward ^= backward >> shift
        hashes[i] = min(forward, backward) * _FACTORS[1]
