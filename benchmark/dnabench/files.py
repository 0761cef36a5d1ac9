"""Files that are either whole or absent, and files that lock."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
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
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UserError(f"{path}: cannot be written: {error.strerror}") from None
        raise


def hexdigest(path: Path, algorithm: str = "sha256") -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def sync(path: Path) -> None:
    """Have a file, or the names in a directory, on disk before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Have every file below a directory, and all their names, on disk before going on."""
    for path in directory.rglob("*"):
        sync(path)
    sync(directory)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock file ``path``; the operating system lets go of it however the process ends.

    BlockingIOError when somebody else has it, unless this is to ``wait``.
    """
    while True:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(lock.fileno(), path):
                continue  # whoever held it has removed it: this locks nothing that others see
            try:
                yield
            finally:
                with contextlib.suppress(PermissionError):  # then it stays, and locks nothing
                    path.unlink()
            return


def is_held(path: Path) -> bool:
    """Whether a process holds the lock file. Nothing is made or changed."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
