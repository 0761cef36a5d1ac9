"""A fork server (:mod:`dnabench.engines.forkserver`) as its owner sees it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GRACE = 0.5
"""Seconds from SIGTERM to SIGKILL."""


class ServerProcess:
    """A fork server of the interpreter ``python``."""

    def __init__(self, python: str, environment: Mapping[str, str]) -> None:
        # It outlives this process by a moment, and clears up behind it, however it ends.
        self.place = Path(tempfile.mkdtemp(prefix="dnabench-"))
        command = [python, "-P", "-m", "dnabench.engines.forkserver", str(self.place)]
        # A session of its own keeps Ctrl-C away from it: this process decides what ends.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
        )
        self.ready = False  # whether it has imported everything
        self._pending = b""

    def request(self, number: int, directory: Path, *, scores: bool) -> None:
        """Have what lies in ``directory`` executed; ``scores`` says whether it is a metric's work."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone: nothing will come from replies()
            request = {"id": number, "directory": str(directory), "scores": scores}
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()

    def fileno(self) -> int:
        """What becomes readable when there are replies."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def replies(self) -> list[dict[str, Any]] | None:
        """What it has said, for when something can be read; None where it is gone."""
        data = os.read(self.fileno(), 1 << 16)
        *lines, self._pending = (self._pending + data).split(b"\n")
        if not data:
            return None
        replies = [json.loads(line) for line in lines]
        self.ready = self.ready or any("ready" in reply for reply in replies)
        return replies

    def leave(self) -> None:
        """Have it end, which :meth:`close` waits for."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def close(self) -> None:
        """End it, at once where it does not by itself."""
        self.leave()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def clear_up(self) -> None:
        """Remove what is left of its cells' files."""
        shutil.rmtree(self.place, ignore_errors=True)
