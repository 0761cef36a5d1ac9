"""One file from the web: whole, verified, and resumed where an earlier attempt, command or process stopped.

::

    <path>              the file, once it is whole
    <path>.origin.json  where it came from
    <path>.part         before that its first bytes, and <path>.part.origin.json: what they are the first bytes of
    <path>.lock         held by the process that downloads

With ``requests`` alone. pooch starts every attempt with a new temporary file, and its retries, checksum and renaming
are about that file: a download that resumes could use none of them.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dnabench import __version__
from dnabench.errors import UserError
from dnabench.files import atomic_write, hexdigest, locked, sync

if TYPE_CHECKING:
    from requests import RequestException, Response

_LONGEST_WAIT = 60.0  # seconds between two attempts, whatever the server asks for
_STEP = 1 << 20  # bytes; a download that has come so much further has all its attempts again
_CRAWL = 1 << 10  # bytes; fewer within the timeout are a stall
_BLOCK = 1 << 18  # bytes read at once, at most
_BUSY = frozenset({408, 425, 429})


def _no_progress(done: int, total: int, stage: str) -> None:
    """Tell nobody."""


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None,
    md5: str | None = None,
    progress: Callable[[int, int, str], None] = _no_progress,
    attempts: int = 5,
    timeout: float = 30.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Path:
    """The file at ``url``, as ``path``, which is there whole or not at all.

    A file that is there is returned without a look at the network if its checksum is right or, with none to check, if
    it came from the same ``url``; another file is replaced. Of several processes one downloads and the others wait.
    The bytes are the server's, whatever ``Content-Encoding`` they carry: servers label files that end in .gz with it.
    Proxies and certificates are those of the environment (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``).

    Args:
        url: http or https.
        sha256, md5: of the whole file, in hexadecimal; with neither its length is checked alone, where the server tells
            it.
        progress: ``progress(done, total, file name)`` in bytes; a total that is not known is 0.
        attempts: how many may fail while less than 1 MiB is gained.
        timeout: seconds to wait for a connection, for an answer, and for every KiB of the file.
        sleep: waits before another attempt: 1, 2, 4, ... s or as long as the server asks for, 60 s at most.

    Raises UserError when the file is not to be had, is not the expected one, or cannot be written. Before that,
    connections that fail, break or stall and servers that are busy (408, 425, 429, 5xx) are tried again.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise UserError(f"{url}: only http:// and https:// can be downloaded")
    expected = {name: digest.lower() for name, digest in (("sha256", sha256), ("md5", md5)) if digest}

    def report(done: int, total: int) -> None:
        progress(done, total, path.name)

    try:
        if _is_there(path, url, expected):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f"{path.name}.lock")):
            if not _is_there(path, url, expected):  # another process may have brought it in the meantime
                part = _Part(path, url)
                _persevere(lambda: _attempt(part, report, timeout), part, attempts, sleep)
                part.publish(expected)
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None
    return path


def _is_there(path: Path, url: str, expected: Mapping[str, str]) -> bool:
    if path.is_dir():
        raise UserError(f"{path}: a directory, where a file is to be downloaded")
    if not path.is_file():
        return False
    if not expected:
        return _read_origin(_origin_of(path), url) is not None
    return all(hexdigest(path, algorithm) == digest for algorithm, digest in expected.items())


@dataclass(frozen=True, kw_only=True)
class _Origin:
    """What the bytes of a file or of a part are, or are the first of.

    Attributes:
        validator: a strong ETag or a date of modification; empty where the server gave neither.
        total: bytes; 0 where the server did not tell.
    """

    url: str
    validator: str
    total: int


def _origin_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.origin.json")


def _read_origin(about: Path, url: str) -> _Origin | None:
    """What was written down, if it is about ``url``."""
    try:
        origin = _Origin(**json.loads(about.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return origin if origin.url == url else None


class _Part:
    """The bytes so far, beside the file that they will be."""

    def __init__(self, target: Path, url: str) -> None:
        self.url = url
        self.path = target.with_name(f"{target.name}.part")
        self._target = target
        self._about = _origin_of(self.path)
        self.origin = _read_origin(self._about, url)

    @property
    def held(self) -> int:
        """How many bytes need not come again: those of a file that the server can recognize, or of a whole one."""
        if self.origin is None or not self.path.exists():
            return 0
        length = self.path.stat().st_size
        return length if self.origin.validator or length == self.origin.total else 0

    @property
    def whole(self) -> bool:
        """Whether every byte is there; False as long as nobody knows how many there are."""
        return self.origin is not None and 0 < self.origin.total == self.held

    def begin(self, origin: _Origin) -> None:
        """Start from zero."""
        self.discard()
        atomic_write(self._about, json.dumps(asdict(origin)))
        self.origin = origin

    def discard(self) -> None:
        """Forget the bytes; first them, so that they never lie beside another file's origin."""
        self.path.unlink(missing_ok=True)
        self._about.unlink(missing_ok=True)
        self.origin = None

    def publish(self, expected: Mapping[str, str]) -> None:
        """Give the bytes the name of the file; UserError, and no bytes any more, if they are not the expected ones."""
        for algorithm, digest in expected.items():
            if (found := hexdigest(self.path, algorithm)) != digest:
                self.discard()
                raise UserError(f"{self.url}: not the expected file: its {algorithm} is {found}, {digest} was expected")
        sync(self.path)
        kept = _origin_of(self._target)
        kept.unlink(missing_ok=True)  # before the file changes, so that it never stands beside another one's origin
        self.path.replace(self._target)
        self._about.replace(kept)


class _AttemptError(Exception):
    """An attempt failed, and another may not; ``wait``: seconds that the server asks for."""

    def __init__(self, reason: str, *, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def _persevere(attempt: Callable[[], None], part: _Part, attempts: int, sleep: Callable[[float], None]) -> None:
    """Try until it works or ``attempts`` have failed.

    A long download over a bad line may break many times: every step further than ever before clears the count. What a
    server sends from zero each time never gets further, so this ends.
    """
    failures, furthest = 0, part.held
    while True:
        try:
            attempt()
        except _AttemptError as error:
            if part.held >= furthest + _STEP:
                failures, furthest = 0, part.held
            failures += 1
            if failures >= attempts:
                here = f"; {part.held} bytes are here, and the same command gets the rest" if part.held else ""
                raise UserError(f"{error}; failed {attempts} times in a row{here}") from None
            sleep(min(max(error.wait, 2.0 ** (failures - 1)), _LONGEST_WAIT))
        else:
            return


def _attempt(part: _Part, report: Callable[[int, int], None], timeout: float) -> None:
    """One request for what is missing. Raises _AttemptError, or UserError where another request would fail as well."""
    from urllib3.exceptions import HTTPError

    if part.whole:  # stopped between the last byte and the renaming
        return
    with _request(part, timeout) as response:
        total = _begin(response, part)
        try:
            _receive(response, part, lambda done: report(done, total), timeout)
        except HTTPError as error:
            raise _AttemptError(f"{part.url}: the connection broke: {_reason(error, timeout)}") from None
    if part.path.stat().st_size < total:  # a range may end anywhere, and one without Content-Length breaks unnoticed
        raise _AttemptError(f"{part.url}: the connection ended before byte {total}")


def _request(part: _Part, timeout: float) -> Response:
    import requests
    from urllib3.exceptions import HTTPError

    headers = {"User-Agent": f"dnabench/{__version__}", "Accept-Encoding": "identity"}
    if part.origin and part.held:
        headers |= {"Range": f"bytes={part.held}-", "If-Range": part.origin.validator}
    try:
        return requests.get(part.url, headers=headers, timeout=timeout, stream=True)
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        how = " through the proxy" if isinstance(error, requests.exceptions.ProxyError) else ""
        failure = f"{part.url}: cannot reach {_host(error, part.url)}{how}: {_reason(error, timeout)}"
        if isinstance(_cause(error), ssl.SSLCertVerificationError):
            raise UserError(failure) from None
        raise _AttemptError(f"{failure}; is this machine online?") from None
    except (OSError, ValueError, HTTPError) as error:  # no valid address, one of another scheme, no such certificates
        raise UserError(f"{part.url}: {error}") from None


def _begin(response: Response, part: _Part) -> int:
    """Make the part ready for the bytes of an answer, and say how many there are in all, or 0."""
    status = response.status_code
    if status == 200:  # also of a server that knows no ranges, or whose file has changed
        total: int = response.raw.length_remaining or 0
        part.begin(_Origin(url=part.url, validator=_validator(response), total=total))
        return total
    if part.origin and part.held and status in {206, 416}:
        if whole := _total_if_continued(response, part.origin, part.held):
            return whole
        part.discard()
        raise _AttemptError(f"{part.url}: the server has not the rest of what is here")
    answer = f"{part.url}: the server answers {status} {response.reason or ''}".rstrip()
    if status in _BUSY or 500 <= status < 600:
        raise _AttemptError(answer, wait=_retry_after(response))
    raise UserError(answer)


def _total_if_continued(response: Response, origin: _Origin, held: int) -> int:
    """The length of the file, if the answer goes on where the part ends, else 0.

    ``If-Range`` promises that much, but some servers do not know it.
    """
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    if response.status_code != 206 or match is None:
        return 0
    first, total = int(match[1]), int(match[2])
    same = _validator(response) in {"", origin.validator} and origin.total in {0, total}
    return total if same and first == held else 0


def _validator(response: Response) -> str:
    """What recognizes the file's very bytes. A weak ETag does not (RFC 9110, 13.1.5)."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _receive(response: Response, part: _Part, report: Callable[[int], None], timeout: float) -> None:
    """Append the bytes of an answer to the part, as they come."""
    done = part.held
    report(done)
    due, deadline = done + _CRAWL, time.monotonic() + timeout
    with part.path.open("ab") as stream:
        # Not read(), which waits until a block is full and, when the connection breaks, loses what there was of it.
        while block := response.raw.read1(_BLOCK, decode_content=False):
            stream.write(block)
            done += len(block)
            report(done)
            if done >= due:
                due, deadline = done + _CRAWL, time.monotonic() + timeout
            elif time.monotonic() > deadline:
                raise _AttemptError(f"{part.url}: less than {_CRAWL} bytes came within {timeout:g} s")


def _retry_after(response: Response) -> float:
    """Seconds that the server asks to wait, or 0."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    try:
        return Retry().get_retry_after(response.raw) or 0.0
    except InvalidHeader:
        return 0.0


def _cause(error: BaseException) -> OSError | None:
    """What the operating system said, below the layers of requests and urllib3, which chain it in several ways."""
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    if isinstance(error, RequestException | HTTPError):
        inner = (error.__cause__, *error.args, error.__context__)
        return next(filter(None, (_cause(e) for e in inner if isinstance(e, BaseException))), None)
    return error if isinstance(error, OSError) else None


def _reason(error: BaseException, timeout: float) -> str:
    cause = _cause(error)
    if isinstance(cause, TimeoutError):
        return f"nothing came for {timeout:g} s"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    return str((cause and cause.strerror) or cause or "it ended early")


def _host(error: RequestException, url: str) -> str:
    """The host that failed, which after a redirection is not the address's."""
    return urlsplit(error.request.url if error.request and error.request.url else url).hostname or url
