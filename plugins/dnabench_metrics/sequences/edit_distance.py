"""Edit distances of many pairs of sequences at a time."""

from __future__ import annotations

import numpy as np

from dnabench_metrics.compiled import compiled

#: Pairs that the compiled loop advances together; a constant, so that it becomes vector instructions.
LANES = 32
#: Bases of a pattern that one machine word holds.
WORD = 64
ONES = np.uint64(2**64 - 1)


def edit_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The edit (Levenshtein) distance of ``first[i]`` and ``second[i]``, end to end: int64, shape ``(pairs,)``.

    Bit-parallel dynamic programming of Myers 1999 (J ACM 46:395) in blocks of 64 rows, in the form of Hyyro 2003
    (Nordic J Comput 10:29) with a first row that counts up, for `LANES` pairs at a time: the steps of one pair depend
    on each other, those of different pairs do not. N is a letter like the others: equal to N alone.

    Args:
        first: uint8, shape ``(pairs, length)``, A C G T N = 0 1 2 3 4, length of at least 1.
        second: the same, shape ``(pairs, length')``.
    """
    pairs, length = first.shape
    words = -(-length // WORD)
    # Per word and lane: three bits of the pattern's codes, and where the column's differences are +1 and -1.
    state = np.zeros((words, 5, LANES), np.uint64)
    column = np.zeros((5, LANES), np.uint64)
    text = np.zeros((second.shape[1], LANES), np.uint8)
    real_rows = np.full((words, 1), ONES)
    real_rows[-1] = ONES >> np.uint64(words * WORD - length)
    distances = np.empty(pairs, np.int64)
    for start in range(0, pairs, LANES):
        patterns, texts = first[start : start + LANES], second[start : start + LANES]
        lanes = len(patterns)
        state[:, :3, :lanes] = _bit_planes(patterns, words)
        state[:, 3], state[:, 4] = ONES, 0
        text[:, :lanes] = texts.T
        _advance(state.reshape(-1), column.reshape(-1), text)
        ups, downs = (np.bitwise_count(state[:, row] & real_rows).sum(0, dtype=np.int64) for row in (3, 4))
        distances[start : start + LANES] = (texts.shape[1] + ups - downs)[:lanes]
    return distances


def _bit_planes(codes: np.ndarray, words: int) -> np.ndarray:
    """Bit b of every code, 64 to a word, the first base lowest: uint64, shape ``(words, 3, pairs)``."""
    padded = np.zeros((len(codes), words * WORD), np.uint8)
    padded[:, : codes.shape[1]] = codes
    planes = [np.packbits((padded >> bit) & 1, axis=1, bitorder="little").view("<u8") for bit in range(3)]
    return np.stack(planes, axis=1).transpose(2, 1, 0)


# Flat arrays with constant offsets: only then does the compiler know that the rows do not overlap.
@compiled
def _advance(state: np.ndarray, column: np.ndarray, text: np.ndarray) -> None:
    """Move ``state`` from the first column of the matrix to the last; ``column`` is room to work in.

    ``state`` holds, per word, the three bit planes, the +1 and the -1 differences down the column; ``column`` the
    letter's three bits, and the +1 and -1 differences along the row above the word.
    """
    one, sign = np.uint64(1), np.uint64(63)
    for position in range(text.shape[0]):
        for lane in range(LANES):
            letter = np.uint64(text[position, lane])
            column[lane] = np.uint64(0) - (letter & one)
            column[LANES + lane] = np.uint64(0) - ((letter >> one) & one)
            column[2 * LANES + lane] = np.uint64(0) - (letter >> np.uint64(2))
            column[3 * LANES + lane] = one
            column[4 * LANES + lane] = np.uint64(0)
        for word in range(state.shape[0] // (5 * LANES)):
            for lane in range(LANES):
                at = word * 5 * LANES + lane
                equal = ~(
                    (state[at] ^ column[lane])
                    | (state[at + LANES] ^ column[LANES + lane])
                    | (state[at + 2 * LANES] ^ column[2 * LANES + lane])
                )
                up, down = state[at + 3 * LANES], state[at + 4 * LANES]
                carry = column[4 * LANES + lane]
                vertical = equal | down
                equal |= carry
                diagonal = (((equal & up) + up) ^ up) | equal
                right, left = down | ~(diagonal | up), up & diagonal
                shifted_right = (right << one) | column[3 * LANES + lane]
                shifted_left = (left << one) | carry
                column[3 * LANES + lane] = right >> sign
                column[4 * LANES + lane] = left >> sign
                state[at + 3 * LANES] = shifted_left | ~(vertical | shifted_right)
                state[at + 4 * LANES] = shifted_right & vertical
