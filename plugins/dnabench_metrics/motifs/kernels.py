"""The compiled scan: every window of every sequence scored exactly, in whole numbers.

A window's *loss* is how far its score lies below the best that the matrix can reach, so it is a hit while its loss is
at most the *allowance*, best score minus cut-off. Losses are not negative, so a column's loss may be cut off above the
allowance, and the sums then fit the 16-bit numbers of which a processor adds 32 at a time. With the two bits of a
base's code spread over whole numbers, ``high`` and ``low``, the loss of each column is ``a ^ (high & x) ^ (low & y) ^
(high & low & z)``: no look-up, which would have to be done one window at a time.
"""

from __future__ import annotations

import numpy as np

from dnabench_metrics.compiled import compiled

#: No window of the sequence is a hit.
NONE = -1
#: The code of N.
N = 4
#: Windows are scored in multiples of this many, so that none are left over for a slow loop; those beyond the last one
#: are not looked at.
LANES = 64

# Unsigned, for an index that may be negative keeps the loop from being vectorised; and so may a slice.
_1, _4 = np.uint64(1), np.uint64(4)


@compiled
def _read(row: np.ndarray, high: np.ndarray, low: np.ndarray, unknown: np.ndarray) -> int:
    """Spread the bits of every code over ``high`` and ``low``; N counts as A.

    The places of N go to ``unknown``; their number is returned.
    """
    found = 0
    for i in range(len(row)):
        high[i] = -((row[i] >> 1) & 1)
        low[i] = -(row[i] & 1)
        unknown[found] = i
        found += row[i] == N
    return found


@compiled
def _add_columns(
    losses: np.ndarray,
    windows: np.uint64,
    high: np.ndarray,
    low: np.ndarray,
    terms: np.ndarray,
    first: np.uint64,
    end: np.uint64,
) -> None:
    """Add to the first ``windows`` losses those of the columns whose terms are in rows ``first`` to ``end``.

    Four columns at a time: the losses are then read and written a quarter as often.
    """
    for row in range(first, end, _4):
        column = row - first
        r = np.uint64(row)
        a_0, x_0, y_0, z_0 = terms[r, 0], terms[r, 1], terms[r, 2], terms[r, 3]
        r += _1
        a_1, x_1, y_1, z_1 = terms[r, 0], terms[r, 1], terms[r, 2], terms[r, 3]
        r += _1
        a_2, x_2, y_2, z_2 = terms[r, 0], terms[r, 1], terms[r, 2], terms[r, 3]
        r += _1
        a_3, x_3, y_3, z_3 = terms[r, 0], terms[r, 1], terms[r, 2], terms[r, 3]
        for window in range(windows):
            i = np.uint64(window + column)
            h_0, l_0 = high[i], low[i]
            i += _1
            h_1, l_1 = high[i], low[i]
            i += _1
            h_2, l_2 = high[i], low[i]
            i += _1
            h_3, l_3 = high[i], low[i]
            losses[window] += (
                (a_0 ^ (h_0 & x_0) ^ (l_0 & y_0) ^ (h_0 & l_0 & z_0))
                + (a_1 ^ (h_1 & x_1) ^ (l_1 & y_1) ^ (h_1 & l_1 & z_1))
                + (a_2 ^ (h_2 & x_2) ^ (l_2 & y_2) ^ (h_2 & l_2 & z_2))
                + (a_3 ^ (h_3 & x_3) ^ (l_3 & y_3) ^ (h_3 & l_3 & z_3))
            )


@compiled
def _score(
    losses: np.ndarray,
    windows: int,
    high: np.ndarray,
    low: np.ndarray,
    unknown: np.ndarray,
    found: int,
    terms: np.ndarray,
    extra: np.ndarray,
    first: int,
    end: int,
) -> None:
    """Fill ``losses``, one entry per window, for the strand of a matrix in rows ``first`` to ``end`` of ``terms``.

    ``extra`` is what an N loses beyond an A, per column.
    """
    padded = np.uint64(-(-windows // LANES) * LANES)
    for i in range(padded):
        losses[i] = 0
    _add_columns(losses, padded, high, low, terms, np.uint64(first), np.uint64(end))
    for place in unknown[:found]:
        for j in range(max(0, place - windows + 1), min(end - first, place + 1)):
            losses[place - j] += extra[first + j]


@compiled
def best_and_counts(
    codes: np.ndarray,
    terms: np.ndarray,
    extra: np.ndarray,
    first: np.ndarray,
    widths: np.ndarray,
    allowed: np.ndarray,
    buffer: np.ndarray,
    best: np.ndarray,
    loss: np.ndarray,
    counts: np.ndarray,
) -> None:
    """The leftmost best hit and the number of hits of each strand of each matrix in each sequence.

    Args:
        codes: uint8, shape ``(n, length)``.
        terms, extra: of all strands one after another, each padded with zeros to a multiple of four columns; uint16 or
            uint32, shapes ``(columns, 4)`` and ``(columns,)``.
        first: the first row of each strand in these, and their total, int64, shape ``(strands + 1,)``.
        widths: columns of each strand that are not padding, int64.
        allowed: the largest loss of a hit, of the dtype of ``terms``.
        buffer: of the dtype of ``terms``, shape ``(3, length + 4 + LANES)``, zeros.
        best, loss, counts: int32, shape ``(n, strands)``, written to: start of the window or `NONE`; its loss.
    """
    high, low, losses = buffer[0], buffer[1], buffer[2]
    unknown = np.empty(codes.shape[1] + 1, np.int64)
    for r in range(len(codes)):
        found = _read(codes[r], high, low, unknown)
        for s in range(len(widths)):
            windows = codes.shape[1] - widths[s] + 1
            _score(losses, windows, high, low, unknown, found, terms, extra, first[s], first[s + 1])
            limit = allowed[s]
            hits = 0
            for i in range(windows):
                hits += losses[i] <= limit
            counts[r, s] = hits
            best[r, s] = NONE
            loss[r, s] = np.int32(limit) + 1
            if hits:
                least = limit
                for i in range(windows):
                    least = min(least, losses[i])
                loss[r, s] = least
                for i in range(windows):
                    if losses[i] == least:
                        best[r, s] = i
                        break


@compiled
def occupied_bins(
    codes: np.ndarray,
    terms: np.ndarray,
    extra: np.ndarray,
    first: np.ndarray,
    widths: np.ndarray,
    allowed: np.ndarray,
    buffer: np.ndarray,
    offsets: np.ndarray,
    motifs: np.ndarray,
    bin_width: int,
    occupied: np.ndarray,
) -> None:
    """Mark the bins in which the anchor of a hit lies, on either strand.

    Arguments as of `best_and_counts`, and:
        offsets: from the start of a window to its anchor, for each strand, int64.
        motifs: the motif that each strand belongs to, int64.
        occupied: bool, shape ``(n, motifs, bins)``, all False, written to.
    """
    high, low, losses = buffer[0], buffer[1], buffer[2]
    unknown = np.empty(codes.shape[1] + 1, np.int64)
    for r in range(len(codes)):
        found = _read(codes[r], high, low, unknown)
        for s in range(len(widths)):
            windows = codes.shape[1] - widths[s] + 1
            _score(losses, windows, high, low, unknown, found, terms, extra, first[s], first[s + 1])
            for i in range(windows):
                if losses[i] <= allowed[s]:
                    occupied[r, motifs[s], (i + offsets[s]) // bin_width] = True
