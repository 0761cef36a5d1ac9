"""From ``--suite``, ``--data`` or ``--dataset`` to the split sequences of a run."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dnabench import options
from dnabench.data.directories import given_protocol, part_files
from dnabench.data.formats import split_ending, stem
from dnabench.data.parts import Draws
from dnabench.data.read import read
from dnabench.data.records import Reading
from dnabench.data.sets import Sets
from dnabench.data.split import Split
from dnabench.data.splitting import split_of
from dnabench.errors import UserError
from dnabench.plugins import construct
from dnabench.seeds import derive_seed
from dnabench.sequences import SequenceSet

if TYPE_CHECKING:
    import pandas as pd

    from dnabench.plugins import Catalog
    from dnabench.suites import SplitRule, Suite


Origin = Literal["suite", "other", "own"]

_NAMED = 3  # files that a data set of several is named after


@dataclass(frozen=True, kw_only=True)
class Data(Draws):
    """A dataset and its split.

    Attributes:
        digest: sha256 of the whole set.
        protocol: how it was split.
        origin: ``suite``: the suite's own; ``other``: others in their place; ``own``: the user's, with ``--dataset``.
        given_split: whether the files said how to split them.
        cropped: whether the sequences were longer.
    """

    name: str
    digest: str
    length: int
    train: SequenceSet
    validation: SequenceSet
    test: SequenceSet
    protocol: str
    origin: Origin = "own"
    given_split: bool = False
    cropped: bool = False

    @property
    def train_labels(self) -> pd.DataFrame:
        """The labels of the training sequences."""
        return self.train.labels


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A whole set, before it is split.

    Attributes:
        parts: the rows of train, validation and test, where its files say so, else None.
        protocol: how those were made; ``given`` where nobody says.
        published: whether a fetcher vouches that this is what was published.
        cropped: whether the sequences were longer.
    """

    name: str
    sequences: SequenceSet
    parts: Split | None = None
    protocol: str = ""
    published: bool = False
    cropped: bool = False

    def only(self, chosen: np.ndarray) -> Loaded:
        """The sequences of a mask; the others leave their parts, too."""
        row = np.cumsum(chosen) - 1
        parts = self.parts and Split(*(row[rows[chosen[rows]]] for rows in self.parts))
        return replace(self, sequences=self.sequences.take(chosen), parts=parts)


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
    origin: Origin = "own"
    if dataset:
        loaded = own(catalog, root, dataset, length, settings, sequence_column)
    else:
        loaded = _of_suite(catalog, suite, root, directory, length or suite.length, settings, sequence_column)
        origin = _origin(loaded, suite, directory, length or suite.length)
    if loaded.parts and rule:
        raise UserError(f"{loaded.name}: is split already ({loaded.protocol}); its files one by one can be split anew")
    sequences, rule = loaded.sequences, rule or suite.split
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
        given_split=loaded.parts is not None,
        cropped=loaded.cropped,
    )


def _of_suite(
    catalog: Catalog,
    suite: Suite,
    root: Path,
    directory: Path | None,
    length: int | None,
    settings: dict[str, dict[str, Any]],
    sequence_column: str | None,
) -> Loaded:
    """The data of a suite, or those in its place, without other species."""
    name = suite.dataset.name
    if directory is not None:
        loaded = _instead(suite, directory, length, sequence_column)
    elif suite.dataset.path is not None:
        loaded = _files([suite.dataset.path], length, sequence_column)
    elif given := settings.get(name):
        raise UserError(f"option {name}.{next(iter(given))}: the data of a suite are frozen; --dataset {name} is not")
    else:
        loaded = _named(catalog, root, name, suite.dataset.options, length, suite)
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
    return loaded.only(labels["species"].isin(suite.dataset.species).to_numpy(bool))


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
    return _named(catalog, root, dataset[0], settings.pop(dataset[0], {}), length, None)


def are_files(dataset: Sequence[str]) -> bool:
    """Whether these are paths rather than one name. UserError for an empty text."""
    if not all(dataset):
        raise UserError("the name of a data set or file is empty")
    text = dataset[0]
    return len(dataset) > 1 or Path(text).exists() or "/" in text or bool(split_ending(Path(text))[1])


def _named(
    catalog: Catalog, root: Path, name: str, settings: Mapping[str, Any], length: int | None, suite: Suite | None
) -> Loaded:
    """A dataset plugin's set or a stored one; the plugin is asked first."""
    from dnabench.specs import DatasetSpec

    sets = Sets(root)
    plugins = {offer.spec.name for offer in catalog.all(DatasetSpec)}
    if name in plugins:
        spec = catalog.dataset(name).spec
        if spec.files:
            raise UserError(
                f"{name} is no data set: it brings no sequences but {', '.join(spec.files)}; dnabench data fetch {name}"
            )
        if not spec.sets:
            return _from_plugin(name, construct(spec, options.build(spec.options, name, settings)), length)
        if name not in sets.names():
            stored = [part for part in spec.sets if part in sets.names()]
            hint = f"; what it brought is stored as {', '.join(stored)}" if stored else ""
            raise UserError(f"the data set {name} is not here: dnabench data fetch {name} brings it{hint}")
    if name in sets.names():
        return _cropped(name, sets.load(name), length, published=bool(sets.about(name).get("published")))
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
    return _cropped(name, sequences, length)


def _cropped(name: str, sequences: SequenceSet, length: int | None, *, published: bool = False) -> Loaded:
    """The central ``length`` bp of every sequence; UserError when they are shorter."""
    if length is None or sequences.length == length:
        return Loaded(name=name, sequences=sequences, published=published)
    if sequences.length < length:
        raise UserError(f"data set {name}: sequences have {sequences.length} bases, fewer than --length {length}")
    start = (sequences.length - length) // 2
    codes = sequences.codes[:, start : start + length]
    core = SequenceSet(codes, labels=sequences.labels, names=sequences.names)
    return Loaded(name=name, sequences=core, published=published, cropped=True)


def open_files(paths: Sequence[Path], sequence_column: str | None) -> tuple[Reading, Split | None]:
    """The records of the user's own files; a directory of ``train``, ``validation`` and ``test`` keeps its split."""
    files = [part_files(path) for path in paths]
    if not any(files):
        return read(paths, sequence_column=sequence_column), None
    if len(paths) > 1:
        split = next(path for path, parts in zip(paths, files, strict=True) if parts)
        raise UserError(f"{split}: is split into train, validation and test, and can only be given alone")
    readings = [read([file], sequence_column=sequence_column) for file in files[0]]
    ends = np.cumsum([0, *map(len, readings)])
    together = Reading([records for reading in readings for records in reading.files])
    return together, Split(*(np.arange(low, high) for low, high in pairwise(ends)))


def _files(paths: Sequence[Path], length: int | None, sequence_column: str | None) -> Loaded:
    reading, parts = open_files(paths, sequence_column)
    return Loaded(
        name=_title(paths),
        sequences=reading.to_set(length=length),
        parts=parts,
        protocol=given_protocol(paths[0]) if parts else "",
        cropped=length is not None and bool((reading.lengths > length).any()),
    )


def _instead(suite: Suite, directory: Path, length: int | None, sequence_column: str | None) -> Loaded:
    """Files in place of the suite's data, cleaned as those were."""
    reading, parts = open_files([directory], sequence_column)
    if parts:
        raise UserError(
            f"{directory}: is split already, but suite {suite.name} splits its data itself; give the files unsplit, or "
            f"--dataset {directory}, which keeps their split"
        )
    reading.warn_of_faults()
    sequences, dropped = reading.clean(length=length)
    if any(dropped.values()):
        counts = ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
        warnings.warn(f"{directory}: records left out: {counts}", stacklevel=2)
    cropped = bool((reading.lengths > sequences.length).any())
    return Loaded(name=_title([directory]), sequences=sequences, cropped=cropped)


def _title(paths: Sequence[Path]) -> str:
    """The files' names without endings, as they are called here, links and all."""
    names = [stem(path if path.name.strip(".") else path.resolve()) for path in paths]
    return "+".join(names) if len(names) <= _NAMED else f"{names[0]}+{len(names) - 1}-more"


def _origin(loaded: Loaded, suite: Suite, directory: Path | None, length: int | None) -> Origin:
    """Whether these are the suite's data; a warning says so where they are not."""
    expected, found = suite.dataset.sha256, loaded.sequences.digest
    frozen = directory is None and (length != suite.length or (suite.dataset.path is not None and not expected))
    if frozen or (found == expected if expected else loaded.published):
        return "suite"
    published = f"sha256 {expected[:12]}..." if expected else "no digest is pinned, and nobody vouches for these"
    warnings.warn(
        f"suite {suite.name}: {directory or loaded.name} holds {len(loaded.sequences)} sequences with sha256 "
        f"{found[:12]}..., not the published {suite.dataset.title} ({published}); every row carries their digest and "
        f"every line of the leaderboard the flag other-data",
        stacklevel=2,
    )
    return "other"
