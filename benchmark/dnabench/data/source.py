"""From ``--suite``, ``--data`` or ``--dataset`` to the split sequences of a run."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from dnabench import options
from dnabench.data.directories import given_protocol, part_files
from dnabench.data.formats import split_ending, stem
from dnabench.data.read import read
from dnabench.data.records import Reading
from dnabench.data.sets import Sets
from dnabench.data.split import Split
from dnabench.data.splitting import split_of
from dnabench.errors import UserError
from dnabench.plugins import construct
from dnabench.seeds import derive_seed, rng
from dnabench.sequences import SequenceSet

if TYPE_CHECKING:
    import pandas as pd

    from dnabench.plugins import Catalog
    from dnabench.suites import SplitRule, Suite


@dataclass(frozen=True, kw_only=True)
class Data:
    """A dataset and its split.

    Attributes:
        digest: sha256 of the whole set.
        protocol: how it was split.
        origin: ``suite``: the suite's own; ``other``: given in its place with ``--data``; ``own``: the user's.
    """

    name: str
    digest: str
    length: int
    train: SequenceSet
    validation: SequenceSet
    test: SequenceSet
    protocol: str
    origin: Literal["suite", "other", "own"] = "own"

    def reference(self, n: int, *, repeat: int) -> SequenceSet:
        """``n`` test sequences; all generators of a repeat share the draw."""
        return draw(self.test, n, role="reference", repeat=repeat, dataset=self.digest)

    def labels(self, n: int, *, repeat: int) -> pd.DataFrame | None:
        """Labels for ``n`` sequences to be generated, drawn from the training sequences'; None where those have none.

        All generators of a repeat are asked for the same.
        """
        known = self.train.labels
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


class Loaded(NamedTuple):
    """A whole set and, where its files say so, its parts and how they were made."""

    name: str
    sequences: SequenceSet
    parts: Split | None = None
    protocol: str = ""


def draw(sequences: SequenceSet, n: int, *, role: str, repeat: int, dataset: str) -> SequenceSet:
    """``n`` of the real sequences, in their order, by a seed that no generator has a part in."""
    if n == len(sequences):
        return sequences
    chosen = rng(role, repeat=repeat, dataset=dataset).permutation(len(sequences))[:n]
    return sequences.take(np.sort(chosen))


def load(
    catalog: Catalog,
    suite: Suite,
    root: Path,
    *,
    dataset: Sequence[str] = (),
    directory: Path | None = None,
    length: int | None = None,
    rule: SplitRule | None = None,
    settings: dict[str, dict[str, Any]] | None = None,
    sequence_column: str | None = None,
) -> Data:
    """The data of a run, split.

    Args:
        root: where stored sets and splits are kept.
        dataset: the user's own: paths, or one name of a stored set or a dataset plugin; else the suite's.
        directory: files that take the place of the suite's data.
        length: crops to the central ``length`` bp; by default the suite's, unless the data are the user's own.
        rule: how to split; by default the suite's.
        settings: options of plugins; those of the dataset are taken out.

    Raises UserError for data that cannot be read, are not there, or lack a species of the suite.
    """
    settings = {} if settings is None else settings
    if dataset:
        loaded = own(catalog, root, dataset, length, settings, sequence_column)
        if loaded.parts and rule:
            raise UserError(
                f"{dataset[0]}: is split already ({loaded.protocol}); its files one by one can be split anew"
            )
        return _split(loaded, rule or suite.split, root, "own")
    rule = rule or suite.split
    length = length or suite.length
    if directory is not None:
        loaded = _instead(directory, length, sequence_column)
    elif suite.dataset.path is not None:
        loaded = _files([suite.dataset.path], length, sequence_column)
    else:
        given = settings.pop(suite.dataset.name, {})
        if given:
            name = suite.dataset.name
            raise UserError(
                f"option {name}.{next(iter(given))}: the data of a suite are frozen; --dataset {name} is not"
            )
        loaded = _named(catalog, root, suite.dataset.name, [suite.dataset.options], length, suite)
    loaded = _of_species(loaded, suite)
    return _split(loaded, rule, root, _compare_with_suite(loaded, suite, directory, length))


def own(
    catalog: Catalog,
    root: Path,
    dataset: Sequence[str],
    length: int | None,
    settings: dict[str, dict[str, Any]],
    sequence_column: str | None,
) -> Loaded:
    """The user's own data: files, or one stored set or dataset plugin by its name."""
    if are_files(dataset):
        return _files([Path(text) for text in dataset], length, sequence_column)
    return _named(catalog, root, dataset[0], [settings.pop(dataset[0], {})], length, None)


def are_files(dataset: Sequence[str]) -> bool:
    """Whether these are paths rather than one name."""
    text = dataset[0]
    return len(dataset) > 1 or Path(text).exists() or "/" in text or bool(split_ending(Path(text))[1])


def _named(
    catalog: Catalog, root: Path, name: str, settings: Sequence[Any], length: int | None, suite: Suite | None
) -> Loaded:
    """A dataset plugin's set or a stored one; the plugin is asked first."""
    from dnabench.specs import DatasetSpec

    sets = Sets(root)
    plugins = {offer.spec.name for offer in catalog.all(DatasetSpec)}
    if name in plugins:
        spec = catalog.dataset(name).spec
        if not spec.sets:
            return _from_plugin(name, construct(spec, options.build(spec.options, name, *settings)), length)
        if name not in sets.names():
            stored = [part for part in spec.sets if part in sets.names()]
            hint = f"; what it brought is stored as {', '.join(stored)}" if stored else ""
            raise UserError(f"the data set {name} is not here: dnabench data fetch {name} brings it{hint}")
    if name in sets.names():
        sequences = sets.load(name)
        return Loaded(name, sequences if length is None else crop(sequences, length, where=f"data set {name}"))
    if suite is not None and suite.dataset.fetch:
        raise UserError(
            f"suite {suite.name}: its data, {name}, are not here; dnabench data fetch {suite.dataset.fetch} brings "
            f"them, and --data DIR takes files of yours in their place"
        )
    raise catalog.unknown("dataset, stored set or file", name, plugins | set(sets.names()))


def _from_plugin(name: str, dataset: Any, length: int | None) -> Loaded:
    from dnabench.context import Context

    with tempfile.TemporaryDirectory() as scratch:
        seed = derive_seed("dataset", repeat=0, dataset=name)
        sequences = dataset.load(context=Context(seed=seed, length=length or 0, scratch=Path(scratch)))
    return Loaded(name, sequences if length is None else crop(sequences, length, where=f"dataset {name}"))


def open_files(paths: Sequence[Path], sequence_column: str | None) -> tuple[Reading, Split | None]:
    """The records of the user's own files; a directory of ``train``, ``validation`` and ``test`` keeps its split."""
    files = part_files(paths[0]) if len(paths) == 1 else []
    if not files:
        return read(paths, sequence_column=sequence_column), None
    readings = [read([file], sequence_column=sequence_column) for file in files]
    ends = np.cumsum([0, *map(len, readings)])
    together = Reading([records for reading in readings for records in reading.files])
    return together, Split(*(np.arange(low, high) for low, high in pairwise(ends)))


def _files(paths: Sequence[Path], length: int | None, sequence_column: str | None) -> Loaded:
    reading, parts = open_files(paths, sequence_column)
    sequences = reading.to_set(length=length)
    protocol = given_protocol(paths[0], sequences) if parts else ""
    return Loaded("+".join(stem(path.resolve()) for path in paths), sequences, parts, protocol)


def _instead(directory: Path, length: int | None, sequence_column: str | None) -> Loaded:
    """Files in place of the suite's data, cleaned as those were."""
    reading = read([directory], sequence_column=sequence_column)
    reading.warn_of_faults()
    sequences, dropped = reading.clean(length=length)
    if any(dropped.values()):
        counts = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
        warnings.warn(f"{directory}: records left out: {counts}", stacklevel=2)
    return Loaded(stem(directory.resolve()), sequences)


def _of_species(loaded: Loaded, suite: Suite) -> Loaded:
    """The sequences of the suite's species."""
    if not suite.dataset.species:
        return loaded
    labels = loaded.sequences.labels
    there = set(labels["species"]) if "species" in labels else set()
    lacking = [species for species in suite.dataset.species if species not in there]
    if lacking:
        raise UserError(
            f"suite {suite.name}: {loaded.name} holds no sequences of species {', '.join(lacking)}; the label species "
            f"of a record, or its file's name in a directory, is to be one of {', '.join(suite.dataset.species)}"
        )
    chosen = labels["species"].isin(suite.dataset.species).to_numpy(bool)
    return loaded if chosen.all() else loaded._replace(sequences=loaded.sequences.take(chosen))


def _compare_with_suite(
    loaded: Loaded, suite: Suite, directory: Path | None, length: int | None
) -> Literal["suite", "other"]:
    """Whether these are the suite's data; a warning says so where they are not."""
    expected, found = suite.dataset.sha256, loaded.sequences.digest
    if expected == found or (not expected and directory is None) or length != suite.length:
        return "suite"
    published = f"sha256 {expected[:12]}..." if expected else "never seen here: no digest is pinned"
    warnings.warn(
        f"suite {suite.name}: {directory or loaded.name} holds {len(loaded.sequences)} sequences with sha256 "
        f"{found[:12]}..., not the published {suite.dataset.name} ({published}); every row carries their digest and "
        f"every line of the leaderboard the flag other-data",
        stacklevel=2,
    )
    return "other"


def crop(sequences: SequenceSet, length: int, *, where: str) -> SequenceSet:
    """The central ``length`` bp of every sequence; UserError when they are shorter."""
    if sequences.length == length:
        return sequences
    if sequences.length < length:
        raise UserError(f"{where}: sequences have {sequences.length} bases, fewer than --length {length}")
    start = (sequences.length - length) // 2
    return SequenceSet(sequences.codes[:, start : start + length], labels=sequences.labels, names=sequences.names)


def _split(loaded: Loaded, rule: SplitRule, root: Path, origin: Literal["suite", "other", "own"]) -> Data:
    sequences = loaded.sequences
    parts = loaded.parts or split_of(sequences, rule, root)
    return Data(
        name=loaded.name,
        digest=sequences.digest,
        length=sequences.length,
        train=sequences.take(parts.train),
        validation=sequences.take(parts.validation),
        test=sequences.take(parts.test),
        protocol=loaded.protocol or rule.protocol,
        origin=origin,
    )
