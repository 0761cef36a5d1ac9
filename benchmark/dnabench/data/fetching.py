"""What a dataset that is fetched is handed, and how what it yields is kept."""

from __future__ import annotations

import contextlib
import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dnabench import options
from dnabench.data import records
from dnabench.data.download import download
from dnabench.data.fetched_files import FetchedFiles
from dnabench.data.read import read
from dnabench.data.sets import Sets, check_name
from dnabench.errors import UserError
from dnabench.files import locked
from dnabench.plugins import construct
from dnabench.protocols import FetchedFile
from dnabench.specs import DatasetSpec

if TYPE_CHECKING:
    from dnabench.data.records import Cleaned, Reading
    from dnabench.plugins import Catalog
    from dnabench.sequences import SequenceSet

Progress = Callable[[int, int, str], None]


def check_free_name(catalog: Catalog, name: str) -> None:
    """UserError unless a set of the user's own can be called so: not as a dataset plugin, or what one brings."""
    check_name(name)
    for offer in catalog.all(DatasetSpec):
        if name in (offer.spec.name, *offer.spec.sets):
            raise UserError(f"name {name!r} is that of a data set of {offer.distribution}; choose another --name")


class Fetched(NamedTuple):
    """The record of a set or file, and whether it was there before."""

    about: dict[str, Any]
    was_here: bool


class WebFetcher:
    """Downloads into the cache, reads and cleans (see :class:`dnabench.Fetcher`)."""

    def __init__(self, *, downloads: Path, scratch: Path, progress: Progress) -> None:
        self.scratch = scratch
        self.progress = progress
        self._downloads = downloads

    def download(self, url: str, *, name: str, sha256: str | None = None, md5: str | None = None) -> Path:
        """The file at ``url``, kept as ``name``."""
        return download(url, self._downloads / name, sha256=sha256, md5=md5, progress=self.progress)

    def read(self, paths: Sequence[Path], *, sequence_column: str | None = None) -> Reading:
        """The records of files."""
        return read(paths, sequence_column=sequence_column)

    def clean(self, sequences: SequenceSet, *, keep_n: bool = False) -> Cleaned:
        """``sequences`` without those that hold N and without repetitions."""
        return records.clean(sequences, keep_n=keep_n)

    def warn(self, text: str) -> None:
        """One line for the user."""
        warnings.warn(text, stacklevel=2)


def fetch(
    catalog: Catalog,
    name: str,
    root: Path,
    *,
    settings: Mapping[str, Any],
    progress: Progress,
    store_as: str = "",
    replace: bool = False,
) -> Iterator[Fetched]:
    """Bring a dataset and keep its sets or files under ``root``, one after the other.

    Nothing is fetched when all of them are here already, made with the same options by the same version, unless
    ``replace``. ``store_as`` names the set of a dataset that has one. Raises UserError.
    """
    spec = catalog.dataset(name).spec
    if not (spec.sets or spec.files):
        raise UserError(f"dataset {name} is made here and needs no download: --dataset {name} takes it")
    if store_as and len(spec.sets) != 1:
        what = f"several sets, {', '.join(spec.sets)}" if spec.sets else f"files, {', '.join(spec.files)}"
        raise UserError(f"--name {store_as}: {name} brings {what}, with names of their own")
    if store_as:
        check_free_name(catalog, store_as)
    chosen = options.build(spec.options, name, settings)
    # As it will be read back: JSON knows no tuples.
    made_by = json.loads(json.dumps({"dataset": name, "version": spec.version, "options": options.as_dict(chosen)}))
    sets, files = Sets(root), FetchedFiles(root, name)
    wanted = [store_as] if store_as else [*spec.sets, *spec.files]
    with _scratch(root / "scratch" / f"fetch-{name}") as scratch:
        # Looked for with the lock in hand: another process may just have brought them.
        found = [*map(sets.about, set(wanted) & set(sets.names())), *filter(None, map(files.verified, spec.files))]
        here = [about for about in found if about.get("made_by") == made_by]
        if len(here) == len(wanted) and not replace:
            yield from (Fetched(about, was_here=True) for about in here)
            return
        fetcher = WebFetcher(downloads=root / "downloads" / name, scratch=scratch, progress=progress)
        for part in construct(spec, chosen).fetch(fetcher=fetcher):
            if isinstance(part, FetchedFile):
                yield Fetched(files.put(part, made_by), was_here=False)
                continue
            about = {"made_by": made_by, "dropped": dict(part.dropped), "about": dict(part.about)}
            about["published"] = part.published
            stored = sets.put(store_as or part.name, part.sequences, about, replace=replace)
            yield Fetched(sets.about(store_as or part.name), was_here=not stored)


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """An empty directory, this process's alone; what an interruption left in it goes first."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock")):
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
            try:
                yield path
            finally:
                shutil.rmtree(path, ignore_errors=True)
    except OSError as error:
        raise UserError(f"{error.filename or path}: cannot be written: {error.strerror}") from None
