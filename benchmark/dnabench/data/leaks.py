"""How much of the held-out sequences the training sequences already show: copies, near copies, shared k-mers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array

from dnabench.data.kmers import window_hashes
from dnabench.sequences import ALPHABET, SequenceSet

_MEMORY = 64 << 20
_WINDOW_BYTES = 64  # of a held-out window while its k-mer gets its number
_COMPLEMENT = bytes(ALPHABET.index(letter) for letter in "TGCAN").ljust(256, b"\0")


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """What of the held-out sequences is among the training sequences. All counts are of held-out sequences.

    A k-mer and its reverse complement are one, and k-mers with an N do not count.

    Attributes:
        n: all of them.
        duplicates: identical to a training sequence.
        reverse_complements: the reverse complement is a training sequence. A palindrome may be a duplicate as well.
        relatives: a single training sequence holds at least ``share`` of its distinct k-mers. A sequence without any
            k-mer is nobody's relative.
        any_shared: at least one of its k-mers is in the training sequences.
        k: length of the k-mers compared: as asked, or the length of the shorter sequences where that is less.
        share: as asked.
    """

    n: int
    duplicates: int
    reverse_complements: int
    relatives: int
    any_shared: int
    k: int
    share: float

    @property
    def relative_share(self) -> float:
        """Relatives among the held-out sequences, 0 to 1."""
        return self.relatives / self.n


def leak_report(
    *, train: SequenceSet, held_out: SequenceSet, k: int = 25, share: float = 0.8, memory: int | None = None
) -> Leaks:
    """Compare every held-out sequence with every training sequence, exactly; the lengths of the two may differ.

    ``share`` counts as the decimal it is written as: 4 of 5 k-mers are 0.8. Equal 64-bit hashes are taken for equal
    k-mers (:func:`~dnabench.data.kmers.window_hashes` gives the odds). The held-out sequences are taken in batches that
    are worked on in about ``memory`` bytes, by default twice the codes of both and at least 64 MiB; the counts do not
    depend on it. Time is proportional to the number of windows, plus what the pairs take that share one of the rarest
    k-mers.

    Raises ValueError when no sequence is held out, ``k`` is below 1, or ``share`` is not above 0 and at most 1.
    """
    if not len(held_out):
        raise ValueError("held_out holds no sequence")
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, not {share}")
    k = min(k, held_out.length, train.length)
    memory = memory or max(_MEMORY, 2 * (train.codes.nbytes + held_out.codes.nbytes))
    step = max(1, memory // (_WINDOW_BYTES * held_out.length))
    originals = set(_fingerprints(train.codes))
    counts = np.zeros(4, np.int64)
    for start in range(0, len(held_out), step):
        codes = held_out.codes[start : start + step]
        copies = sum(row in originals for row in _fingerprints(codes))
        mirrored = sum(row in originals for row in _fingerprints(codes, reverse_complement=True))
        counts += copies, mirrored, *_compare(codes, train.codes, k, Fraction(str(share)))
    copies, mirrored, relatives, any_shared = counts.tolist()
    return Leaks(
        n=len(held_out),
        duplicates=copies,
        reverse_complements=mirrored,
        relatives=relatives,
        any_shared=any_shared,
        k=k,
        share=share,
    )


def duplicates(sequences: SequenceSet) -> tuple[int, int]:
    """How many sequences repeat an earlier one, and how many others are the reverse complement of an earlier one.

    No sequence counts twice, and a palindrome does not count for itself: without those counted, every sequence is the
    only one of its kind on either strand.
    """
    seen: set[bytes] = set()
    repeats = reverse_complements = 0
    both = zip(_fingerprints(sequences.codes), _fingerprints(sequences.codes, reverse_complement=True), strict=True)
    for forward, backward in both:
        repeats += forward in seen
        reverse_complements += forward not in seen and backward in seen
        seen.add(forward)
    return repeats, reverse_complements


def _fingerprints(codes: np.ndarray, *, reverse_complement: bool = False) -> Iterator[bytes]:
    """16 bytes for each row, the same for the same sequence alone."""
    for row in codes:
        text = row.tobytes()
        if reverse_complement:
            text = text.translate(_COMPLEMENT)[::-1]
        yield hashlib.blake2b(text, digest_size=16).digest()


def _compare(held_out: np.ndarray, train: np.ndarray, k: int, share: Fraction) -> tuple[int, int]:
    """How many rows of ``held_out`` have a relative in ``train``, and how many share any k-mer with it."""
    kmers, sets = _kmer_sets(held_out, k)
    table = _Table(kmers)
    frequency = np.zeros(len(kmers), np.int64)
    for hashes, _ in window_hashes(train, k):
        np.add.at(frequency, table.find(hashes)[1], 1)
    shared = sets @ (frequency > 0).astype(np.int32)
    needed_of_size = np.array([math.ceil(share * size) for size in range(held_out.shape[1] - k + 2)])
    needed = needed_of_size[np.diff(sets.indptr)]
    # One training sequence holds no more of the k-mers than all of them together.
    rows = np.flatnonzero((shared > 0) & (shared >= needed))
    sets = sets[rows]
    columns = np.flatnonzero((frequency > 0) & (sets.sum(axis=0) > 0))
    related = _related(train, k, kmers[columns], sets[:, columns], frequency[columns], needed[rows])
    return int(related.sum()), int((shared > 0).sum())


def _related(
    train: np.ndarray, k: int, kmers: np.ndarray, sets: csr_array, frequency: np.ndarray, needed: np.ndarray
) -> np.ndarray:
    """Which rows of ``sets`` have at least ``needed`` k-mers in common with one training row; bool, one per row.

    Whoever holds ``needed`` of the s k-mers of a row holds one of any s - needed + 1 of them. So training rows with one
    of the rarest are looked for, and only they are compared (prefix filtering: Chaudhuri, Ganti and Kaushik 2006, A
    primitive operator for similarity joins in data cleaning).
    """
    n, count = sets.shape
    related = np.zeros(n, bool)
    table = _Table(kmers)
    rows, columns = _rarest(sets, frequency, np.diff(sets.indptr) - needed + 1)
    holders = _ones(columns, rows, (count, n))
    for hashes, train_rows in window_hashes(train, k):
        if not holders.nnz:
            break
        places, shown = table.find(hashes)
        if not len(places):
            continue
        block_rows = train_rows[places] - train_rows[0]
        block = _ones(block_rows, shown, (block_rows.max() + 1, count))
        candidates, candidate_rows = (block @ holders).nonzero()
        if not len(candidates):
            continue
        block, tested = block[np.unique(candidates)], np.unique(candidate_rows)
        best = (sets[tested] @ block.T).max(axis=1).toarray()
        found = tested[best >= needed[tested]]
        if len(found):
            related[found] = True
            left = ~related[rows]
            rows, columns = rows[left], columns[left]
            holders = _ones(columns, rows, (count, n))
    return related


def _rarest(sets: csr_array, frequency: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the ``counts`` entries of each row of ``sets`` whose columns have the least ``frequency``."""
    rows = np.repeat(np.arange(sets.shape[0]), np.diff(sets.indptr))
    order = np.lexsort((frequency[sets.indices], rows))
    order = order[np.arange(len(order)) - sets.indptr[rows] < counts[rows]]
    return rows[order], sets.indices[order]


class _Table:
    """Looks hashes up among ``kmers``, which are ascending; most of those that are not there cost one look at a bit."""

    def __init__(self, kmers: np.ndarray) -> None:
        bits = (4 * len(kmers)).bit_length() + 1
        self._kmers = kmers
        self._shift = np.uint64(64 - bits)
        self._maybe = np.zeros(1 << bits, bool)
        self._maybe[kmers >> self._shift] = True

    def find(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The places in ``hashes`` of those that are known, by rising hash, and which of the k-mers they are."""
        places = np.flatnonzero(self._maybe[hashes >> self._shift])
        places = places[np.argsort(hashes[places])]  # a search in rising order stays in the processor's cache
        numbers = np.searchsorted(self._kmers, hashes[places])
        numbers = np.minimum(numbers, len(self._kmers) - 1)
        known = self._kmers[numbers] == hashes[places]
        return places[known], numbers[known]


def _kmer_sets(codes: np.ndarray, k: int) -> tuple[np.ndarray, csr_array]:
    """The distinct k-mers as ascending hashes, and which rows hold which: int32 ones of shape ``(n, kmers)``."""
    hashes, rows = map(np.concatenate, zip(*window_hashes(codes, k), strict=True))
    kmers, columns = np.unique(hashes, return_inverse=True)
    return kmers, _ones(rows, columns, (len(codes), len(kmers)))


def _ones(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> csr_array:
    matrix = csr_array((np.ones(len(rows), np.int32), (rows, columns)), shape=shape)
    matrix.data[:] = 1
    return matrix
