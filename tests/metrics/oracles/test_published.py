"""``dnabench data fetch`` of the oracles' weights, from a host of this machine."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

import pytest

from dnabench_metrics.oracles import published

from .conftest import random_sequences

WEIGHTS = bytes(range(256)) * 40_000  # 10 MB: several blocks


def archive(*members: tuple[str, bytes | str]) -> bytes:
    """A .tar.gz of files, given by their bytes, and symbolic links, by their targets."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


SEI = archive(("model/._sei.pth", b"of a Mac"), ("model/sei.names", b"x"), ("model/sei.pth", WEIGHTS), ("z", b"z"))


@pytest.fixture
def fetch(dnabench, host):
    """``fetch("sei", content, "--set", ...)`` -> how the command ended, where the host has this file."""

    def fetch(name: str, content: bytes, *rest: str):
        (host.directory / "file").write_bytes(content)
        return dnabench("data", "fetch", name, "--set", f"{name}.url={host.url}/file", *rest)

    return fetch


@pytest.fixture
def downloads(tmp_path):
    return tmp_path / "store" / "downloads"


def test_of_seis_archive_the_weights_alone_are_kept(fetch, host, downloads, monkeypatch):
    monkeypatch.setattr(published, "SEI_ARCHIVE_MD5", hashlib.md5(SEI, usedforsecurity=False).hexdigest())
    done = fetch("sei", SEI)
    path = downloads / "sei" / "sei.pth"
    assert done.code == 0
    assert f"sha256 {hashlib.sha256(WEIGHTS).hexdigest()}" in done.out
    assert f"--set oracle.model=sei --set oracle.weights={path}" in done.err
    assert path.read_bytes() == WEIGHTS
    assert {file.name for file in path.parent.iterdir() if file.suffix != ".json"} == {"sei.pth"}
    about = json.loads(fetch("sei", SEI, "--format", "json").out)
    assert about["was_here"]
    assert about["about"]["verified"] == "md5 of the archive"
    assert host.asked == ["/file"]


def test_another_archive_is_refused_by_its_md5_and_taken_when_told_to(fetch, downloads):
    refused = fetch("sei", SEI)
    assert refused.code == 2
    assert "its md5 is" in refused.err.splitlines()[-1]
    assert list((downloads / "sei").iterdir()) == []
    assert fetch("sei", SEI, "--set", "sei.verify=false").code == 0
    assert (downloads / "sei" / "sei.pth").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive(("model/sei.pth.txt", b"x")), "no file sei.pth in this archive"),
        (archive(("sei.pth", "/etc/passwd")), "no file sei.pth in this archive"),
        (archive(("sei.pth/x", b"x")), "no file sei.pth in this archive"),
        (SEI[: len(SEI) // 2], "cannot be unpacked: unexpected end of data; remove the file"),
        (SEI[:10] + b"\xff" * 50, "cannot be unpacked: invalid compressed data; remove the file"),
        (b"<html>please log in</html>", "cannot be unpacked: not a gzip file; remove the file"),
        (b"", "cannot be unpacked: "),
    ],
)
def test_what_is_no_archive_with_the_weights_is_one_line_and_leaves_no_file(fetch, downloads, content, message):
    refused = fetch("sei", content, "--set", "sei.verify=false")
    assert refused.code == 2
    assert message in refused.err.splitlines()[-1]
    assert not (downloads / "sei" / "sei.pth").exists()


@pytest.mark.parametrize("name", ["../../sei.pth", "/tmp/sei.pth"])
def test_a_path_of_the_archive_leads_nowhere(fetch, downloads, tmp_path, name):
    assert fetch("sei", archive((name, WEIGHTS)), "--set", "sei.verify=false").code == 0
    assert [path.relative_to(tmp_path / "store") for path in tmp_path.rglob("sei.pth")] == [
        (downloads / "sei" / "sei.pth").relative_to(tmp_path / "store")
    ]


def test_the_published_weights_of_mpra_dragonn_are_known_by_their_md5(fetch, host, dragonn_file):
    done = fetch("mpra-dragonn", dragonn_file.read_bytes(), "--format", "json")
    assert done.code == 0, done.err
    about = json.loads(done.out)
    assert about["about"]["verified"] == "md5"
    assert f"--set oracle.weights={about['path']}" in done.err
    assert fetch("mpra-dragonn", b"another", "--replace").code == 0
    assert host.asked == ["/file"]  # what is here is the published file already


def test_other_weights_of_mpra_dragonn_are_refused(fetch, keras_file, downloads):
    refused = fetch("mpra-dragonn", keras_file.read_bytes())
    assert refused.code == 2
    assert f"{published.MPRA_DRAGONN_MD5} was expected" in refused.err.splitlines()[-1]
    assert list((downloads / "mpra-dragonn").iterdir()) == []


def test_weights_that_were_fetched_are_taken_by_the_option_that_was_named(fetch, dnabench, keras_file, tmp_path):
    done = fetch("mpra-dragonn", keras_file.read_bytes(), "--set", "mpra-dragonn.verify=false")
    use = done.err.splitlines()[-2].partition(" is taken by ")[2].split()
    for name in ("a", "b"):
        random_sequences(40, 160, seed=ord(name)).to_fasta(tmp_path / f"{name}.fa")
    scored = dnabench("score", tmp_path / "a.fa", "--reference", tmp_path / "b.fa", "--metrics", "oracle", *use)
    assert scored.code == 0, scored.err
