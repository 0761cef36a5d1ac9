"""The split of a set by a rule: seeded by its digest, made once and kept."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dnabench.data.split import Split, group_split, random_split
from dnabench.files import atomic_write
from dnabench.seeds import rng

if TYPE_CHECKING:
    from dnabench.sequences import SequenceSet
    from dnabench.suites import SplitRule

VERSION = 1  # raised when the same set and rule give another split


def split_of(sequences: SequenceSet, rule: SplitRule, root: Path) -> Split:
    """The rows of train, validation and test; looked up under ``root``, where it is kept by digest and protocol.

    UserError when a part would stay empty.
    """
    path = root / "splits" / f"{sequences.digest}-{rule.protocol.replace(':', '-')}-v{VERSION}.npy"
    if (known := _read(path, len(sequences))) is not None:
        return known
    seeded = rng("split", repeat=0, dataset=sequences.digest)
    if rule.method == "random":
        split = random_split(sequences, fractions=rule.fractions, rng=seeded)
    else:
        split = group_split(sequences, fractions=rule.fractions, k=rule.k, rng=seeded)
    part = np.empty(len(sequences), np.int8)
    for number, rows in enumerate(split):
        part[rows] = number
    buffer = io.BytesIO()
    np.save(buffer, part, allow_pickle=False)
    atomic_write(path, buffer.getvalue())
    return split


def _read(path: Path, n: int) -> Split | None:
    """A kept split; None where there is none, or a damaged file."""
    try:
        part = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if part.shape != (n,):
        return None
    return Split(*(np.flatnonzero(part == number) for number in range(3)))
