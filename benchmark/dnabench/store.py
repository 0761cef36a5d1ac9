"""The store of finished cells and embeddings, by content key. What is in it is whole; what is not, never happened.

::

    cells/<key>.json        what a cell came to, and the parts of its key
    models/<key>/           of a train cell
    samples/<key>/          of a sample cell: sample.fa.gz
    scores/<key>.json       of one comparison
    details/<key>.csv       the table that a metric made for plots of it
    embeddings/<key>.npy
    scratch/<key>/          work in progress and a generator's checkpoints, gone once the result is stored
    parts/, splits/, data/, downloads/    sequences (see dnabench.data)

Several processes and machines may work on one store: whatever is made, is made under the lock of its key, beside its
place, and renamed into it once it is on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from dnabench.errors import UserError
from dnabench.files import atomic_write, locked, sync, sync_tree

# The cells that leave files, and where.
FOLDERS = {"train": "models", "embedder": "models", "sample": "samples"}


def default_root() -> Path:
    """``$DNABENCH_STORE``, else ``$XDG_CACHE_HOME/dnabench``, else ``~/.cache/dnabench``."""
    if given := os.environ.get("DNABENCH_STORE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dnabench"


class Store:
    """Finished work under ``root``.

    Attributes:
        root: where it is.
        since: what was written earlier is not reused, only written anew; nanoseconds by the file system's clock.
    """

    def __init__(self, root: Path, *, since: int = 0) -> None:
        self.root = root
        self.since = since

    @classmethod
    def open(cls, root: Path, *, fresh: bool = False) -> Store:
        """The store under ``root``, made if need be; with ``fresh`` nothing that is there now is reused.

        UserError when it cannot be written.
        """
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root) as probe:
                probe.write(b"dnabench")
                probe.flush()
                now = os.fstat(probe.fileno()).st_mtime_ns
        except OSError as error:
            raise UserError(
                f"{root}: the store cannot be written: {error.strerror}; choose another with --store"
            ) from None
        return cls(root.resolve(), since=now if fresh else 0)

    @contextlib.contextmanager
    def in_use(self, directory: Path) -> Iterator[None]:
        """Hold the lock of the run in ``directory`` while it goes on, so that nothing is pruned that it comes across.

        UserError when another process runs there.
        """
        name = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()
        path = self.root / "scratch" / f"{name}.lock"
        path.parent.mkdir(exist_ok=True)
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(path, wait=False))
            except BlockingIOError:
                raise UserError(
                    f"{directory}: another process runs here at this moment; choose another --out"
                ) from None
            yield

    def _has(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime_ns >= self.since
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def work(self, key: str) -> Iterator[Path]:
        """A directory for the work on one key: this process's alone, kept after an interruption, gone after success."""
        path = self.root / "scratch" / key
        path.parent.mkdir(exist_ok=True)
        with locked(path.with_suffix(".lock")):
            if path.exists() and path.stat().st_ctime_ns < self.since:
                shutil.rmtree(path)
            path.mkdir(exist_ok=True)
            yield path
            shutil.rmtree(path)

    def cell(self, kind: str, key: str) -> dict[str, Any] | None:
        """The answer of a finished cell, or None. A cell whose files are gone is not finished."""
        if kind in FOLDERS and not self.files(kind, key).is_dir():
            return None
        record = self._json(self._cell(key))
        return None if record is None else record["answer"]

    def key_parts(self, key: str) -> dict[str, Any] | None:
        """What the key of a finished cell is made of, or None."""
        record = self._json(self._cell(key))
        return None if record is None else record["key"]

    def files(self, kind: str, key: str) -> Path:
        """The directory of the files of a train or sample cell, or of a fitted embedder."""
        return self.root / FOLDERS[kind] / key

    def put_files(self, kind: str, key: str, directory: Path) -> None:
        """Move a cell's finished directory to its place. The cell is finished with :meth:`put_cell` only."""
        target = self.files(kind, key)
        target.parent.mkdir(exist_ok=True)
        sync_tree(directory)
        old = directory.with_name(f"{directory.name}-before")
        if target.exists():
            self._cell(key).unlink(missing_ok=True)
            target.replace(old)  # another run may be reading it
        directory.replace(target)
        sync(target.parent)
        shutil.rmtree(old, ignore_errors=True)

    def put_cell(self, kind: str, key: str, parts: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Record that a cell is finished, what it came to, and what its key is made of."""
        record = {"kind": kind, "key": parts, "answer": answer}
        atomic_write(self._cell(key), json.dumps(record, sort_keys=True))

    def cells(self) -> Iterator[dict[str, Any]]:
        """The records of all finished cells, as :meth:`put_cell` wrote them, the newest first."""
        paths = [(path.stat().st_mtime_ns, path) for path in (self.root / "cells").glob("*.json")]
        for _, path in sorted(paths, reverse=True):
            if (record := self._json(path)) is not None:
                yield record

    def _cell(self, key: str) -> Path:
        return self.root / "cells" / f"{key}.json"

    def score(self, key: str) -> dict[str, Any] | None:
        """A stored score record, or None."""
        return self._json(self.root / "scores" / f"{key}.json")

    def put_score(self, key: str, record: dict[str, Any]) -> None:
        """Store a score record."""
        atomic_write(self.root / "scores" / f"{key}.json", json.dumps(record, sort_keys=True))

    def details(self, key: str) -> Path:
        """Where the table of a score lies, if it has one."""
        return self.root / "details" / f"{key}.csv"

    def put_details(self, key: str, table: str) -> None:
        """Store the table of a score, CSV text. To be done before the score is stored."""
        atomic_write(self.details(key), table)

    def embedding(self, key: str) -> np.ndarray | None:
        """A stored embedding, or None."""
        path = self.root / "embeddings" / f"{key}.npy"
        try:
            return np.load(path, allow_pickle=False) if self._has(path) else None
        except (FileNotFoundError, ValueError, EOFError):  # pruned at this moment, or damaged: it is made anew
            return None

    def put_embedding(self, key: str, vectors: np.ndarray) -> None:
        """Store an embedding."""
        buffer = io.BytesIO()
        np.save(buffer, vectors, allow_pickle=False)
        atomic_write(self.root / "embeddings" / f"{key}.npy", buffer.getvalue())

    def _json(self, path: Path) -> dict[str, Any] | None:
        if not self._has(path):
            return None
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # pruned at this moment, or damaged: it is made anew
            return None
        return record
