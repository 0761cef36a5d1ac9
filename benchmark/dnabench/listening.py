"""While a stranger's code is loaded, stdout, which is for results, gets nothing of what it prints."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any, TextIO, cast

_ONE_STDOUT = threading.RLock()  # of the process; what two threads divert at once, they may restore in the wrong order


class Listener:
    """Stands in for ``sys.stdout``: sends everything on to stderr, and remembers it.

    Code that keeps it, as a handler of ``logging`` does, goes on writing to stderr.
    """

    def __init__(self, file: int | None) -> None:
        self._file = file
        self._read = 0
        self._said = ""
        self._listens = True

    def write(self, text: str) -> int:
        """What ``print`` calls."""
        if self._listens:
            self._said += text
        if sys.stderr is not None:
            sys.stderr.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)

    def heard(self) -> str:
        """What went to stdout since the last call."""
        _flush()
        if self._file is not None and (size := os.fstat(self._file).st_size - self._read) > 0:
            self.write(os.pread(self._file, size, self._read).decode(errors="replace"))
            self._read += size
        said, self._said = self._said, ""
        return said

    def close(self) -> None:
        """Remember nothing more."""
        self.heard()
        self._listens, self._file = False, None


@contextlib.contextmanager
def listening() -> Iterator[Listener]:
    """Send to stderr what goes to stdout meanwhile, also past Python: from C, or from a process that is started."""
    with _ONE_STDOUT, _diverted() as file:
        listener = Listener(file)
        try:
            with contextlib.redirect_stdout(cast("TextIO", listener)):
                yield listener
        finally:
            listener.close()


@contextlib.contextmanager
def _diverted() -> Iterator[int | None]:
    """Descriptor 1 leads to a file, whose descriptor this is; None where there is no stdout or no room for a file.

    What Python has collected for it must be flushed before this ends.
    """
    with contextlib.ExitStack() as opened:
        try:
            stdout = os.dup(1)
            opened.callback(os.close, stdout)
            file = _file()
            opened.callback(os.close, file)
        except OSError:
            yield None
            return
        _flush()
        os.dup2(file, 1)
        try:
            yield file
        finally:
            os.dup2(stdout, 1)


def _file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("stdout")  # also when the disk is full
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _flush() -> None:
    """Send what Python has collected for descriptor 1 to where that leads now."""
    if sys.__stdout__ is not None:
        with contextlib.suppress(OSError, ValueError):  # a closed pipe, a closed file
            sys.__stdout__.flush()
