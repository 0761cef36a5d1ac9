"""The compiled count of distances between the hits of pairs of motifs."""

from __future__ import annotations

import numpy as np

from dnabench_metrics.compiled import compiled


@compiled
def _places(row: np.ndarray, places: np.ndarray) -> int:
    """Write the positions of the bits that are set in ``row``, the first the highest of a byte; return their number."""
    found = 0
    for i in range(len(row)):
        if row[i]:
            for bit in range(8):
                if row[i] >> (7 - bit) & 1:
                    places[found] = 8 * i + bit
                    found += 1
    return found


@compiled
def _find(hits: np.ndarray, places: np.ndarray, found: np.ndarray) -> None:
    for m in range(len(hits)):
        found[m] = _places(hits[m], places[m])


@compiled
def count_distances(hits: np.ndarray, pairs: np.ndarray, reach: int, bin_width: int, counts: np.ndarray) -> None:
    """Count the distances, second motif minus first, of all pairs of hits that are at most ``reach`` apart.

    Args:
        hits: packed bits, uint8, shape ``(n, motifs, bytes)``: the positions of the hits.
        pairs: the two motifs of each pair, int64, shape ``(pairs, 2)``.
        reach, bin_width: bp.
        counts: int64, shape ``(pairs, bins)``, zeros, written to; bin 0 begins at ``-reach``.
    """
    places = np.empty((hits.shape[1], 8 * hits.shape[2]), np.int64)
    found = np.empty(hits.shape[1], np.int64)
    for r in range(len(hits)):
        _find(hits[r], places, found)
        for k in range(len(pairs)):
            a, b = pairs[k]
            for i in range(found[a]):
                for j in range(found[b]):
                    distance = places[b, j] - places[a, i]
                    if -reach <= distance <= reach:
                        counts[k, (distance + reach) // bin_width] += 1


@compiled
def sum_slopes(
    hits: np.ndarray, pairs: np.ndarray, reach: int, bin_width: int, slopes: np.ndarray, sums: np.ndarray
) -> None:
    """Add up, for every sequence and pair, the slopes of the bins of its distances.

    Arguments as of `count_distances`, and:
        slopes: float64, shape ``(pairs, bins)``.
        sums: float64, shape ``(n, pairs)``, zeros, written to.
    """
    places = np.empty((hits.shape[1], 8 * hits.shape[2]), np.int64)
    found = np.empty(hits.shape[1], np.int64)
    for r in range(len(hits)):
        _find(hits[r], places, found)
        for k in range(len(pairs)):
            a, b = pairs[k]
            for i in range(found[a]):
                for j in range(found[b]):
                    distance = places[b, j] - places[a, i]
                    if -reach <= distance <= reach:
                        sums[r, k] += slopes[k, (distance + reach) // bin_width]
