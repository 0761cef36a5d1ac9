"""Downloads from a real server on this machine that breaks off, stalls, lies and changes its mind."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from dnabench.data import download as module
from dnabench.data.download import download
from dnabench.errors import UserError

from .conftest import Answer

CUT = Answer(cut=100_000)  # of the 300,000 bytes of the file


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "downloads" / "promoters.fa.gz"


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were waited between attempts, had anybody waited."""
    return []


@pytest.fixture
def fetch(web, target, waits):
    def fetch(url=None, **options) -> Path:
        return download(url or web.url, target, **{"sha256": None, "sleep": waits.append, **options})

    return fetch


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def in_another_process(url: str, target: Path) -> subprocess.Popen:
    script = "import sys; from pathlib import Path; from dnabench.data.download import download; "
    script += "download(sys.argv[1], Path(sys.argv[2]), sha256=None)"
    return subprocess.Popen([sys.executable, "-c", script, url, str(target)], stderr=subprocess.PIPE, text=True)


def until(condition) -> None:
    """Wait for another process; the test's own time limit ends it."""
    while not condition():
        time.sleep(0.01)


def test_a_file_is_brought_once(web, fetch, target):
    seen = []
    assert fetch(progress=lambda *state: seen.append(state)) == target
    assert target.read_bytes() == web.content
    assert seen[0] == (0, 300_000, "promoters.fa.gz")
    assert seen[-1] == (300_000, 300_000, "promoters.fa.gz")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert sorted(path.name for path in target.parent.iterdir()) == [target.name, f"{target.name}.origin.json"]
    fetch()
    assert len(web.requests) == 1


def test_a_broken_transfer_goes_on_where_it_broke(web, fetch, target, waits):
    web.answers = [CUT]
    seen = []
    fetch(sha256=sha256(web.content), progress=lambda done, total, _: seen.append((done, total)))
    assert target.read_bytes() == web.content
    assert web.ranges_asked == [None, "bytes=100000-"]
    assert web.requests[1][1]["If-Range"] == '"one"'
    assert web.sent == [100_000, 200_000]
    assert seen[-1] == (300_000, 300_000)
    assert seen.count((100_000, 300_000)) == 2  # where the first attempt ended and the second began
    assert waits == [1]


def test_another_command_goes_on_as_well(web, fetch, target):
    web.answers = [CUT]
    with pytest.raises(UserError, match=r"the connection broke.*100000 bytes are here, and the same command gets"):
        fetch(attempts=1)
    assert not target.exists()
    fetch()
    assert target.read_bytes() == web.content
    assert web.sent == [100_000, 200_000]


def test_whoever_gains_a_mebibyte_has_all_attempts_again(web, fetch, target, waits):
    web.content = os.urandom(5 << 20)
    web.answers = [Answer(cut=(1 << 20) + 1)] * 4
    fetch(attempts=2)
    assert target.read_bytes() == web.content
    assert waits == [1, 1, 1, 1]


def test_whoever_gains_less_has_not(web, fetch, target):
    web.answers = [Answer(cut=1000)] * 5
    with pytest.raises(UserError, match="failed 3 times in a row"):
        fetch(attempts=3)
    assert web.sent == [1000] * 3


@pytest.mark.parametrize(
    ("answer", "rest"),
    [
        pytest.param(Answer(headers={"Content-Length": None}, cut=50_000), 150_000, id="end of a range not announced"),
        pytest.param(
            Answer(headers={"Content-Range": "bytes 100000-149999/300000", "Content-Length": "50000"}, cut=50_000),
            150_000,
            id="less than was asked for",
        ),
    ],
)
def test_a_range_that_ends_early_goes_on(web, fetch, target, answer, rest):
    web.answers = [CUT, answer]
    fetch()
    assert target.read_bytes() == web.content
    assert web.sent == [100_000, 50_000, rest]


def test_a_wrong_checksum_leaves_nothing_behind(web, fetch, target):
    found, expected = sha256(web.content), "ab" * 32
    with pytest.raises(UserError, match=f"{web.url}: not the expected file: its sha256 is {found}, {expected} was"):
        fetch(sha256=expected)
    assert list(target.parent.iterdir()) == []
    assert len(web.requests) == 1


def test_a_wrong_md5_leaves_nothing_behind_and_the_right_one_is_found_again(web, fetch, target):
    found = hashlib.md5(web.content, usedforsecurity=False).hexdigest()
    with pytest.raises(UserError, match=f"not the expected file: its md5 is {found}, {'ab' * 16} was expected"):
        fetch(md5="ab" * 16)
    assert list(target.parent.iterdir()) == []
    fetch(md5=found.upper())
    fetch(md5=found)
    assert len(web.requests) == 2
    target.write_bytes(b"damaged")
    fetch(md5=found)
    assert target.read_bytes() == web.content


def test_a_checksum_holds_for_what_is_there_too(web, fetch, target):
    target.parent.mkdir()
    target.write_bytes(web.content)
    fetch(sha256=sha256(web.content).upper())
    assert web.requests == []
    target.write_bytes(b"damaged")
    fetch(sha256=sha256(web.content))
    assert target.read_bytes() == web.content


def test_an_end_that_nobody_announced_is_found_by_the_checksum(web, fetch, target):
    web.answers = [Answer(headers={"Content-Length": None}, cut=100_000)]
    with pytest.raises(UserError, match="not the expected file"):
        fetch(sha256=sha256(web.content))
    assert not target.exists()


def test_one_name_and_two_addresses(web, fetch, target):
    fetch()
    web.content, web.etag = b"of another revision", '"two"'
    fetch(f"{web.url}?revision=2")
    assert target.read_bytes() == b"of another revision"
    fetch(f"{web.url}?revision=2")
    assert len(web.requests) == 2


def test_a_process_killed_between_file_and_origin_confuses_nobody(web, fetch, target, monkeypatch):
    fetch()
    replace = Path.replace

    def killed(path, to):
        if path.name.endswith(".part.origin.json"):
            raise KeyboardInterrupt
        return replace(path, to)

    first, web.content, web.etag = web.content, b"of another revision", '"two"'
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        fetch(f"{web.url}?revision=2")
    web.content, web.etag = first, '"one"'
    fetch()
    assert target.read_bytes() == first


def test_a_file_of_unknown_origin_is_replaced(web, fetch, target):
    target.parent.mkdir()
    target.write_bytes(b"of whatever")
    fetch()
    assert target.read_bytes() == web.content


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_file_that_is_not_to_be_had(web, fetch, target, waits, status):
    web.answers = [Answer(status=status)]
    with pytest.raises(UserError, match=rf"^{web.url}: the server answers {status} [A-Z][A-Za-z ]+$"):
        fetch()
    assert list(target.parent.iterdir()) == []
    assert (len(web.requests), waits) == (1, [])


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(web, fetch, target, waits, status):
    web.answers = [Answer(status=status)] * 2
    fetch()
    assert target.read_bytes() == web.content
    assert waits == [1, 2]


def test_waits_double_and_end(web, fetch, waits):
    web.answers = [Answer(status=503)] * 10
    with pytest.raises(UserError, match=r"answers 503 Service Unavailable; failed 9 times in a row$"):
        fetch(attempts=9)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert len(web.requests) == 9


@pytest.mark.parametrize(("asked", "waited"), [("7", 7), ("0", 1), ("86400", 60), ("soon", 1)])
def test_the_server_says_how_long_to_wait(web, fetch, waits, asked, waited):
    web.answers = [Answer(status=503, headers={"Retry-After": asked})]
    fetch()
    assert waits == [waited]


def test_the_server_says_until_when_to_wait(web, fetch, waits):
    until_then = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    web.answers = [Answer(status=429, headers={"Retry-After": format_datetime(until_then, usegmt=True)})]
    fetch()
    assert waits == [60]


def test_a_busy_server_costs_no_bytes(web, fetch, target):
    web.answers = [CUT, Answer(status=503)]
    fetch()
    assert target.read_bytes() == web.content
    assert web.ranges_asked == [None, "bytes=100000-", "bytes=100000-"]


def test_a_server_that_falls_silent(web, fetch, target, waits):
    web.answers = [Answer(stall=100_000)]
    fetch(timeout=0.3)
    assert target.read_bytes() == web.content
    assert web.ranges_asked == [None, "bytes=100000-"]
    assert waits == [1]


def test_a_server_that_says_nothing(web, fetch):
    web.answers = [Answer(hold=web.released)]
    with pytest.raises(UserError, match=r"cannot reach 127\.0\.0\.1: nothing came for 0\.2 s"):
        fetch(timeout=0.2, attempts=1)


def test_a_server_that_trickles(web, fetch, target):
    web.answers = [Answer(trickle=0.01)]
    with pytest.raises(UserError, match=r"less than 1024 bytes came within 0\.2 s"):
        fetch(timeout=0.2, attempts=1)
    assert not target.exists()


def test_a_slow_download_may_take_longer_than_the_timeout(web, fetch, target, waits, monkeypatch):
    clock = itertools.count(step=7.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(module, "_BLOCK", 600)
    fetch(timeout=30.0)
    assert target.read_bytes() == web.content
    assert waits == []


def test_a_connection_that_is_reset(web, fetch, target, waits):
    web.answers = [Answer(reset=True)]
    fetch()
    assert target.read_bytes() == web.content
    assert waits == [1]
    target.unlink()
    web.answers = [Answer(reset=True)] * 2
    with pytest.raises(UserError, match=r"cannot reach 127\.0\.0\.1: Connection reset by peer; .* failed 2 times"):
        fetch(attempts=2)


def test_nobody_listens(fetch, target, closed_port, waits):
    url = f"http://127.0.0.1:{closed_port}/sequence.csv"
    why = r"cannot reach 127\.0\.0\.1: Connection refused; is this machine online\?; failed 5 times in a row"
    with pytest.raises(UserError, match=f"^{url}: {why}$"):
        fetch(url)
    assert waits == [1, 2, 4, 8]
    assert list(target.parent.iterdir()) == []


def test_offline(fetch, monkeypatch):
    def no_network(*arguments, **options):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    with pytest.raises(UserError, match="cannot reach example.org: Temporary failure in name resolution"):
        fetch("https://example.org/sequence.csv")


def test_the_proxy_is_named(fetch, closed_port, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    with pytest.raises(UserError, match=r"cannot reach example\.org through the proxy: Connection refused"):
        fetch("http://example.org/sequence.csv", attempts=1)


def test_a_redirection_is_followed(web, fetch, target):
    web.answers = [Answer(status=302, headers={"Location": "/elsewhere"})]
    fetch()
    assert target.read_bytes() == web.content
    assert [path for path, _ in web.requests] == ["/data/promoters.fa.gz", "/elsewhere"]


def test_the_file_changes_in_between(web, fetch, target):
    web.answers = [CUT]
    with pytest.raises(UserError):
        fetch(attempts=1)
    web.content, web.etag = bytes(reversed(web.content)), '"two"'
    fetch()
    assert target.read_bytes() == web.content
    assert web.ranges_asked == [None, "bytes=100000-"]
    assert web.sent == [100_000, 300_000]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="another ETag"),
        pytest.param({"ETag": None, "Last-Modified": None}, id="another length"),
        pytest.param({"ETag": '"one"', "Content-Range": "bytes 0-299999/300000"}, id="another range"),
        pytest.param({"ETag": '"one"', "Content-Range": None}, id="no range named"),
    ],
)
def test_a_server_that_continues_with_something_else(web, fetch, target, headers):
    web.answers = [CUT, Answer(headers=headers)]
    web.if_range = False
    with pytest.raises(UserError):
        fetch(attempts=1)
    web.content, web.etag = bytes(reversed(web.content)) + b"more", '"two"'
    fetch()
    assert target.read_bytes() == web.content
    assert web.ranges_asked == [None, "bytes=100000-", None]


def test_the_file_shrinks_in_between(web, fetch, target):
    web.answers = [CUT]
    with pytest.raises(UserError):
        fetch(attempts=1)
    web.content = b"all of it"
    fetch()
    assert target.read_bytes() == b"all of it"


def test_a_server_that_knows_no_ranges(web, fetch, target):
    web.ranges = False
    web.answers = [CUT]
    fetch()
    assert target.read_bytes() == web.content
    assert web.sent == [100_000, 300_000]


@pytest.mark.parametrize(
    ("etag", "modified", "validator"),
    [
        ('W/"one"', "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ("", "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT"),
        ('W/"one"', "", None),
        ("", "", None),
    ],
)
def test_only_what_tells_the_very_bytes_allows_a_continuation(web, fetch, target, etag, modified, validator):
    web.etag, web.modified = etag, modified
    web.answers = [CUT]
    fetch()
    assert target.read_bytes() == web.content
    assert web.requests[1][1].get("If-Range") == validator
    assert web.sent == [100_000, 200_000 if validator else 300_000]


def test_bytes_are_the_servers_whatever_their_encoding(web, fetch, target):
    web.content = gzip.compress(web.content)
    web.answers = [Answer(headers={"Content-Encoding": "gzip"})]
    fetch()
    assert target.read_bytes() == web.content
    assert len(web.requests) == 1
    assert web.requests[0][1]["Accept-Encoding"] == "identity"


def test_an_empty_file(web, fetch, target):
    web.content = b""
    fetch()
    assert target.read_bytes() == b""


def test_two_processes_download_once(web, target):
    answered = threading.Event()
    web.answers = [Answer(hold=answered)]
    first = in_another_process(web.url, target)
    until(lambda: web.requests)
    second = in_another_process(web.url, target)
    lock = f"{target}.lock"
    until(lambda: len(web.requests) > 1 or lock in map(os.path.realpath, Path(f"/proc/{second.pid}/fd").iterdir()))
    answered.set()
    assert [process.communicate()[1] for process in (first, second)] == ["", ""]
    assert target.read_bytes() == web.content
    assert len(web.requests) == 1


def test_a_killed_process_leaves_a_part_that_the_next_one_completes(web, target, fetch):
    part = target.with_name(f"{target.name}.part")
    web.answers = [Answer(stall=100_000)]
    process = in_another_process(web.url, target)
    until(lambda: part.exists() and part.stat().st_size > 50_000)
    process.kill()
    process.communicate()
    assert not target.exists()
    here = part.stat().st_size
    fetch(sha256=sha256(web.content))
    assert target.read_bytes() == web.content
    assert web.ranges_asked == [None, f"bytes={here}-"]


def test_a_process_killed_before_the_renaming_leaves_nothing_to_send(web, target, fetch, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module._Part, "publish", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        fetch()
    assert not target.exists()
    fetch()
    assert target.read_bytes() == web.content
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://ccg.epfl.ch/epdnew/README", "only http:// and https://"),
        ("sequence.csv", "only http:// and https://"),
        ("http://", "no host"),
        ("http://[1/sequence.csv", r"sequence\.csv: .*\[1"),
    ],
)
def test_an_address_that_is_none(fetch, url, message):
    with pytest.raises(UserError, match=f"(?i){message}"):
        fetch(url)


def test_a_place_that_cannot_be_written(web, tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path}: a directory, where a file is to be downloaded"):
        download(web.url, tmp_path, sha256=None)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"promoters\.fa\.gz: cannot be written: (Not a directory|File exists)"):
        download(web.url, tmp_path / "file" / "promoters.fa.gz", sha256=None)


def test_certificates(secure_web, tmp_path, waits, monkeypatch):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 1 -keyout {key} -out {certificate} -subj /CN=localhost"
    subprocess.run([*command.split(), "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    with secure_web(certificate, key) as web:
        with pytest.raises(UserError, match=r"cannot reach 127\.0\.0\.1: its certificate is not trusted: self"):
            download(web.url, tmp_path / "file", sha256=None, sleep=waits.append)
        assert waits == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        assert download(web.url, tmp_path / "file", sha256=None).read_bytes() == web.content
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
        with pytest.raises(UserError, match=r"none\.pem"):
            download(web.url, tmp_path / "other", sha256=None)
