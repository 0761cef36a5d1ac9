"""What ``dnabench score`` compares the reference with, beside the samples: real sequences and uniform random ones."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from dnabench.data.floors import DRAWS, RealPair, real_halves, real_pairs
from dnabench.data.parts import draw
from dnabench.seeds import rng
from dnabench.sequences import SequenceSet
from dnabench.suites import SplitRule


class RealPairs:
    """What floors are made of: real sequences in place of generated ones against real ones, drawn several times."""

    def __init__(self, real: SequenceSet, training: SequenceSet | None) -> None:
        self._real = real
        self._training = training
        self._known: dict[tuple[int, bool], list[RealPair]] = {}

    def of(self, n: int, *, use_training: bool) -> list[RealPair]:
        """``n`` training sequences and the reference; without enough of them, halves of the reference."""
        # Grouping relatives takes a while: once for all files and metrics that ask for the same.
        if (n, use_training) not in self._known:
            self._known[n, use_training] = list(self._draw(n, self._training if use_training else None))
        return self._known[n, use_training]

    def _draw(self, n: int, training: SequenceSet | None) -> Iterator[RealPair]:
        real = self._real
        seeded = rng("floor", repeat=0, dataset=real.digest)
        if training is not None and len(training) >= n:
            drawn = draw(training, n, role="floor", repeat=0, dataset=real.digest)
            return real_pairs(drawn, real, draws=DRAWS, k=SplitRule.k, rng=seeded)
        warnings.warn(
            f"the floor is between halves of the reference, {min(n, len(real) // 2)} against {-(-len(real) // 2)} "
            f"sequences: too high where a metric falls with n; --train with {n} or more gives the right sizes",
            stacklevel=1,
        )
        return real_halves(real, n, draws=DRAWS, k=SplitRule.k, rng=seeded)


def uniform(n: int, real: SequenceSet) -> SequenceSet:
    """``n`` sequences of uniform random bases, as long as the real ones: what scores 1 when normalised."""
    codes = rng("uniform", repeat=0, dataset=real.digest).integers(4, size=(n, real.length), dtype=np.uint8)
    return SequenceSet(codes, copy=False)
