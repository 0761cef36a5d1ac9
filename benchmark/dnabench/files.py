"""Files that are either whole or absent."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from dnabench.errors import UserError


def atomic_write(path: Path, content: bytes | str) -> None:
    """Replace ``path`` by ``content`` in one step, on disk before it returns; text is UTF-8 with LF line ends."""
    data = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
