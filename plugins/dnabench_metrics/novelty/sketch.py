"""Seeds of sequences: strand-independent hashes of k-mers, of which those below a limit are kept (FracMinHash).

A hash is a one-to-one function of the canonical k-mer, the smaller of the k-mer and its reverse complement as numbers
in base 4: equal hashes are equal k-mers. Windows with an N have none, nor have the k-mers that are their own reverse
complement, which do not tell the strands apart.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from dnabench_metrics.compiled import compiled

#: About how many seeds are kept of a sequence: all of 256 bp, one in eight of 2,048 bp.
SEEDS = 256
#: Chance matches that a random sequence may have in a random training set: they bound the time, not what is found.
CHANCE_MATCHES = 1024
#: Seed lengths to choose from; a 16-mer is what a 32-bit number holds.
SHORTEST, LONGEST = 8, 16

_OFFSET = np.uint64(0x1B873593CC9E2D51)  # poly-A would stay 0 otherwise, and always be kept
_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93))  # odd: invertible modulo any power of 2


class Sketch(NamedTuple):
    """How seeds are drawn: the length ``k`` in bp, and the hash from which on they are dropped, at most ``4^k``."""

    k: int
    limit: int


def sketch_for(*, query_length: int, train_length: int, train_size: int, kmer: int = 0) -> Sketch:
    """The sketch for a search, from sizes alone, so that a sequence's result depends on no other query.

    The fraction ``f`` that is kept leaves the shorter kind of sequence about :data:`SEEDS` seeds (FracMinHash, Rahman
    Hera, Pierce-Ward and Koslicki 2023, Genome Res 33:1061). Unless ``kmer`` fixes it, ``k`` is the shortest length at
    which random sequences share fewer than :data:`CHANCE_MATCHES` seeds: with w and v windows in a query and a training
    sequence, that is ``f w v train_size / (4^k / 2)``. Short seeds survive mutation: a window of k bases is whole with
    ``(1 - r)^k`` at a rate r.
    """
    sketch = Sketch(SHORTEST, 0)
    for k in (kmer,) if kmer else range(SHORTEST, LONGEST + 1):
        w, v = max(query_length - k + 1, 0), max(train_length - k + 1, 0)
        fraction = min(1.0, SEEDS / max(1, min(w, v)))
        sketch = Sketch(k, math.ceil(fraction * 4**k))
        if fraction * w * v * train_size / (4**k / 2) <= CHANCE_MATCHES:
            break
    return sketch


class Seeds(NamedTuple):
    """Seeds of a block of rows: those of row i are at ``bounds[i] : bounds[i + 1]``.

    Attributes:
        hashes: uint32.
        places: int32, twice the index of the k-mer's first base, plus 1 where the reverse complement is canonical.
        bounds: int64, one longer than the block.
    """

    hashes: np.ndarray
    places: np.ndarray
    bounds: np.ndarray


def seeds_of(codes: np.ndarray, sketch: Sketch) -> Seeds:
    """Seeds of ``codes``, uint8 of shape ``(n, length)``; none where the length is below k."""
    windows = max(codes.shape[1] - sketch.k + 1, 0)
    hashes, places = np.empty(len(codes) * windows, np.uint32), np.empty(len(codes) * windows, np.int32)
    bounds = np.zeros(len(codes) + 1, np.int64)
    _fill_seeds(codes, sketch.k, sketch.limit, hashes, places, bounds)
    return Seeds(hashes[: bounds[-1]], places[: bounds[-1]], bounds)


class SeedIndex(NamedTuple):
    """All seeds of the training sequences, sorted.

    Attributes:
        keys: uint64, ascending: the hash times 2^``bits`` plus the location ``2 (rank windows + start) + strand``,
            where the rank is the sequence's place in the order that the index was built with.
        bits: the width of a location in bits.
        starts: int64: the keys whose hash shifted by ``shift`` is b are at ``starts[b] : starts[b + 1]``.
        shift: see above.
        windows: k-mers in a training sequence.
    """

    keys: np.ndarray
    bits: int
    starts: np.ndarray
    shift: int
    windows: int


def largest_index(length: int, sketch: Sketch) -> int:
    """The most sequences of ``length`` bp that an index holds: hash and location share 63 bits."""
    return (1 << (62 - _hash_bits(sketch))) // max(1, length - sketch.k + 1)


def build_index(codes: np.ndarray, order: np.ndarray, sketch: Sketch) -> SeedIndex:
    """The index of ``codes[order]``: uint8 of shape ``(n, length)``, int64 row numbers; 8 bytes a seed.

    Counting, filling and sorting in parts that fit into the cache: a sort of the whole takes several times as long.
    Raises ValueError for more than :func:`largest_index` sequences.
    """
    length, hash_bits = codes.shape[1], _hash_bits(sketch)
    windows = max(length - sketch.k + 1, 0)
    if len(order) > largest_index(length, sketch):
        raise ValueError(f"an index of {len(order)} sequences of {length} bp; at most {largest_index(length, sketch)}")
    bits = (2 * len(order) * max(windows, 1) - 1).bit_length()
    parts = min(hash_bits, 11)
    bounds = np.zeros((1 << parts) + 1, np.int64)
    _count_seeds(codes, order, sketch.k, sketch.limit, hash_bits - parts, bounds)
    bounds = np.cumsum(bounds)
    keys = np.empty(bounds[-1], np.uint64)
    _fill_keys(codes, order, sketch.k, sketch.limit, hash_bits - parts, bits, bounds[:-1].copy(), keys)
    _sort_parts(keys, bounds)
    fine = min(hash_bits, max(parts, len(keys).bit_length() - 2), 24)
    starts = np.zeros((1 << fine) + 1, np.int64)
    _count_keys(keys, bits + hash_bits - fine, starts)
    return SeedIndex(keys, bits, np.cumsum(starts), hash_bits - fine, windows)


def _hash_bits(sketch: Sketch) -> int:
    return max(1, (sketch.limit - 1).bit_length())


@compiled
def _row_seeds(codes, k, limit, hashes, places):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Write one row's seeds into ``hashes`` and ``places``; how many."""
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    width = np.uint64(2 * k)
    mask = (one << width) - one
    top, half, below = width - two, np.uint64(k), np.uint64(limit)
    forward, backward = np.uint64(0), np.uint64(0)
    clean, found = 0, 0
    for i in range(len(codes)):
        code = np.uint64(codes[i])
        if code > three:
            clean = 0
            continue
        clean += 1
        forward = ((forward << two) | code) & mask
        backward = (backward >> two) | ((three - code) << top)
        if clean < k or forward == backward:
            continue
        value = (min(forward, backward) ^ _OFFSET) & mask
        value = (value * _FACTORS[0]) & mask
        value ^= value >> half
        value = (value * _FACTORS[1]) & mask
        value ^= value >> half
        if value < below:
            hashes[found] = value
            places[found] = 2 * (i - k + 1) + (backward < forward)
            found += 1
    return found


@compiled
def _fill_seeds(codes, k, limit, hashes, places, bounds):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(len(codes)):
        start = bounds[i]
        bounds[i + 1] = start + _row_seeds(codes[i], k, limit, hashes[start:], places[start:])


@compiled
def _count_seeds(codes, order, k, limit, shift, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    hashes, places = np.empty(codes.shape[1], np.uint32), np.empty(codes.shape[1], np.int32)
    for row in order:
        for i in range(_row_seeds(codes[row], k, limit, hashes, places)):
            counts[(np.int64(hashes[i]) >> shift) + 1] += 1


@compiled
def _fill_keys(codes, order, k, limit, shift, bits, ends, keys):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    hashes, places = np.empty(codes.shape[1], np.uint32), np.empty(codes.shape[1], np.int32)
    windows = codes.shape[1] - k + 1
    for rank in range(len(order)):
        for i in range(_row_seeds(codes[order[rank]], k, limit, hashes, places)):
            part = np.int64(hashes[i]) >> shift
            location = np.uint64(2 * rank * windows + places[i])
            keys[ends[part]] = (np.uint64(hashes[i]) << np.uint64(bits)) | location
            ends[part] += 1


@compiled
def _sort_parts(keys, bounds):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for part in range(len(bounds) - 1):
        keys[bounds[part] : bounds[part + 1]].sort()


@compiled
def _count_keys(keys, shift, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for key in keys:
        counts[np.int64(key >> np.uint64(shift)) + 1] += 1
