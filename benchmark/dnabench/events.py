"""``events.jsonl``: what happened in a run and when, a JSON object a line, the lines of all attempts one after another.

Every line has ``time`` (UTC) and ``event``:

==================  ====================================================================================
run-started         ``cells``, how many there are; ``dnabench``, the version; ``engine``
cell-submitted      ``cell``, its id in the manifest, and ``key``, what its result is called in the store
cell-started        ``cell``
cell-finished       ``cell``, ``key``, ``status``, ``error``, ``cached``, ``seconds``, ``peak_memory_mb``, ``worker``;
                    of a failure also ``answer``, what was found all the same
run-finished        ``status`` -> number of cells, as ``cells``
run-interrupted     ``cells`` that were running
==================  ====================================================================================
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dnabench.errors import UserError


class Events:
    """Appends to a file of events, alone. Use as a context manager. UserError when it cannot be, or is in use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")  # the last attempt was killed, or its disk full, within a line
        except BlockingIOError:
            os.close(self._file)
            raise UserError(f"{path.parent}: another process runs here at this moment; choose another --out") from None
        except OSError as error:
            raise UserError(f"{path}: cannot be written: {error.strerror}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def write(self, event: str, **about: Any) -> None:
        """Add a line, in one piece."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": now, "event": event, **about})
        try:
            os.write(self._file, line.encode() + b"\n")
        except OSError as error:
            raise UserError(f"{self._path}: cannot be written: {error.strerror}") from None


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The events in a file, none where there is no file; a line that is cut short is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
