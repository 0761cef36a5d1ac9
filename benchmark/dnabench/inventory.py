"""What lies in a store, how large it is, and when it was last used.

What dnabench did not make, symbolic links among it, is told apart by its name and form, whatever directory is taken for
a store. Links are never followed.

The last use is the last write or, where the file system keeps times of access (most do, to within a day), the last
read. By writes alone a set would be old that a run reads at this moment.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnabench.errors import UserError

_KEY = "[0-9a-f]{64}"
_SET = "[a-z0-9-]+"
# Everything but these three is made by runs, which make it anew when it is gone.
DOWNLOADS, DATA, OTHER = "downloads", "data", "other"
_NAMES = {
    kind: re.compile(pattern)
    for kind, pattern in {
        "cells": rf"{_KEY}\.json",
        "models": _KEY,
        "samples": _KEY,
        "scores": rf"{_KEY}\.json",
        "details": rf"{_KEY}\.csv",
        "embeddings": rf"{_KEY}\.npy",
        "scratch": rf"{_KEY}|fetch-{_SET}",
        "parts": _KEY,
        "splits": rf"{_KEY}-.+\.npy",
        DOWNLOADS: _SET,
        DATA: _SET,
    }.items()
}
_FILES = ("cells", "scores", "details", "embeddings", "splits")
KINDS = (*_NAMES, OTHER)
MADE = tuple(kind for kind in _NAMES if kind not in (DOWNLOADS, DATA))


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing in a store.

    Attributes:
        kind: one of KINDS: the folder it is in, or ``other``.
        key: its name without an ending.
        bytes: of its files.
        used: when it was last used, in seconds since 1970.
        whole: False for locks, temporary files, and parts of which some are missing: these are no entries.
    """

    kind: str
    key: str
    path: Path
    bytes: int
    used: float
    whole: bool = True


def check(root: Path) -> Path:
    """The store's directory, resolved. UserError when there is none."""
    if root.is_dir():
        return root.resolve()
    what = "not a directory" if root.exists() else "no such directory"
    raise UserError(f"{root}: {what}, so no store; the first run makes one, and --store says which is meant")


def scan(root: Path) -> Iterator[Item]:
    """Everything in the store. UserError when it cannot be read."""
    try:
        for folder in _entries(root):
            if folder.name in _NAMES and folder.is_dir(follow_symlinks=False):
                yield from (_item(folder.name, entry) for entry in _entries(Path(folder.path)))
            else:
                yield _item(OTHER, folder)
    except PermissionError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from None


def summary(items: Iterable[Item]) -> list[dict[str, Any]]:
    """A row for each kind and one for the ``total``: entries, bytes, and of entries the oldest and newest last use."""
    items = list(items)
    return [_row(kind, [item for item in items if kind in (item.kind, "total")]) for kind in (*KINDS, "total")]


def _row(kind: str, items: list[Item]) -> dict[str, Any]:
    used = [item.used for item in items if item.whole]
    return {
        "kind": kind,
        "entries": len(used),
        "bytes": sum(item.bytes for item in items),
        "oldest": min(used, default=None),
        "newest": max(used, default=None),
    }


def measure(path: Path) -> tuple[int, float]:
    """Bytes of the files at or below ``path``, and the last use; (0, 0) for what has just gone."""
    try:
        about = path.lstat()
    except FileNotFoundError:
        return 0, 0.0
    if not stat.S_ISDIR(about.st_mode):
        return about.st_size, max(about.st_mtime, about.st_atime)
    # Not a directory's time of access: every look into it, as this one, is an access.
    measured = [(0, about.st_mtime), *(measure(Path(entry.path)) for entry in _entries(path))]
    return sum(size for size, _ in measured), max(used for _, used in measured)


def _item(kind: str, entry: os.DirEntry[str]) -> Item:
    path = Path(entry.path)
    size, used = measure(path)
    whole = _is_whole(kind, entry)
    return Item(
        kind=OTHER if whole is None else kind,
        key=entry.name.partition(".")[0],
        path=path,
        bytes=size,
        used=used,
        whole=whole is not False,
    )


def _is_whole(kind: str, entry: os.DirEntry[str]) -> bool | None:
    """Whether it is an entry or what is left of one; None for what is not dnabench's."""
    if kind == OTHER or entry.is_symlink():
        return None
    if not _NAMES[kind].fullmatch(entry.name):
        # A lock, or named as dnabench.files.atomic_write and imports name what they have not finished.
        left = re.fullmatch(r"\.?(.+)\.lock|\.(.+?)\.[a-z0-9_]{8}(?:(?:\.old)?\.part)?", entry.name)
        return False if left and _NAMES[kind].fullmatch(left[1] or left[2]) else None
    if entry.is_dir(follow_symlinks=False) == (kind in _FILES):
        return None
    if kind == DOWNLOADS:
        kept = (".origin.json", ".fetched.json")
        return True if any(path.name.endswith(kept) for path in Path(entry.path).rglob("*.json")) else None
    return kind != "parts" or Path(entry.path, "about.json").is_file()


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    """What is in a directory, by name; nothing in one that has just gone."""
    try:
        with os.scandir(directory) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
