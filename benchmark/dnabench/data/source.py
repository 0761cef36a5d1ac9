"""From ``--suite`` or ``--dataset`` to the split sequences of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench.data.fasta import stem
from dnabench.data.split import group_split
from dnabench.errors import UserError
from dnabench.seeds import derive_seed, rng
from dnabench.sequences import SequenceSet

if TYPE_CHECKING:
    from dnabench.suites import Suite


@dataclass(frozen=True, kw_only=True)
class Data:
    """A dataset and its split."""

    name: str
    digest: str
    length: int
    train: SequenceSet
    validation: SequenceSet
    test: SequenceSet
    protocol: str

    def reference(self, n: int, *, repeat: int) -> SequenceSet:
        """``n`` test sequences; all generators of a repeat share the draw."""
        return draw(self.test, n, role="reference", repeat=repeat, dataset=self.digest)

    def floor_pair(self, n_generated: int, n_reference: int, *, repeat: int) -> tuple[SequenceSet, SequenceSet] | None:
        """Held-out sequences standing for a perfect generator's, and a reference: validation and test draws.

        They share no relatives. None when either part holds too few.
        """
        if n_generated > len(self.validation) or n_reference > len(self.test):
            return None
        generated = draw(self.validation, n_generated, role="floor", repeat=repeat, dataset=self.digest)
        return generated, self.reference(n_reference, repeat=repeat)


def draw(sequences: SequenceSet, n: int, *, role: str, repeat: int, dataset: str) -> SequenceSet:
    """``n`` of the real sequences, in their order, by a seed that no generator has a part in."""
    if n == len(sequences):
        return sequences
    chosen = rng(role, repeat=repeat, dataset=dataset).permutation(len(sequences))[:n]
    return sequences.take(np.sort(chosen))


def load_file(path: Path, suite: Suite, *, length: int | None) -> Data:
    """The split data of a FASTA file or directory."""
    return _split(stem(path.resolve()), SequenceSet.from_fasta(path, length=length), suite)


def load_plugin(name: str, dataset: Any, suite: Suite, *, length: int | None, scratch: Path) -> Data:
    """The split data of a dataset plugin; ``length`` crops around the centre."""
    from dnabench.context import Context

    context = Context(seed=derive_seed("dataset", repeat=0, dataset=name), length=length or 0, scratch=scratch)
    sequences = dataset.load(context=context)
    if length is not None and sequences.length != length:
        sequences = crop(sequences, length, where=f"dataset {name}")
    return _split(name, sequences, suite)


def crop(sequences: SequenceSet, length: int, *, where: str) -> SequenceSet:
    """The central ``length`` bp of every sequence; UserError when they are shorter."""
    if sequences.length < length:
        raise UserError(f"{where}: sequences have {sequences.length} bases, fewer than --length {length}")
    start = (sequences.length - length) // 2
    return SequenceSet(sequences.codes[:, start : start + length], labels=sequences.labels, names=sequences.names)


def _split(name: str, sequences: SequenceSet, suite: Suite) -> Data:
    parts = group_split(
        sequences, fractions=suite.fractions, k=suite.k, rng=rng("split", repeat=0, dataset=sequences.digest)
    )
    return Data(
        name=name,
        digest=sequences.digest,
        length=sequences.length,
        train=sequences.take(parts.train),
        validation=sequences.take(parts.validation),
        test=sequences.take(parts.test),
        protocol=f"groups-{suite.k}mer-" + ":".join(f"{fraction * 100:.4g}" for fraction in suite.fractions),
    )
