"""The controls ``sim-truth`` and ``sim-broken``: the process of ``promoters-sim`` as a generator, right and wrong.

Both are for that data set alone, uncropped: ``--length`` cuts its promoters on both sides, and these have their TSS
51 bp before the end at any length. On other sequences they say nothing, for they learn nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench_promoters.faults import FAULTS
from dnabench_promoters.process import promoter_process
from dnabench_promoters.sampling import draw, labelled

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context, SequenceSet
    from dnabench_promoters.options import BrokenOptions
    from dnabench_promoters.process import Process


class _Simulated:
    """Learns nothing and stores nothing: the length of a promoter says it all."""

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Nothing to learn."""

    def save(self, directory: Path) -> None:
        """Nothing to write."""

    def load(self, directory: Path) -> None:
        """Nothing to read."""


class Truth(_Simulated):
    """Fresh promoters from the very process that ``promoters-sim`` is drawn from: the perfect generator."""

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` promoters of ``context.length`` bp with labels ``species`` and ``class``.

        Labels and sequences are one joint draw. ``context.labels`` is not read: those asked for come from the training
        sequences, whose labels are a draw from the same process. UserError for less than 96 bp.
        """
        return _fresh(promoter_process(context.length), n, context.rng)


class BrokenTruth(_Simulated):
    """The perfect generator with one known fault, to show which metric sees it."""

    def __init__(self, options: BrokenOptions) -> None:
        self.options = options

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` faulty promoters of ``context.length`` bp with labels, drawn as :meth:`Truth.sample` draws them.

        With ``half-diversity`` half as many, rounded up, are drawn from the true process, and each is given twice, in
        random order; of an odd ``n`` one is given once.
        """
        process = promoter_process(context.length)
        if self.options.what == "half-diversity":
            distinct = _fresh(process, (n + 1) // 2, context.rng)
            return distinct.take(context.rng.permutation(np.arange(n) // 2))
        return _fresh(FAULTS[self.options.what](process), n, context.rng)


def _fresh(process: Process, n: int, rng: np.random.Generator) -> SequenceSet:
    """A draw with 128 bits of ``rng`` for a seed, which the data set, of seed 0, 1, ..., does not share."""
    return labelled(process, draw(process, n, int.from_bytes(rng.bytes(16), "little")))
