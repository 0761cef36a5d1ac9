"""What the tests of fetched datasets need: a host with the layout of the published ones, and a fetcher."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dnabench.data import records
from dnabench.data.download import download
from dnabench.data.read import read

if TYPE_CHECKING:
    from dnabench import SequenceSet


class Host:
    """A web server of this machine.

    Attributes:
        directory: what it serves.
        asked: the paths that were asked for.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.asked: list[str] = []
        handler = partial(_Handler, host=self)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def put(self, path: str, content: str) -> None:
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments, host: Host) -> None:
        self.host = host
        super().__init__(*arguments, directory=str(host.directory))

    def do_GET(self) -> None:
        self.host.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def host(tmp_path, monkeypatch) -> Iterator[Host]:
    """A web server with an empty directory; no proxy stands before it."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    directory = tmp_path / "host"
    directory.mkdir()
    host = Host(directory)
    thread = threading.Thread(target=host.server.serve_forever, args=(0.01,))
    thread.start()
    yield host
    host.server.shutdown()
    thread.join()
    host.server.server_close()


class PlainFetcher:
    """The core's downloads, readers and cleaning, with what it was told written down."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.scratch = root / "scratch"
        self.scratch.mkdir()
        self.warnings: list[str] = []
        self.stages: list[tuple[int, int, str]] = []

    def download(self, url: str, *, name: str, sha256: str | None = None) -> Path:
        return download(url, self.root / "downloads" / name, sha256=sha256)

    def read(self, paths: Sequence[Path], *, sequence_column: str | None = None) -> records.Reading:
        return read(paths, sequence_column=sequence_column)

    def clean(self, sequences: SequenceSet, *, keep_n: bool = False) -> records.Cleaned:
        return records.clean(sequences, keep_n=keep_n)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def progress(self, done: int, total: int, stage: str) -> None:
        self.stages.append((done, total, stage))


@pytest.fixture
def fetcher(tmp_path) -> PlainFetcher:
    return PlainFetcher(tmp_path)
