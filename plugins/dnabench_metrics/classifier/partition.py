"""What a classifier is trained on and what it is tested on, so that a copy never gives its original away."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Partition(NamedTuple):
    """Row numbers of one side, int64, in an order that the sequences and the seed decide."""

    training: np.ndarray
    held_out: np.ndarray


def partition(generated: np.ndarray, reference: np.ndarray, *, training: int, seed: int) -> tuple[Partition, Partition]:
    """Draw ``training`` rows a side to train on and hold the others out.

    The first copy of a sequence on one side is drawn together with the first copy on the other, the second with the
    second, and so on. Were they drawn apart, a classifier would have learned the held-out one with the wrong label, and
    a generator that copies the reference would have an AUROC far below 0.5. What one side holds in excess is drawn
    freely: where copies count, a sequence that a generator repeats is evidence, in the training part as in the held-out
    one.

    The draw depends on neither the order of the rows nor which side is which.

    Args:
        generated: uint8 codes, shape ``(n, length)``, length > 0.
        reference: uint8 codes, shape ``(m, length)``.
        training: at most n and at most m.
        seed: of the draw.
    """
    n, m = len(generated), len(reference)
    order = _drawing_order(generated, reference, seed)
    sides = order[:n], order[n:]
    # Sorted, which is the order of the draw. Enough pairs that the others of the smaller side can fill up the rest.
    pairs = np.intersect1d(*sides, assume_unique=True)
    training_pairs = -(-training * len(pairs) // min(n, m))
    first, second = (_part(side, pairs, training_pairs, training) for side in sides)
    return first, second


def _part(order: np.ndarray, pairs: np.ndarray, training_pairs: int, training: int) -> Partition:
    rows = np.argsort(order)
    of_pair = np.isin(order[rows], pairs)
    drawn = np.isin(order[rows], pairs[:training_pairs])
    drawn[np.flatnonzero(~of_pair)[: training - training_pairs]] = True
    return Partition(rows[drawn], rows[~drawn])


def _drawing_order(generated: np.ndarray, reference: np.ndarray, seed: int) -> np.ndarray:
    """A random number per row of both sides: int64, shape ``(n + m,)``.

    Distinct within a side; equal across the sides for the i-th copies of one sequence.
    """
    both = np.ascontiguousarray(np.concatenate([generated, reference]))
    _, sequence = np.unique(both.view(f"V{both.shape[1]}").ravel(), return_inverse=True)
    copy = np.concatenate([_copy_numbers(sequence[: len(generated)]), _copy_numbers(sequence[len(generated) :])])
    distinct, key = np.unique(sequence * (copy.max() + 1) + copy, return_inverse=True)
    order: np.ndarray = np.random.default_rng(seed).permutation(len(distinct))[key]
    return order


def _copy_numbers(sequence: np.ndarray) -> np.ndarray:
    """How many earlier rows hold the same number: int64, the shape of ``sequence``."""
    rows = np.argsort(sequence, kind="stable")
    _, first, counts = np.unique(sequence[rows], return_index=True, return_counts=True)
    numbers = np.empty(len(rows), np.int64)
    numbers[rows] = np.arange(len(rows)) - np.repeat(first, counts)
    return numbers
