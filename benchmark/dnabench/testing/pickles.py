"""Files that are, or hold, a pickle: reading one can execute anything."""

from __future__ import annotations

import zipfile
from pathlib import Path

PICKLED = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib")


def pickled(path: Path) -> str | None:
    """Why a file is, or holds, a pickle; None where it does not."""
    if path.suffix in PICKLED:
        return "by its name"
    with path.open("rb") as file:
        reason = _pickled(file.read(512))
    if reason is None and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    if inner := _pickled(file.read(512)):
                        return f"{name} in it {inner}"
    return reason


def _pickled(start: bytes) -> str | None:
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "by its first bytes"
    if start.startswith(b"\x93NUMPY") and b"'|O'" in start:
        return "with an array of objects"
    return None
