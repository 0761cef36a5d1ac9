"""Splits that keep relatives together (design rule 5.2).

Sequences that share an exact 50-mer on either strand are relatives; relatives of relatives too. A group of relatives is
never divided, so that a test sequence has no near copy among the training sequences.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dnabench.errors import UserError
from dnabench.sequences import N, SequenceSet

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, hence invertible modulo 2^64
_BASE_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))
_LETTERS = np.random.default_rng(50).integers(1, 2**63, size=5, dtype=np.uint64)


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


def halves(sequences: SequenceSet, *, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two seeded parts of nearly equal size that share no group of relatives; the second is the larger."""
    groups = relatives(sequences, k=k)
    place = rng.permutation(groups.max() + 1)[groups]
    order = np.argsort(place, kind="stable")
    starts = np.flatnonzero(np.diff(place[order], prepend=-1))
    cut = starts[starts <= len(order) // 2].max()
    return np.sort(order[:cut]), np.sort(order[cut:])


def relatives(sequences: SequenceSet, *, k: int) -> np.ndarray:
    """Group numbers, int32 of shape ``(n,)``: sequences joined by shared exact k-mers on either strand.

    Windows with an N join nothing. Sequences shorter than ``k`` are compared whole.
    """
    n = len(sequences)
    hashes, owners = _window_hashes(sequences.codes, min(k, sequences.length))
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    same = np.flatnonzero(hashes[1:] == hashes[:-1])
    edges = (np.ones(len(same), np.int8), (owners[same], owners[same + 1]))
    groups: np.ndarray = connected_components(coo_array(edges, shape=(n, n)), directed=False)[1]
    return groups


def _window_hashes(codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Strand-independent 64-bit hashes of every window without N, and the row each belongs to.

    Polynomial hashes modulo 2^64: with S the running sum of letter(t) B^t, a window from i hashes to
    (S[i+k] - S[i]) B^-i; its reverse complement likewise with the powers reversed. The smaller of the two stands for
    both strands.
    """
    n, length = codes.shape
    windows = length - k + 1
    complement = np.array([3, 2, 1, 0, N], np.uint8)
    powers, inverses = _powers(_BASE, length + 1), _powers(_BASE_INVERSE, length + 1)
    with np.errstate(over="ignore"):
        forward = _window_sums(_LETTERS[codes] * powers[:length], k) * inverses[:windows]
        backward = _window_sums(_LETTERS[complement[codes]] * inverses[:length], k) * powers[k - 1 : k - 1 + windows]
    clean = _window_sums((codes == N).astype(np.uint64), k) == 0
    owners = np.broadcast_to(np.arange(n, dtype=np.int32)[:, None], (n, windows))
    return np.minimum(forward, backward)[clean], owners[clean]


def _window_sums(terms: np.ndarray, k: int) -> np.ndarray:
    totals = np.zeros((terms.shape[0], terms.shape[1] + 1), np.uint64)
    np.cumsum(terms, axis=1, out=totals[:, 1:])
    sums: np.ndarray = totals[:, k:] - totals[:, :-k]
    return sums


def _powers(base: np.uint64, count: int) -> np.ndarray:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)
