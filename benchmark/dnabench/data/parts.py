"""The three parts of a split set, the draws from them that all generators of a repeat share, and parts in the store."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dnabench.data.floors import DRAWS, RealPair, real_pairs
from dnabench.data.kept import read_kept, read_labels, write_kept
from dnabench.errors import UserError
from dnabench.files import atomic_write, locked
from dnabench.seeds import rng

if TYPE_CHECKING:
    import pandas as pd

    from dnabench.sequences import SequenceSet

NAMES = ("train", "validation", "test")


def draw(sequences: SequenceSet, n: int, *, role: str, repeat: int, dataset: str) -> SequenceSet:
    """``n`` of the real sequences, in their order, by a seed that no generator has a part in."""
    if n == len(sequences):
        return sequences
    chosen = rng(role, repeat=repeat, dataset=dataset).permutation(len(sequences))[:n]
    return sequences.take(np.sort(chosen))


class Draws:
    """What is drawn from the parts of a set with the sha256 ``digest``."""

    if TYPE_CHECKING:  # attributes of a dataclass in one heir, read from files in the other

        @property
        def digest(self) -> str: ...  # noqa: D102
        @property
        def train(self) -> SequenceSet: ...  # noqa: D102
        @property
        def validation(self) -> SequenceSet: ...  # noqa: D102
        @property
        def test(self) -> SequenceSet: ...  # noqa: D102
        @property
        def train_labels(self) -> pd.DataFrame: ...  # noqa: D102

    def reference(self, n: int, *, repeat: int) -> SequenceSet:
        """``n`` test sequences; all generators of a repeat share the draw."""
        return draw(self.test, n, role="reference", repeat=repeat, dataset=self.digest)

    def labels(self, n: int, *, repeat: int) -> pd.DataFrame | None:
        """Labels for ``n`` sequences to be generated, drawn from the training sequences'; None where those have none.

        All generators of a repeat are asked for the same.
        """
        known = self.train_labels
        if known.empty:
            return None
        chosen = rng("labels", repeat=repeat, dataset=self.digest).integers(len(known), size=n)
        return known.iloc[chosen].reset_index(drop=True)

    def floor_pair(self, n_generated: int, n_reference: int, *, repeat: int) -> tuple[SequenceSet, SequenceSet] | None:
        """Held-out sequences standing for a perfect generator's, and a reference: validation and test draws.

        They share no relatives. None when either part holds too few.
        """
        if n_generated > len(self.validation) or n_reference > len(self.test):
            return None
        generated = draw(self.validation, n_generated, role="floor", repeat=repeat, dataset=self.digest)
        return generated, self.reference(n_reference, repeat=repeat)

    def floor_pairs(self, n_generated: int, n_reference: int, *, repeat: int, k: int) -> Iterator[RealPair]:
        """That pair, and more of its sizes drawn from both sets together; none when either part is too small.

        The further ones do not divide relatives, which share a ``k``-mer.
        """
        pair = self.floor_pair(n_generated, n_reference, repeat=repeat)
        if pair is not None:
            draws = rng("floor-draws", repeat=repeat, dataset=self.digest)
            yield from real_pairs(*pair, draws=DRAWS, k=k, rng=draws)


class StoredParts(Draws):
    """Parts that lie in the store, for cells of any process: each is read when it is asked for.

    ::

        parts/<key>/    about.json, train/, validation/, test/
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._about = json.loads((directory / "about.json").read_text(encoding="utf-8"))

    @property
    def digest(self) -> str:
        """sha256 of the whole set."""
        return str(self._about["sha256"])

    @cached_property
    def train(self) -> SequenceSet:
        """The training sequences."""
        return read_kept(self._directory / "train")

    @cached_property
    def validation(self) -> SequenceSet:
        """Those that are held out for controls and floors."""
        return read_kept(self._directory / "validation")

    @cached_property
    def test(self) -> SequenceSet:
        """Those that references are drawn from."""
        return read_kept(self._directory / "test")

    @property
    def train_labels(self) -> pd.DataFrame:
        """The labels of the training sequences, without those."""
        return read_labels(self._directory / "train")


def parts_key(data: Draws) -> str:
    """The name of parts in the store."""
    return key_of_digests([data.digest, *(getattr(data, name).digest for name in NAMES)])


def key_of_digests(digests: Sequence[str]) -> str:
    """The name in the store of the parts with these digests: of the whole, and of each in the order of ``NAMES``."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def put_parts(root: Path, data: Draws) -> Path:
    """Have the parts in the store under ``root``, whole, and say where. UserError when it cannot be written."""
    directory = root / "parts" / parts_key(data)
    if (directory / "about.json").is_file():
        return directory
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with locked(directory.with_suffix(".lock")):
            if (directory / "about.json").is_file():
                return directory
            shutil.rmtree(directory, ignore_errors=True)  # what an interruption left: about.json comes last
            for name in NAMES:
                (directory / name).mkdir(parents=True)
                write_kept(getattr(data, name), directory / name)
            atomic_write(directory / "about.json", json.dumps({"sha256": data.digest}) + "\n")
    except OSError as error:
        raise UserError(f"{root}: the store cannot be written: {error.strerror}") from None
    return directory
