"""Splits that keep relatives together (design rule 5.2).

Sequences that share an exact 50-mer on either strand are relatives; relatives of relatives too. A group of relatives is
never divided, so that a test sequence has no near copy among the training sequences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dnabench.data.kmers import window_hashes
from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.sequences import SequenceSet

_MEMORY = 64 << 20
_WINDOW_BYTES = 32  # while hashes (8 bytes) and rows (4) are sorted by an index (8)
_EDGES = 1 << 16


class Split(NamedTuple):
    """Row numbers of each part, ascending."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def group_split(
    sequences: SequenceSet, *, fractions: tuple[float, float, float], k: int, rng: np.random.Generator
) -> Split:
    """Divide into train, validation and test by ``fractions``, keeping every group of relatives whole.

    Groups of several are placed by falling size, in seeded order among equals, where the largest share is still missing
    and they fit, else in training: so every part holds about the same share of relatives, as a sample of the whole
    would. Single sequences then fill the parts up. Raises UserError when a part stays empty.
    """
    n = len(sequences)
    groups = relatives(sequences, k=k)
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    targets = np.round(n * np.array(fractions)).astype(np.int64)
    targets[0] = n - targets[1:].sum()
    missing = targets.copy()
    part_of_group = np.zeros(len(sizes), np.int8)
    several = order[sizes[order] > 1]
    for group in several:
        shares = np.where(missing >= sizes[group], missing / np.maximum(targets, 1), -1.0)
        part = int(np.argmax(shares)) if shares.max() >= 0 else 0
        part_of_group[group] = part
        missing[part] -= sizes[group]
    singles = order[len(several) :]
    quotas = np.maximum(missing, 0)
    # Where a large group has overdrawn training, validation and test share what is left in proportion.
    quotas[1:] = quotas[1:] * min(1.0, len(singles) / max(quotas[1:].sum(), 1))
    quotas[0] = len(singles) - quotas[1:].sum()
    part_of_group[singles] = np.repeat(np.arange(3, dtype=np.int8), quotas)
    part = part_of_group[groups]
    split = Split(*(np.flatnonzero(part == i) for i in range(3)))
    for name, rows in zip(Split._fields, split, strict=True):
        if not len(rows):
            raise UserError(
                f"{n} sequences in {len(sizes)} groups of relatives (shared {k}-mers) are too few to split into "
                f"train, validation and test: {name} stays empty"
            )
    return split


def random_split(sequences: SequenceSet, *, fractions: tuple[float, float, float], rng: np.random.Generator) -> Split:
    """Divide row by row, relatives or not. A test sequence may have near copies among the training sequences.

    Raises UserError when a part stays empty.
    """
    n = len(sequences)
    sizes = np.round(n * np.array(fractions[1:])).astype(np.int64)
    if min(n - sizes.sum(), *sizes) < 1:
        raise UserError(f"{n} sequences are too few to split into train, validation and test")
    validation, test, train = np.split(rng.permutation(n), np.cumsum(sizes))
    return Split(*map(np.sort, (train, validation, test)))


def relatives(sequences: SequenceSet, *, k: int, memory: int | None = None) -> np.ndarray:
    """Group numbers, int32 of shape ``(n,)``: sequences joined by shared exact k-mers on either strand.

    Groups are numbered by their first row. Windows with an N join nothing. Sequences shorter than ``k`` are compared
    whole. Equal 64-bit hashes are taken for equal k-mers (:func:`~dnabench.data.kmers.window_hashes` gives the odds).

    About ``memory`` bytes are worked in, by default twice the codes and at least 64 MiB. Each pass over the sequences
    compares the k-mers in one range of hashes, as many as fit; the groups do not depend on it. By default that makes 16
    passes at most, so the time grows with the number of windows. Raises ValueError when ``k`` is below 1.
    """
    codes, k = sequences.codes, min(k, sequences.length)
    room = max(1, (memory or max(_MEMORY, 2 * codes.nbytes)) // _WINDOW_BYTES)
    passes = -(-codes.shape[0] * (codes.shape[1] - k + 1) // room)
    groups = np.arange(len(codes), dtype=np.int32)
    for number in range(passes):
        first, last = (number << 64) // passes, ((number + 1) << 64) // passes - 1
        found: list[tuple[np.ndarray, np.ndarray]] = []
        held, limit = 0, room + room // 8  # hashes are spread evenly, but repeated ones come in lumps
        for hashes, rows in window_hashes(codes, k):
            inside = hashes - np.uint64(first) <= np.uint64(last - first)
            found.append((hashes[inside], rows[inside]))
            held += len(found[-1][0])
            if held > limit:
                groups = _join(groups, found)
                held = len(found[0][0])
                limit = max(limit, 2 * held)
        groups = _join(groups, found)
    return groups


def _join(groups: np.ndarray, found: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The groups after joining rows of equal hashes; of the (hashes, rows) in ``found`` one row per hash is left."""
    hashes, rows = map(np.concatenate, zip(*found, strict=True))
    found.clear()
    order = np.argsort(hashes)
    hashes, rows = hashes[order], rows[order]
    del order
    repeated = hashes[1:] == hashes[:-1]
    left, right = rows[:-1][repeated], rows[1:][repeated]
    first = np.ones(len(hashes), bool)
    first[1:] = ~repeated
    found.append((hashes[first], rows[first]))
    n = len(groups)
    step = max(n, _EDGES)
    for start in range(0, len(left), step):
        a, b = groups[left[start : start + step]], groups[right[start : start + step]]
        apart = a != b
        if apart.any():
            edges = coo_array((np.ones(apart.sum(), np.int8), (a[apart], b[apart])), shape=(n, n))
            groups = connected_components(edges, directed=False)[1][groups]
    return groups
