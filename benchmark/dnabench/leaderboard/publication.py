"""Files of one suite that change together, whatever stops the process that changes them, and whoever reads meanwhile.

Who publishes holds the lock ``.SUITE.lock``, stages the files in ``.SUITE.new/`` where they will be below the
leaderboard, renames that to ``.SUITE.ready/``, and moves the files to their places. The rename is what publishes:
whoever has the lock next drops a ``.SUITE.new``, and moves what is left in a ``.SUITE.ready``. Those who read take the
lock only where a publication is in their way, since a leaderboard may be one that they cannot write.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from dnabench.errors import UserError
from dnabench.files import is_held, locked, sync, sync_tree
from dnabench.leaderboard import names

_READY = ".ready"
_PAUSE = 0.02  # seconds between two looks at files that somebody else is changing

T = TypeVar("T")


@contextlib.contextmanager
def held(directory: Path, suite: str) -> Iterator[None]:
    """Hold the lock of a suite's files, so that whoever reads and then writes them loses nobody's facts.

    A publication that was interrupted is finished first. UserError where the directory cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(_hidden(directory, suite, ".lock")))
            _finish(directory, suite)
            if (new := _hidden(directory, suite, ".new")).exists():
                shutil.rmtree(new)
        except OSError as error:
            raise _unwritable(directory, error) from None
        yield


def write(directory: Path, suite: str, texts: Mapping[Path, str]) -> None:
    """Write files of a suite that is held, all or none; UserError if that fails."""
    new = _hidden(directory, suite, ".new")
    try:
        _check_places(directory, texts)
        stage(new, {path.relative_to(directory).as_posix(): text for path, text in texts.items()})
        new.rename(_hidden(directory, suite, _READY))
        sync(directory)
        _finish(directory, suite)
    except OSError as error:
        raise _unwritable(directory, error) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def stage(folder: Path, texts: Mapping[str, str | bytes]) -> None:
    """Write files below ``folder`` that all are on disk, with their names, before this returns."""
    folder.mkdir(exist_ok=True)
    for name, content in texts.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o644)
    sync_tree(folder)


def interrupted(directory: Path) -> list[str]:
    """The suites of which a publication has begun to take its place, and not ended."""
    found = directory.glob(f".*{_READY}")
    return [path.name.removeprefix(".").removesuffix(_READY) for path in found if path.is_dir()]


def undisturbed(directory: Path, suite: str, read: Callable[[], T]) -> T:
    """What ``read`` makes of a suite's files while nobody changes them.

    It is called again where they have changed meanwhile, whether it found something or failed. UserError where a
    publication was interrupted in a directory that cannot be written.
    """
    while True:
        before = _state(directory, suite)
        if before.ready is None:
            try:
                found = read()
            except UserError:
                if _state(directory, suite) == before:
                    raise
            else:
                if _state(directory, suite) == before:
                    return found
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(held(directory, suite))
            except UserError:
                alone = not is_held(_hidden(directory, suite, ".lock"))
                if before.ready and alone and _state(directory, suite).ready == before.ready:
                    raise UserError(
                        f"{directory}: a publication of {suite} was interrupted, and it cannot be finished from here, "
                        f"where the directory cannot be written; dnabench leaderboard build {directory} finishes it"
                    ) from None
            else:
                return read()
        time.sleep(_PAUSE)


class _State(NamedTuple):
    """What changes when a suite's files do. The inode of what is ready comes first: it is there while files move."""

    ready: int | None
    files: dict[str, tuple[int, int, int]]


def _state(directory: Path, suite: str) -> _State:
    ready = _stat(_hidden(directory, suite, _READY))
    paths = [directory / f"{suite}.csv", directory / f"{suite}.toml", *(directory / suite).glob("*.csv")]
    stats = {str(path): _stat(path) for path in paths}
    files = {name: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for name, stat in stats.items() if stat}
    return _State(ready.st_ino if ready else None, files)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _finish(directory: Path, suite: str) -> None:
    """Move to their places what files are left in ``.SUITE.ready``, and remove it."""
    ready = _hidden(directory, suite, _READY)
    if not ready.exists():
        return
    folders = {directory}
    for path in sorted(ready.rglob("*")):
        place = directory / path.relative_to(ready)
        if path.is_dir():
            place.mkdir(exist_ok=True)
            folders.add(place)
        else:
            path.replace(place)
    for folder in folders:
        sync(folder)
    shutil.rmtree(ready)


def _check_places(directory: Path, paths: Iterable[Path]) -> None:
    """UserError where a file could not be moved to its place, which would be found out too late when some have been."""
    for path in paths:
        folder, there = path.parent, path.parent.exists()
        if there and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
            raise UserError(f"{folder}: is no directory that can be written")
        if there and folder.stat().st_dev != directory.stat().st_dev:
            raise UserError(f"{folder}: is on another file system than {directory}; a leaderboard is on one")
        if path.is_dir():
            raise UserError(f"{path}: is a directory, and a file is to be written there")


def _hidden(directory: Path, suite: str, ending: str) -> Path:
    """A path that is no suite's and no generator's: their names begin with no dot."""
    return directory / f".{names.check_suite(suite, directory)}{ending}"


def _unwritable(directory: Path, error: OSError) -> UserError:
    return UserError(f"{directory}: cannot be written: {error.strerror}")
