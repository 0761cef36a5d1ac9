"""TensorBoard's event files, written without TensorFlow or torch, record by record.

TensorBoard's own file writers keep a thread and a queue for each file, and import TensorFlow where it is installed. A
run has few numbers and many files, one for each generator and seed: each is appended to in one piece and closed.
"""

from __future__ import annotations

import ctypes
import io
import itertools
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dnabench.orders import CellResult

_names = itertools.count()


class Board:
    """Event files in ``directory``, in a folder for each series."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, _EventFile] = {}

    def log(self, result: CellResult, name: str, found: dict[str, float], *, last: bool) -> None:  # noqa: ARG002
        """Append numbers; they are with the operating system when this returns."""
        if not found:
            return
        if name not in self._files:
            self._files[name] = _EventFile(self._directory / name)
        self._files[name].append(found)

    def close(self) -> None:
        """Nothing is open."""


class _EventFile:
    """The numbers of one series. What earlier attempts at the run have written is not written again."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known = {
            tag: value for path in sorted(directory.glob("events.out.tfevents.*")) for tag, value in _read(path)
        }
        # A file of its own: the last attempt may have been killed within a record. The name says nothing of the host.
        self._path = directory / f"events.out.tfevents.{int(time.time()):010d}.dnabench.{os.getpid()}.{next(_names)}"

    def append(self, found: dict[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        stored = {tag: ctypes.c_float(value).value for tag, value in found.items()}
        fresh = {tag: value for tag, value in stored.items() if self._known.get(tag) != value}
        if not fresh:
            return
        buffer = io.BytesIO()
        records = RecordWriter(buffer)
        now = time.time()
        if not self._path.exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            records.write(Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        scalars = [Summary.Value(tag=tag, simple_value=value) for tag, value in fresh.items()]
        records.write(Event(wall_time=now, step=0, summary=Summary(value=scalars)).SerializeToString())
        with self._path.open("ab", buffering=0) as file:
            file.write(buffer.getvalue())


def _read(path: Path) -> Iterator[tuple[str, float]]:
    """The tags and numbers in an event file, up to a record that is cut short.

    A record: its length as uint64, a checksum of 4 bytes, an Event, a checksum of 4 bytes.
    """
    from tensorboard.compat.proto.event_pb2 import Event

    data, start = path.read_bytes(), 0
    while start + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, start)
        if start + 16 + length > len(data):
            return
        event: Any = Event.FromString(data[start + 12 : start + 12 + length])
        yield from ((value.tag, value.simple_value) for value in event.summary.value)
        start += 16 + length
