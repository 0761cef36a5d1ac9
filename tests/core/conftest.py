"""A web server that misbehaves to order."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one request is answered.

    Attributes:
        status: what is said in place of the file.
        headers: take the place of those that the server would send; None leaves one out.
        cut: the connection ends after so many bytes of the body.
        stall: after so many bytes of the body nothing more comes.
        trickle: seconds between single bytes of the body.
        reset: the connection is reset with no answer at all.
        hold: nothing is said before this is set.
    """

    status: int | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    cut: int | None = None
    stall: int | None = None
    trickle: float | None = None
    reset: bool = False
    hold: threading.Event | None = None


class WebServer:
    """One file under every address, of this machine.

    Attributes:
        content: the file.
        etag, modified: its validators; empty ones are not sent.
        ranges: whether the server knows ``Range``.
        if_range: whether it knows ``If-Range``.
        requests: path and headers of every request so far.
        sent: bytes of the body sent to each of them.
        answers: what is done with the next requests, one each; the later ones get the file.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = '"one"'
        self.modified = "Wed, 21 Oct 2015 07:28:00 GMT"
        self.ranges = True
        self.if_range = True
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent: list[int] = []
        self.answers: list[Answer] = []
        self.released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"web": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/data/promoters.fa.gz"

    def start(self, context: ssl.SSLContext | None = None) -> None:
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.url = self.url.replace("http:", "https:")
        self._thread.start()

    def stop(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def ranges_asked(self) -> list[str | None]:
        """The Range header of every request."""
        return [headers.get("Range") for _, headers in self.requests]


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for every answer, and no socket outlives its test

    def handle_error(self, request, client_address) -> None:
        if not isinstance(sys.exception(), OSError):  # the client is gone, or trusts no certificate
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    web: WebServer

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        web = self.web
        web.requests.append((self.path, dict(self.headers)))
        answer = web.answers.pop(0) if web.answers else Answer()
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            return
        if answer.hold is not None:
            answer.hold.wait()
        status, body, headers = self._answer(answer)
        self.send_response(status)
        for name, value in (headers | answer.headers).items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if answer.trickle is not None:
            for byte in body:
                self.wfile.write(bytes([byte]))
                if web.released.wait(answer.trickle):
                    return
        body = body[: answer.stall if answer.cut is None else answer.cut]
        web.sent.append(len(body))  # before the client can be done with it
        self.wfile.write(body)
        if answer.stall is not None:
            web.released.wait()

    def _answer(self, answer: Answer) -> tuple[int, bytes, dict[str, str | None]]:
        web, content = self.web, self.web.content
        if answer.status is not None:
            return answer.status, b"a page for people", {"Content-Length": "17"}
        validators = {"ETag": web.etag or None, "Last-Modified": web.modified or None}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        known = {None, web.etag, web.modified} - {""}
        if not web.ranges or asked is None or (web.if_range and self.headers.get("If-Range") not in known):
            return 200, content, {"Content-Length": str(len(content)), **validators}
        start = int(asked[1])
        if start >= len(content):
            return 416, b"", {"Content-Length": "0", "Content-Range": f"bytes */{len(content)}"}
        place = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
        return 206, content[start:], {"Content-Length": str(len(content) - start), **place, **validators}


@pytest.fixture
def web(monkeypatch) -> Iterator[WebServer]:
    """A web server that has a file of 300,000 bytes; no proxy stands before it."""
    with _serving(monkeypatch) as server:
        yield server


@pytest.fixture
def secure_web(monkeypatch) -> Callable[..., contextlib.AbstractContextManager[WebServer]]:
    """The same behind https, with a certificate that nobody signed: ``with secure_web(certificate, key) as web``."""

    def serve(certificate: Path, key: Path) -> contextlib.AbstractContextManager[WebServer]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return _serving(monkeypatch, context)

    return serve


@contextlib.contextmanager
def _serving(monkeypatch, context: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = WebServer(bytes(range(250)) * 1200)
    server.start(context)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
