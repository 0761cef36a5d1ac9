"""Real sets to compare with real sets: what a perfect generator would score, drawn several times over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from dnabench.data.split import relatives
from dnabench.sequences import SequenceSet

#: How often a floor is drawn anew.
DRAWS = 3


class RealPair(NamedTuple):
    """Real sequences in place of generated ones, and real ones for a reference.

    Attributes:
        sources: the sets that they are drawn from.
        rows: their row numbers in these, one set after the other: of either side.
        sides: the two sets.
    """

    sources: tuple[SequenceSet, ...]
    rows: tuple[np.ndarray, np.ndarray]
    sides: tuple[SequenceSet, SequenceSet]

    def origins(self) -> dict[str, tuple[tuple[SequenceSet, ...], np.ndarray]]:
        """For the digest of either side: what it was drawn from, and its rows there."""
        return {side.digest: (self.sources, rows) for side, rows in zip(self.sides, self.rows, strict=True)}


def real_pairs(
    generated: SequenceSet, reference: SequenceSet, *, draws: int, k: int, rng: np.random.Generator
) -> Iterator[RealPair]:
    """The two sets themselves, then others of the same sizes, drawn from both together without dividing relatives.

    Relatives share an exact ``k``-mer on either strand. A draw that comes out smaller, where families are large, is
    left out: a floor is one of the sizes asked for.
    """
    sources, n, m = (generated, reference), len(generated), len(reference)
    yield RealPair(sources, (np.arange(n), np.arange(n, n + m)), (generated, reference))
    if draws == 1:
        return
    pool = _joined(generated, reference)
    groups = relatives(pool, k=k)
    for _ in range(draws - 1):
        rows = repartition(groups, n, m, rng)
        if (len(rows[0]), len(rows[1])) == (n, m):
            yield RealPair(sources, rows, (pool.take(rows[0]), pool.take(rows[1])))


def real_halves(real: SequenceSet, most: int, *, draws: int, k: int, rng: np.random.Generator) -> Iterator[RealPair]:
    """Halves of one set that share no relatives, the first of ``most`` sequences at most, drawn ``draws`` times."""
    half = len(real) // 2
    groups = relatives(real, k=k)
    for _ in range(draws):
        first, second = repartition(groups, half, len(real) - half, rng)
        rows = np.sort(rng.permutation(first)[:most]), second
        yield RealPair((real,), rows, (real.take(rows[0]), real.take(rows[1])))


def repartition(groups: np.ndarray, n: int, m: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two disjoint sets of ``n`` and ``m`` that share no group, ascending.

    Groups of several are placed by falling size, in random order among equals, on a side where they fit, with the
    probability that a row still missing is missing there; single rows then fill the sets up. What fits nowhere of a
    group is left out, and where there are too few single rows in its place the sets come out that much smaller.

    Args:
        groups: whole numbers from 0, shape ``(n + m,)``: which rows belong together.
        n: rows wanted in the first set.
        m: rows wanted in the second.
        rng: decides the draw.
    """
    sizes = np.bincount(groups)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(sizes)[:-1])
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    missing = [n, m]
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for group in order:
        if sizes[group] == 1:
            break
        room = [space if space >= sizes[group] else 0 for space in missing]
        side = int(rng.random() * sum(room) >= room[0]) if any(room) else int(missing[1] > missing[0])
        taken = rng.permutation(members[group])[: missing[side]]
        sides[side].append(taken)
        missing[side] -= len(taken)
    singles = np.flatnonzero(sizes[groups] == 1)
    singles = singles[rng.permutation(len(singles))]
    sides[0].append(singles[: missing[0]])
    sides[1].append(singles[missing[0] :][: missing[1]])
    first, second = (np.sort(np.concatenate(side)) for side in sides)
    return first, second


def _joined(first: SequenceSet, second: SequenceSet) -> SequenceSet:
    labels = pd.concat([first.labels, second.labels], ignore_index=True)
    return SequenceSet(np.concatenate([first.codes, second.codes]), labels=labels, copy=False)
