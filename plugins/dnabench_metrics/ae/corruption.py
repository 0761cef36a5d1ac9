"""The damage that FReD's encoder is trained to see: real promoters with known amounts of known faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dnabench_metrics.stand_ins import markov, per_position

#: What a sequence can suffer, in the order of the readings.
KINDS = (
    "uniform-substitutions",  # bases replaced by uniform ones
    "internal-substitutions",  # bases replaced by others of the same sequence: composition stays
    "markov-window",  # a window from a Markov chain of order 1 to 5: k-mers stay
    "independent-window",  # a window of independent bases with the frequencies of their positions
    "foreign-window",  # a window from another promoter and another place
    "swapped-windows",  # two windows of the sequence have changed places
    "rotation",  # the sequence has moved in a circle
    "chimera",  # the left part of one promoter and the right part of another
)
HIGHEST_RATE = 0.30
#: Share of the sequences that have no structural damage, and no substitutions.
INTACT = 0.4
#: Sequences of every stand-in that windows are cut from, for each group.
POOL = 1500
ORDERS = (1, 2, 3, 4, 5)
LARGEST_ROTATION = 64
SHORTEST_WINDOW = 16

Damage = Callable[[np.ndarray, int, np.random.Generator], float]


@dataclass(frozen=True)
class Corrupted:
    """A batch as the encoder sees it, and what it is to tell.

    Attributes:
        seen: uint8, shape ``(n, length)``: with structural damage and substitutions.
        target: uint8, shape ``(n, length)``: before the substitutions.
        amounts: float32, shape ``(n, kinds)``: how much of which damage, 0 for none to about 1.
    """

    seen: np.ndarray
    target: np.ndarray
    amounts: np.ndarray


class Corruption:
    """Damages batches of promoters, each in the manner of its own group (species, where that is known)."""

    def __init__(self, codes: np.ndarray, groups: np.ndarray, rng: np.random.Generator) -> None:
        """``codes`` uint8 of shape ``(n, length)`` without N, length at least 64; ``groups`` a label for each row."""
        self._codes = codes
        self._groups = groups
        self._members = {group: np.flatnonzero(groups == group) for group in np.unique(groups)}
        shape = (POOL, codes.shape[1])
        self._chains: dict[str, np.ndarray] = {}
        self._independent: dict[str, np.ndarray] = {}
        for group, rows in self._members.items():
            own = codes[rows]
            self._chains[group] = np.concatenate([markov(own, order, shape, rng) for order in ORDERS])
            composition = rng.permuted(own, axis=1)
            self._independent[group] = np.concatenate([per_position(x, shape, rng) for x in (own, composition)])
        self._structural: dict[str, Damage] = {
            "markov-window": self._markov_window,
            "independent-window": self._independent_window,
            "foreign-window": self._foreign_window,
            "swapped-windows": self._swapped_windows,
            "rotation": self._rotation,
            "chimera": self._chimera,
        }

    def batch(self, size: int, rng: np.random.Generator) -> Corrupted:
        """``size`` promoters: most with one structural damage, most with substitutions, drawn independently."""
        rows = rng.integers(len(self._codes), size=size)
        target = self._codes[rows]
        amounts = np.zeros((size, len(KINDS)), np.float32)
        names = list(self._structural)
        for i, row in enumerate(rows):
            if rng.random() < INTACT:
                continue
            name = names[rng.integers(len(names))]
            amounts[i, KINDS.index(name)] = self._structural[name](target[i], row, rng)
        # Low rates more often than high ones: they are the hard ones.
        rates = HIGHEST_RATE * rng.random(size) ** 2 * (rng.random(size) > INTACT)
        uniform = rng.random(size) < 0.5
        elsewhere = np.take_along_axis(target, rng.integers(target.shape[1], size=target.shape), axis=1)
        drawn = np.where(uniform[:, None], rng.integers(4, size=target.shape, dtype=np.uint8), elsewhere)
        seen = np.where(rng.random(target.shape) < rates[:, None], drawn, target)
        amounts[np.arange(size), np.where(uniform, 0, 1)] = rates / HIGHEST_RATE
        return Corrupted(seen, target, amounts)

    # Each of these damages ``sequence``, the promoter in row ``row``, in place and says how much.

    def _markov_window(self, sequence: np.ndarray, row: int, rng: np.random.Generator) -> float:
        return self._pool_window(sequence, self._chains[self._groups[row]], rng)

    def _independent_window(self, sequence: np.ndarray, row: int, rng: np.random.Generator) -> float:
        return self._pool_window(sequence, self._independent[self._groups[row]], rng)

    @staticmethod
    def _pool_window(sequence: np.ndarray, pool: np.ndarray, rng: np.random.Generator) -> float:
        start, width = _window(len(sequence), len(sequence), rng)
        sequence[start : start + width] = pool[rng.integers(len(pool)), start : start + width]
        return width / len(sequence)

    def _foreign_window(self, sequence: np.ndarray, row: int, rng: np.random.Generator) -> float:
        start, width = _window(len(sequence), len(sequence) // 2, rng)
        origin = rng.integers(len(sequence) - width + 1)
        sequence[start : start + width] = self._other(row, rng)[origin : origin + width]
        return width / len(sequence)

    @staticmethod
    def _swapped_windows(sequence: np.ndarray, row: int, rng: np.random.Generator) -> float:  # noqa: ARG004
        length = len(sequence)
        width = rng.integers(8, length // 5)
        first = rng.integers(length - 2 * width + 1)
        second = rng.integers(first + width, length - width + 1)
        kept = sequence[first : first + width].copy()
        sequence[first : first + width] = sequence[second : second + width]
        sequence[second : second + width] = kept
        return float(2 * width / length)

    @staticmethod
    def _rotation(sequence: np.ndarray, row: int, rng: np.random.Generator) -> float:  # noqa: ARG004
        by = int(rng.integers(3, LARGEST_ROTATION))
        sequence[:] = np.roll(sequence, by if rng.random() < 0.5 else -by)
        return by / LARGEST_ROTATION

    def _chimera(self, sequence: np.ndarray, row: int, rng: np.random.Generator) -> float:
        length = len(sequence)
        joint = int(rng.integers(length // 4, length - length // 4 + 1))
        sequence[:joint] = self._other(row, rng)[:joint]
        return 2 * min(joint, length - joint) / length

    def _other(self, row: int, rng: np.random.Generator) -> np.ndarray:
        members = self._members[self._groups[row]]
        other: np.ndarray = self._codes[members[rng.integers(len(members))]]
        return other


def _window(length: int, widest: int, rng: np.random.Generator) -> tuple[int, int]:
    """Start and width of a window, the logarithm of the width uniform."""
    width = int(SHORTEST_WINDOW * (widest / SHORTEST_WINDOW) ** rng.random())
    return int(rng.integers(length - width + 1)), width
