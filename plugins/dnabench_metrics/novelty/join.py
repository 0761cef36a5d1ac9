"""Which training sequences share seeds with a query on about one offset: the pairs worth an alignment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnabench_metrics.compiled import compiled
from dnabench_metrics.novelty.sketch import SeedIndex, Sketch, seeds_of

#: Training sequences that are handed on for a query.
CANDIDATES = 4
#: Places in the training set that are looked at for one seed. A seed of a repeat or of poly-A has more.
PLACES = 256
#: Places that are looked at for one query, its rarest seeds first.
BUDGET = 4096
#: Bases on which identity means something: on fewer, random sequences have relatives among some ten thousand others.
LEAST_OVERLAP = 32
#: A hit holds its weight, up to 9, in its lowest bits.
WEIGHT_BITS = 4
#: Queries whose seeds are held at a time.
BLOCK = 1024


class Candidates(NamedTuple):
    """Candidates of every query, best first; all int64, shape ``(n, CANDIDATES)``.

    Attributes:
        ranks: the training sequence's place in the order of the index, -1 where there is no candidate.
        strands: 1 where the query's reverse complement is meant.
        offsets: index in the training sequence minus index in the query, or in its reverse complement.
    """

    ranks: np.ndarray
    strands: np.ndarray
    offsets: np.ndarray


def least_overlap(query_length: int, train_length: int) -> int:
    """Bases by which two sequences must overlap to be compared: half of the shorter, but 32 where it has as many."""
    shorter = min(query_length, train_length)
    return max((shorter + 1) // 2, min(shorter, LEAST_OVERLAP))


def drift(query_length: int, train_length: int) -> int:
    """By how much the offsets of seeds of one alignment may differ, for insertions and deletions lie between them."""
    return max(8, min(query_length, train_length) // 16)


def find_candidates(codes: np.ndarray, index: SeedIndex, *, train_length: int, sketch: Sketch) -> Candidates:
    """Candidates for ``codes``, uint8 of shape ``(n, length)``, by the seeds of ``index``.

    A candidate shares two or more seeds with the query whose offsets differ by at most :func:`drift`, on one strand,
    and overlaps by at least :func:`least_overlap`. Those with the most weight of shared seeds are taken, in a tie the
    lower rank; a seed with p places weighs ``1 + log2(PLACES / p)``, rounded down.

    Work and memory for a query are bounded whatever the training set repeats: of each seed the first :data:`PLACES`
    places by rank count, and the query's seeds are taken from the rarest on until :data:`BUDGET` places are reached. So
    a repeat cannot hide the rarer seeds of a true neighbour, and of a large family its first members are still found.
    """
    n, length = codes.shape
    found = np.full((n, CANDIDATES, 3), -1, np.int64)
    least, slack = least_overlap(length, train_length), drift(length, train_length)
    for start in range(0, n, BLOCK):
        seeds = seeds_of(codes[start : start + BLOCK], sketch)
        lengths = (length, train_length, sketch.k)
        _join(*seeds, *index, lengths, least, slack, found[start : start + BLOCK])
    return Candidates(found[:, :, 0], found[:, :, 1], found[:, :, 2])


@compiled
def _first_at_least(keys, low, high, bound):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < bound:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _join(hashes, places, bounds, keys, bits, starts, shift, windows, lengths, least, slack, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    hits = np.empty(BUDGET, np.int64)
    one = np.uint64(1) << np.uint64(bits)  # the keys of one hash span this much
    counts = np.empty(max(1, np.max(np.diff(bounds))), np.int64)
    firsts, whose = np.empty_like(counts), np.empty_like(counts)
    for query in range(len(bounds) - 1):
        known = 0
        for i in range(bounds[query], bounds[query + 1]):
            bucket = np.int64(hashes[i]) >> shift
            low, high = starts[bucket], starts[bucket + 1]
            if low == high:
                continue
            key = np.uint64(hashes[i]) << np.uint64(bits)
            low = _first_at_least(keys, low, high, key)
            high = min(high, low + PLACES)
            high = _first_at_least(keys, low, high, key + one)
            if low < high:
                counts[known], firsts[known], whose[known] = high - low, low, places[i]
                known += 1
        total = 0
        for i in np.argsort(counts[:known], kind="mergesort"):
            weight = 1 + np.int64(np.log2(PLACES / counts[i]))
            for j in range(firsts[i], firsts[i] + min(counts[i], BUDGET - total)):
                pair = _hit(np.int64(keys[j] & (one - np.uint64(1))), whose[i], windows, lengths)
                hits[total] = (pair << WEIGHT_BITS) | weight
                total += 1
            if total == BUDGET:
                break
        hits[:total].sort()
        _best(hits[:total], lengths, least, slack, found[query])


@compiled
def _hit(location, place, windows, lengths):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """One number that sorts by training sequence, strand and offset."""
    query_length, train_length, k = lengths
    start, rank = (location >> 1) % windows, (location >> 1) // windows
    strand = (location ^ place) & 1
    own = query_length - k - (place >> 1) if strand else place >> 1
    return (2 * rank + strand) * (query_length + train_length) + start - own + query_length


@compiled
def _best(hits, lengths, least, slack, found):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Weigh each pair and strand by its heaviest hits within ``slack`` offsets; write the heaviest to ``found``."""
    query_length, train_length, _ = lengths
    span, mask = query_length + train_length, (1 << WEIGHT_BITS) - 1
    weights = np.zeros(len(found), np.int64)
    last = 0
    while last < len(hits):
        pair = (hits[last] >> WEIGHT_BITS) // span
        low, weight, most, best_offset = last, 0, 0, 0
        while last < len(hits) and (hits[last] >> WEIGHT_BITS) < (pair + 1) * span:
            weight += hits[last] & mask
            while (hits[last] >> WEIGHT_BITS) - (hits[low] >> WEIGHT_BITS) > slack:
                weight -= hits[low] & mask
                low += 1
            offset = (hits[(low + last) // 2] >> WEIGHT_BITS) % span - query_length
            overlap = min(query_length, train_length - offset) - max(0, -offset)
            if last > low and weight > most and overlap >= least:
                most, best_offset = weight, offset
            last += 1
        place = len(found)
        while place > 0 and most > weights[place - 1]:
            place -= 1
        if place < len(found):
            for i in range(len(found) - 1, place, -1):
                weights[i] = weights[i - 1]
                found[i] = found[i - 1]
            weights[place] = most
            found[place, 0], found[place, 1], found[place, 2] = pair >> 1, pair & 1, best_offset
