"""Dinucleotide shuffles, uniform over all sequences with the same dinucleotide counts, first and last base.

Altschul & Erickson (1985), Mol Biol Evol 2:526-538: a sequence is an Eulerian walk over the graph whose vertices are
bases and whose edges are its dinucleotides. Walks correspond to choices of the order in which each vertex's edges are
used; such an order is a walk exactly when the last edges of the vertices form a tree towards the last base (the BEST
theorem). So the tree is drawn first, each tree as likely as the product of its edges' multiplicities, then the other
edges in any order. With five letters there are but 125 trees towards a base, and the draw takes no rejection; N is a
letter like the others.
"""

from __future__ import annotations

from itertools import product

import numpy as np

LETTERS = 5
CHUNK = 2048  # sequences shuffled at once: 10 MB of tree weights


def dinucleotide_shuffle(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One shuffle of each sequence: uint8, shape ``(n, length)`` as ``codes``."""
    if codes.shape[1] < 4:
        return codes.copy()  # fewer than four bases have one arrangement
    shuffled = np.empty_like(codes)
    for first in range(0, len(codes), CHUNK):
        shuffled[first : first + CHUNK] = _shuffle(codes[first : first + CHUNK], rng)
    return shuffled


def _trees() -> np.ndarray:
    """All spanning trees towards each base, shape ``(5, 125, 5)``.

    Entry ``[root, tree, base]`` is where the base's edge leads; the root leads to itself.
    """
    trees: list[list[tuple[int, ...]]] = [[] for _ in range(LETTERS)]
    for heads in product(range(LETTERS), repeat=LETTERS):
        ends = np.arange(LETTERS)
        for _ in range(LETTERS):
            ends = np.array(heads)[ends]
        root = int(ends[0])
        if (ends == root).all() and heads[root] == root:
            trees[root].append(heads)
    return np.array(trees)


TREES = _trees()


def _shuffle(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    tails, heads = codes[:, :-1].astype(np.int64), codes[:, 1:].astype(np.int64)
    n, edges = tails.shape
    rows = np.arange(n)
    counts = np.bincount(
        (rows[:, None] * LETTERS**2 + LETTERS * tails + heads).ravel(), minlength=n * LETTERS**2
    ).reshape(n, LETTERS, LETTERS)
    last_heads = _draw_trees(counts, codes[:, -1], rng)

    # Sorting by (tail, key) puts every base's outgoing edges together in random order, the edge of the tree at the end.
    keys = rng.random((n, edges))
    for base in range(LETTERS):
        of_tree = (tails == base) & (heads == last_heads[:, base, None])
        chosen = np.flatnonzero(of_tree.any(axis=1) & (codes[:, -1] != base))
        keys[chosen, of_tree[chosen].argmax(axis=1)] = 1.0
    order = np.argsort(2 * tails + keys, axis=1)
    successors = np.take_along_axis(codes[:, 1:], order, axis=1)

    out_degrees = counts.sum(2)
    following = np.cumsum(out_degrees, axis=1) - out_degrees  # the next unused edge of each base
    walk = np.empty((edges + 1, n), np.uint8)
    walk[0] = codes[:, 0]
    for step in range(edges):
        here = walk[step]
        edge = following[rows, here]
        walk[step + 1] = successors[rows, edge]
        following[rows, here] = edge + 1
    return walk.T


def _draw_trees(counts: np.ndarray, roots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where each base's last edge leads: shape ``(n, 5)``; meaningless for the root and for bases that are absent."""
    rows = np.arange(len(counts))
    weights = counts.astype(np.float64)
    # A base that is absent, and the root, have no last edge; with one way out each, the trees of five letters serve.
    absent, base = np.nonzero(counts.sum(2) == 0)
    weights[absent, base, roots[absent]] = 1.0
    weights[rows, roots, roots] = 1.0
    trees = TREES[roots]
    of_tree = weights[rows[:, None, None], np.arange(LETTERS), trees].prod(axis=2)
    edges = np.cumsum(of_tree, axis=1)
    drawn = (rng.random((len(rows), 1)) * edges[:, -1:] >= edges).sum(axis=1)
    chosen: np.ndarray = trees[rows, drawn]
    return chosen
