"""What stands in for generators when metrics are calibrated and FReD's encoder is trained: codes in, codes out.

All codes are uint8 of shape ``(n, length)``, A C G T = 0 1 2 3.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def mutated(codes: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Every base becomes one of the other three with probability ``rate``."""
    other = (codes + rng.integers(1, 4, codes.shape)) % 4
    return np.where(rng.random(codes.shape) < rate, other, codes).astype(np.uint8)


def markov(fitted: np.ndarray, order: int, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A homogeneous chain with the (order + 1)-mer counts of ``fitted``, begun with one of its k-mers."""
    windows = fitted.shape[1] - order
    words = sum(fitted[:, i : i + windows].astype(np.int64) * 4 ** (order - i) for i in range(order + 1))
    words = np.ravel(words)
    counts = np.bincount(words, minlength=4 ** (order + 1)).reshape(-1, 4) + 1e-9
    edges = (counts / counts.sum(1, keepdims=True)).cumsum(1)[:, :3]
    state = rng.choice(words, shape[0]) // 4
    columns = [state // 4 ** (order - 1 - i) % 4 for i in range(order)]
    while len(columns) < shape[1]:
        columns.append((rng.random(shape[0])[:, None] > edges[state]).sum(1))
        state = (4 * state + columns[-1]) % 4**order
    return np.stack(columns, axis=1).astype(np.uint8)


def per_position(fitted: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Independent bases with each position's frequencies in ``fitted``."""
    edges = np.cumsum([(fitted == base).mean(0) for base in range(3)], axis=0)
    bases = (rng.random(shape) > edges[:, None]).sum(0)
    return np.asarray(bases, np.uint8)


def dinucleotide_shuffle(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random sequence with the dinucleotide counts of ``row`` and its ends (Altschul and Erickson 1985)."""
    end = int(row[-1])
    following = [row[1:][row[:-1] == base].tolist() for base in range(4)]
    open_bases = [base for base in range(4) if base != end and following[base]]
    last: dict[int, int] = {}
    while not all(_reaches(base, end, last) for base in open_bases):
        last = {base: following[base][rng.integers(len(following[base]))] for base in open_bases}
    walks: list[Iterator[int]] = []
    for base, edges in enumerate(following):
        if base in last:
            edges.remove(last[base])
        walks.append(iter([*rng.permutation(edges).astype(int).tolist(), *([last[base]] if base in last else [])]))
    shuffled = [int(row[0])]
    for _ in range(len(row) - 1):
        shuffled.append(next(walks[shuffled[-1]]))
    return np.array(shuffled, np.uint8)


def _reaches(base: int, end: int, last: dict[int, int]) -> bool:
    for _ in range(4):
        base = last.get(base, base)
    return base == end
