"""``dnabench data fetch`` of files that are no sets: kept whole or not at all, found again, told of, removed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dnabench import DatasetSpec
from dnabench.inventory import scan

from .conftest import Answer

PLUGIN = """
from dataclasses import dataclass
from dnabench import DatasetSpec, FetchedFile, hookimpl, option

@dataclass(frozen=True)
class Options:
    url: str = option("", "address")
    times: int = option(1, "how often what is downloaded stands in the file")

@hookimpl
def dnabench_datasets():
    for cls in (Plain, Made):
        name = cls.__name__
        yield DatasetSpec(name=name.lower(), target=f"wares:{name}", summary="", options=Options, files=("x.bin",))

class Plain:
    def __init__(self, options):
        self.options = options

    def fetch(self, *, fetcher):
        yield FetchedFile(name="x.bin", path=fetcher.download(self.options.url, name="x.bin"),
                          uses=("--set oracle.weights=PATH",), about={"url": self.options.url})

class Made(Plain):
    def fetch(self, *, fetcher):
        path = fetcher.download(self.options.url, name="raw")
        made = fetcher.scratch / "anything"
        with made.open("wb") as out:
            for _ in range(self.options.times):
                out.write(path.read_bytes())
        yield FetchedFile(name="x.bin", path=made)
        path.unlink()
"""


@pytest.fixture
def fetch(install, dnabench, web):
    """``fetch("plain")`` -> how the command ended, from the server that misbehaves."""
    install("wares", PLUGIN)
    return lambda name, *rest: dnabench("data", "fetch", name, "--set", f"{name}.url={web.url}", *rest)


@pytest.fixture
def downloads(tmp_path) -> Path:
    return tmp_path / "store" / "downloads"


def test_stdout_says_what_is_kept_and_where_and_stderr_what_takes_it(fetch, web, downloads):
    done = fetch("plain")
    path = downloads / "plain" / "x.bin"
    assert done.code == 0
    assert done.out == (f"x.bin: 300,000 bytes, sha256 {hashlib.sha256(web.content).hexdigest()}\n  stored: {path}\n")
    assert done.err.splitlines()[-1] == f"x.bin is taken by --set oracle.weights={path}"
    assert path.read_bytes() == web.content


@pytest.mark.parametrize("name", ["plain", "made"])
def test_what_is_here_is_not_fetched_again(fetch, web, downloads, name):
    first = json.loads(fetch(name, "--format", "json").out)
    assert first == {
        "schema": 1,
        "name": "x.bin",
        "bytes": 300_000,
        "sha256": hashlib.sha256(web.content).hexdigest(),
        "made_by": {"dataset": name, "version": 1, "options": {"url": web.url, "times": 1}},
        "uses": [f"--set oracle.weights={downloads / name / 'x.bin'}"] if name == "plain" else [],
        "about": {"url": web.url} if name == "plain" else {},
        "path": str(downloads / name / "x.bin"),
        "was_here": False,
    }
    again = json.loads(fetch(name, "--format", "json").out)
    assert again == first | {"was_here": True}
    assert len(web.requests) == 1


def test_replace_and_other_options_bring_it_anew(fetch, web, downloads):
    fetch("made")
    fetch("made", "--replace")
    assert len(web.requests) == 2
    fetch("made", "--set", "made.times=2")
    assert (downloads / "made" / "x.bin").read_bytes() == web.content * 2
    web.answers = [Answer(status=404)]
    assert fetch("made", "--replace").code == 2
    assert (downloads / "made" / "x.bin").read_bytes() == web.content * 2  # until there is another


@pytest.mark.parametrize("damage", [b"0" * 300_000, b"short", None])
@pytest.mark.parametrize("name", ["plain", "made"])
def test_a_damaged_file_is_brought_anew(fetch, web, downloads, name, damage):
    fetch(name)
    path = downloads / name / "x.bin"
    path.unlink() if damage is None else path.write_bytes(damage)
    again = json.loads(fetch(name, "--format", "json").out)
    assert not again["was_here"]
    assert path.read_bytes() == web.content


def test_a_transfer_that_breaks_goes_on_in_this_command_and_in_the_next(fetch, web, downloads):
    web.answers = [Answer(cut=100_000), Answer(status=404)]
    broken = fetch("made")
    assert broken.code == 2
    assert "the server answers 404" in broken.err.splitlines()[-1]
    assert not (downloads / "made" / "x.bin").exists()
    assert fetch("made").code == 0
    assert web.ranges_asked == [None, "bytes=100000-", "bytes=100000-"]
    assert (downloads / "made" / "x.bin").read_bytes() == web.content


def test_a_disk_that_fills_up_is_one_line_and_leaves_no_file(fetch, web, tmp_path, downloads):
    """The disk's part is played by the limit that the operating system sets to the size of a file."""
    program = (
        "import resource, sys\nfrom dnabench.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\nmain(sys.argv[1:])"
    )
    command = ["data", "fetch", "made", "--set", f"made.url={web.url}", "--set", "made.times=2"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("scratch/fetch-made: cannot be written: File too large")
    assert not (downloads / "made" / "x.bin").exists()
    assert list((tmp_path / "store" / "scratch").iterdir()) == []


def test_a_file_is_listed_and_is_no_data_set(fetch, dnabench, web, downloads):
    def entry() -> dict[str, object]:
        listed = json.loads(dnabench("data", "list", "--format", "json").out)
        return next(entry for entry in listed if entry["name"] == "plain/x.bin")

    assert not entry()["here"]
    fetch("plain")
    assert entry() == {
        "name": "plain/x.bin",
        "here": True,
        "bytes": 300_000,
        "sha256": hashlib.sha256(web.content).hexdigest(),
        "path": str(downloads / "plain" / "x.bin"),
        "from": "dnabench data fetch plain",
        "needed_by": "",
    }
    assert dnabench("data", "list", "--format", "csv").code == 0
    (line,) = [line for line in dnabench("data", "list").out.splitlines() if "plain/x.bin" in line]
    assert "a file" in line
    for arguments in (("data", "info", "plain"), ("run", "--dataset", "plain", "-g", "markov")):
        refused = dnabench(*arguments)
        assert refused.code == 2
        assert refused.err.splitlines()[-1] == (
            "dnabench: plain is no data set: it brings no sequences but x.bin; dnabench data fetch plain"
        )


def test_files_keep_their_names(fetch):
    refused = fetch("plain", "--name", "mine")
    assert refused.code == 2
    assert "--name mine: plain brings files, x.bin, with names of their own" in refused.err


def test_the_store_counts_a_file_as_a_download_and_prunes_it_as_one(fetch, dnabench, downloads):
    fetch("made")
    (downloads / "made" / "raw.origin.json").unlink()
    (item,) = [item for item in scan(downloads.parent) if item.kind == "downloads"]
    assert (item.key, item.whole) == ("made", True)
    assert item.bytes > 300_000
    then = time.time() - 1e6
    for path in (downloads / "made", *(downloads / "made").iterdir()):
        os.utime(path, (then, then))
    assert dnabench("store", "prune", "--kind", "downloads", "--older-than", "1d").code == 0
    assert not (downloads / "made").exists()


@pytest.mark.parametrize("files", [("a/b",), ("..",), ("",), (".hidden",)])
def test_a_record_names_files_and_no_paths(files):
    with pytest.raises(ValueError, match="is not the name of a file"):
        DatasetSpec(name="x", target="x:X", summary="", files=files)


def test_a_record_has_sets_or_files():
    with pytest.raises(ValueError, match="either sets or files"):
        DatasetSpec(name="x", target="x:X", summary="", sets=("a",), files=("b",))
