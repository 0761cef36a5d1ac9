"""Where the hits of motifs lie in each sequence, and how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnabench import UserError
from dnabench_metrics.features import require_samples
from dnabench_metrics.motifs.kernels import LANES, NONE, best_and_counts, occupied_bins
from dnabench_metrics.motifs.matrices import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dnabench import Context, SequenceSet
    from dnabench_metrics.motifs.matrices import Motif

#: The position of a sequence without a hit.
ABSENT = NONE


class Hits(NamedTuple):
    """What a scan found.

    Attributes:
        positions: of each sequence's best hit of each motif, int32, shape ``(n, motifs)``, `ABSENT` where there is
            none. See `best_hit_positions`.
        counts: number of hits, int32, shape ``(n, motifs)``. See `hit_counts`.
    """

    positions: np.ndarray
    counts: np.ndarray


def require_comparable(generated: SequenceSet, reference: SequenceSet, motifs: Sequence[Motif], *, metric: str) -> None:
    """UserError for sides of different lengths, with fewer than two sequences or shorter than a motif is wide."""
    require_samples(generated, side="generated", metric=metric)
    require_samples(reference, side="reference", metric=metric)
    if generated.length != reference.length:
        raise UserError(
            f"{metric}: generated sequences of {generated.length} bp cannot be compared with a reference of "
            f"{reference.length} bp"
        )
    require_room(motifs, reference.length, metric=metric)


def require_room(motifs: Sequence[Motif], length: int, *, metric: str) -> None:
    """UserError when a motif is wider than sequences of ``length`` bp."""
    widest = max(motifs, key=lambda motif: motif.width)
    if widest.width > length:
        raise UserError(
            f"{metric}: motif {widest.name} is {widest.width} bp wide and cannot be looked for in sequences of "
            f"{length} bp"
        )


def hits_of(sequences: SequenceSet, motifs: Sequence[Motif], context: Context) -> Hits:
    """The hits in a set, remembered for all metrics that look for the same motifs with the same cut-offs."""
    found = context.per_sequence(
        f"motif hits {digest(motifs)}", sequences, lambda whole: np.stack(scan(whole.codes, motifs), axis=2)
    )
    return Hits(found[:, :, 0], found[:, :, 1])


def occupancy_of(sequences: SequenceSet, motifs: Sequence[Motif], bin_width: int, context: Context) -> np.ndarray:
    """The `occupancy` of a set, remembered as packed bits: bool, shape ``(n, motifs, bins)``."""
    bits = _bits(sequences, motifs, bin_width, context)
    return np.unpackbits(bits, axis=2, count=-(-sequences.length // bin_width)).view(bool)


def position_bits(sequences: SequenceSet, motifs: Sequence[Motif], context: Context) -> np.ndarray:
    """The positions of all hits, remembered, as packed bits: uint8, shape ``(n, motifs, bytes)``."""
    return _bits(sequences, motifs, 1, context)


def _bits(sequences: SequenceSet, motifs: Sequence[Motif], bin_width: int, context: Context) -> np.ndarray:
    return context.per_sequence(
        f"motif bins of {bin_width} bp {digest(motifs)}",
        sequences,
        lambda whole: np.packbits(occupancy(whole.codes, motifs, bin_width), axis=2),
    )


def scan(codes: np.ndarray, motifs: Sequence[Motif]) -> Hits:
    """Best hits and counts of every motif. No motif may be wider than the sequences.

    Every window counts, from the first base to the last, those that overlap another hit too; an N scores as the worst
    base of its column does.

    Args:
        codes: uint8, shape ``(n, length)``, A C G T N = 0 1 2 3 4.
        motifs: what to look for, and on which strands.
    """
    hits = Hits(*(np.empty((len(codes), len(motifs)), np.int32) for _ in range(2)))
    for members, table in _tables(motifs):
        best, loss, counts = (np.empty((len(codes), len(table.widths)), np.int32) for _ in range(3))
        best_and_counts(codes, *table.arrays, table.buffer(codes.shape[1]), best, loss, counts)
        for m in members:
            # The given strand comes first: where losses are equal it wins.
            strands = np.flatnonzero(table.motifs == m)
            wins = strands[loss[:, strands].argmin(axis=1)]
            start = best[np.arange(len(codes)), wins]
            hits.positions[:, m] = np.where(start == NONE, ABSENT, start + table.offsets[wins])
            hits.counts[:, m] = counts[:, strands].sum(axis=1)
    return hits


def best_hit_positions(codes: np.ndarray, motif: Motif) -> np.ndarray:
    """Position of each sequence's best hit: int32, shape ``(n,)``, `ABSENT` where no window reaches the cut-off.

    A position is the 0-based index, in the sequence, of the motif's anchor base. Of equal scores the given strand wins
    over the opposite one, then the leftmost window.
    """
    return scan(codes, [motif]).positions[:, 0]


def hit_counts(codes: np.ndarray, motifs: Sequence[Motif]) -> np.ndarray:
    """Number of windows that reach the cut-off: int32, shape ``(n, motifs)``.

    A window of a motif with two strands counts once for each strand on which it is a hit, as in FIMO (Grant et al.
    2011, Bioinformatics 27:1017): palindromes count twice.
    """
    return scan(codes, motifs).counts


def occupancy(codes: np.ndarray, motifs: Sequence[Motif], bin_width: int) -> np.ndarray:
    """Whether the anchor of any hit lies in a bin: bool, shape ``(n, motifs, bins)``, the last bin may be narrower."""
    n, length = codes.shape
    occupied = np.zeros((n, len(motifs), -(-length // bin_width)), bool)
    for _, table in _tables(motifs):
        occupied_bins(codes, *table.arrays, table.buffer(length), table.offsets, table.motifs, bin_width, occupied)
    return occupied


def _tables(motifs: Sequence[Motif]) -> Iterator[tuple[np.ndarray, _Table]]:
    """The motifs in one table of 16-bit sums and, where some need more, one of 32-bit sums; with their numbers.

    The first is scanned twice as fast, and in a set of hundreds there are always some that need more.
    """
    largest = [_losses(motif.weights, _allowance(motif)).max(axis=1).sum() for motif in motifs]
    small = np.array(largest) < 2**16
    for members, dtype in ((np.flatnonzero(small), np.uint16), (np.flatnonzero(~small), np.uint32)):
        if len(members):
            yield members, _Table(motifs, members, dtype)


class _Table:
    """Motifs as the kernels take them: each with a strand or two, columns as bitwise terms.

    Attributes:
        motifs: the number of the motif that each strand belongs to, int64.
        offsets: from the start of a window to its anchor, for each strand, int64.
        widths: of each strand, int64.
        arrays: the arguments of the kernels between ``codes`` and ``buffer``.
    """

    def __init__(self, motifs: Sequence[Motif], members: np.ndarray, dtype: type[np.unsignedinteger]) -> None:
        self.dtype = dtype
        strands = [(m, *strand) for m in members for strand in _strands(motifs[m])]
        self.motifs = np.array([m for m, _, _ in strands], np.int64)
        self.offsets = np.array([offset for _, _, offset in strands], np.int64)
        self.widths = np.array([len(weights) for _, weights, _ in strands], np.int64)
        allowed = [_allowance(motifs[m]) for m, _, _ in strands]
        columns = [_losses(weights, limit) for (_, weights, _), limit in zip(strands, allowed, strict=True)]
        a, c, g, t = np.concatenate(columns).T
        terms = np.stack([a, a ^ g, a ^ c, a ^ c ^ g ^ t], axis=1).astype(dtype)
        extra = (np.maximum.reduce([a, c, g, t]) - a).astype(dtype)
        first = np.concatenate([[0], np.cumsum([len(rows) for rows in columns])])
        self.arrays = (terms, extra, first, self.widths, np.array(allowed, dtype))

    def buffer(self, length: int) -> np.ndarray:
        """Working space for sequences of ``length``."""
        return np.zeros((3, length + 4 + LANES), self.dtype)


def _allowance(motif: Motif) -> int:
    """How far below the best score a hit may score."""
    return int(motif.weights.max(axis=1).sum()) - motif.cutoff


def _strands(motif: Motif) -> list[tuple[np.ndarray, int]]:
    """The matrix of each strand looked at and the anchor's row in it."""
    given = (motif.weights, motif.anchor)
    if motif.strands == "+":
        return [given]
    # The reverse complement of a matrix: rows from last to first, A and T, C and G swapped.
    return [given, (motif.weights[::-1, ::-1], motif.width - 1 - motif.anchor)]


def _losses(weights: np.ndarray, limit: int) -> np.ndarray:
    """What each base loses against the best of its column, at most ``limit + 1``: int64, rows a multiple of four."""
    losses = np.minimum(weights.max(axis=1, keepdims=True).astype(np.int64) - weights, limit + 1)
    return np.concatenate([losses, np.zeros((-len(losses) % 4, 4), np.int64)])
