"""The store of finished cells and embeddings, by content key. What is in it is whole; what is not, never happened.

::

    samples/<key>/      sample.fa.gz, model/
    scores/<key>.json
    embeddings/<key>.npy
    scratch/<key>/      work in progress and a generator's checkpoints, gone once the result is stored
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dnabench.errors import UserError
from dnabench.files import atomic_write, locked


def default_root() -> Path:
    """``$DNABENCH_STORE``, else ``$XDG_CACHE_HOME/dnabench``, else ``~/.cache/dnabench``."""
    if given := os.environ.get("DNABENCH_STORE"):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dnabench"


class Store:
    """Finished work under ``root``. With ``fresh`` nothing found at the start is reused, only written anew."""

    def __init__(self, root: Path, *, fresh: bool = False) -> None:
        self.root = root
        self._fresh = fresh
        self._written: set[Path] = set()
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root):
                pass
        except OSError as error:
            raise UserError(
                f"{root}: the store cannot be written: {error.strerror}; choose another with --store"
            ) from None

    def _has(self, path: Path) -> bool:
        return path.exists() and (not self._fresh or path in self._written)

    def sample(self, key: str) -> Path | None:
        """The directory of a stored sample, or None."""
        path = self.root / "samples" / key
        return path if self._has(path) else None

    @contextlib.contextmanager
    def work(self, key: str) -> Iterator[Path]:
        """A directory for the work on one key: this process's alone, kept after an interruption, gone after success."""
        path = self.root / "scratch" / key
        path.parent.mkdir(exist_ok=True)
        with locked(path.with_suffix(".lock")):
            if self._fresh and path.exists():
                shutil.rmtree(path)
            path.mkdir(exist_ok=True)
            yield path
            shutil.rmtree(path)

    def put_sample(self, key: str, directory: Path) -> Path:
        """Move a finished sample's directory into the store, and say where it is."""
        target = self.root / "samples" / key
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        directory.replace(target)
        self._written.add(target)
        return target

    def score(self, key: str) -> dict[str, Any] | None:
        """A stored score record, or None."""
        path = self.root / "scores" / f"{key}.json"
        return json.loads(path.read_text(encoding="utf-8")) if self._has(path) else None

    def put_score(self, key: str, record: dict[str, Any]) -> None:
        """Store a score record."""
        path = self.root / "scores" / f"{key}.json"
        atomic_write(path, json.dumps(record, sort_keys=True))
        self._written.add(path)

    def embedding(self, key: str) -> np.ndarray | None:
        """A stored embedding, or None."""
        path = self.root / "embeddings" / f"{key}.npy"
        return np.load(path, allow_pickle=False) if self._has(path) else None

    def put_embedding(self, key: str, vectors: np.ndarray) -> None:
        """Store an embedding."""
        path = self.root / "embeddings" / f"{key}.npy"
        buffer = io.BytesIO()
        np.save(buffer, vectors, allow_pickle=False)
        atomic_write(path, buffer.getvalue())
        self._written.add(path)
