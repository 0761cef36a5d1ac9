"""The files that ``dnabench data fetch`` keeps among the downloads, each whole or not at all.

::

    downloads/<dataset>/<name>                 the file
    downloads/<dataset>/<name>.fetched.json    its sha256, where it comes from, and what asked for it
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.files import atomic_write, hexdigest, sync

if TYPE_CHECKING:
    from dnabench.protocols import FetchedFile

SCHEMA = 1


class FetchedFiles:
    """The files of a dataset under ``root``. Whoever changes them holds the lock of the dataset's fetch."""

    def __init__(self, root: Path, dataset: str) -> None:
        self._directory = root / "downloads" / dataset

    def about(self, name: str) -> dict[str, Any] | None:
        """The record of a file, and its ``path``; None where it is not, or its length is not the recorded one."""
        path = self._directory / name
        record = _read_record(path)
        if record is None or not path.is_file() or path.stat().st_size != record["bytes"]:
            return None
        return _located(record, path)

    def verified(self, name: str) -> dict[str, Any] | None:
        """As :meth:`about`, by its sha256; a file that is no longer what it was goes, so that it is brought anew."""
        path = self._directory / name
        record = _read_record(path)
        if record is None:
            return None
        if path.is_file() and hexdigest(path) == record["sha256"]:
            return _located(record, path)
        path.unlink(missing_ok=True)
        return None

    def put(self, file: FetchedFile, made_by: Mapping[str, object]) -> dict[str, Any]:
        """Keep a file, in place of an earlier one of its name, and return its record. OSError when it cannot be."""
        path = self._directory / file.name
        record = {
            "schema": SCHEMA,
            "name": file.name,
            "bytes": file.path.stat().st_size,
            "sha256": hexdigest(file.path),
            "made_by": dict(made_by),
            "uses": list(file.uses),
            "about": dict(file.about),
        }
        sync(file.path)
        self._directory.mkdir(parents=True, exist_ok=True)
        _record_of(path).unlink(missing_ok=True)  # before the file changes, so that it never stands beside another one
        file.path.replace(path)
        atomic_write(_record_of(path), json.dumps(record, indent=1) + "\n")
        return _located(record, path)


def _read_record(path: Path) -> dict[str, Any] | None:
    """What was written down of a file, if that can be read."""
    try:
        record: dict[str, Any] = json.loads(_record_of(path).read_text(encoding="utf-8"))
        return record if record["schema"] == SCHEMA else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _located(record: dict[str, Any], path: Path) -> dict[str, Any]:
    """The record with the path, also in place of ``PATH`` in ``uses``: a store may be moved."""
    there = str(path.absolute())
    return {**record, "path": there, "uses": [use.replace("PATH", shlex.quote(there)) for use in record["uses"]]}


def _record_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.fetched.json")
