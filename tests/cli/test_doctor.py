"""Whatever is wrong with plugins, ``list`` and ``doctor`` say it, stdout holds the result alone, and the rest works."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RECORD = """
from dnabench import GeneratorSpec, hookimpl
@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="{name}", target="nowhere:Model", summary="for a test")
"""
HOOK = """
from dnabench import GeneratorSpec, hookimpl
@hookimpl
def dnabench_generators():
    {body}
"""
SPEAKS = "print('hello'); os.write(1, b'past'); sys.__stdout__.write('around'); os.system('echo started')"

PLUGINS = {
    "breaks": "import no_such_module_anywhere",
    "absent": None,
    "quits": "raise SystemExit('enough')",
    "panics": "class Panic(BaseException):\n    pass\nraise Panic('at the core')",
    "future": "from dnabench import TimeMachine\ndnabench_api_version = 9",
    "past": "dnabench_api_version = 0" + RECORD.format(name="past"),
    "number": HOOK.format(body="yield 42"),
    "single": HOOK.format(body="return GeneratorSpec(name='single', target='nowhere:Model', summary='alone')"),
    "raises": HOOK.format(body="raise OSError('no disk')"),
    "talks": f"import os, sys\n{SPEAKS}" + RECORD.format(name="talks"),
    "talks-later": HOOK.format(body=f"import os, sys; {SPEAKS}; yield from ()"),
    "heavy": "import torch" + RECORD.format(name="heavy"),
    "heavy-too": "from torch.nn import Linear" + RECORD.format(name="heavy-too"),
    "hookless": "def dnabench_generators():\n    yield 42",
    "one-twin": RECORD.format(name="twin"),
    "other-twin": RECORD.format(name="twin"),
    "whole": "dnabench_api_version = 1" + RECORD.format(name="whole"),
}
FAILED = {
    "breaks": "ModuleNotFoundError: No module named 'no_such_module_anywhere'",
    "absent": "ModuleNotFoundError: No module named 'absent'",
    "quits": "SystemExit: enough",
    "panics": "Panic: at the core",
    "future": "it was built for API 9, and this dnabench has API 1; upgrade dnabench",
    "past": "it was built for API 0, and this dnabench has API 1; upgrade of-past",
    "number": "dnabench_generators: it yielded 42, not a GeneratorSpec",
    "single": "dnabench_generators: it returned GeneratorSpec(name='single'",
    "raises": "dnabench_generators: OSError: no disk",
}
WARNED = {
    "talks": "it prints while it is loaded, 'hello",
    "talks-later": "it prints while it is loaded, 'hello",
    "heavy": "it imports torch, ",
    "heavy-too": "it imports torch",
    "hookless": "it implements no hook",
}
CLASH = (
    "generator 'twin' is offered by of-one-twin 2.5 (plugin one-twin) and of-other-twin 2.5 (plugin other-twin); "
    "leave one out with --no-plugin"
)


@pytest.fixture(scope="module")
def command(tmp_path_factory) -> Callable[..., subprocess.CompletedProcess]:
    """``command("list", DNABENCH_PLUGINS="whole")``: a process of dnabench that finds all of PLUGINS installed."""
    site = tmp_path_factory.mktemp("site")
    for name, source in PLUGINS.items():
        module = name.replace("-", "_")
        if source is not None:
            (site / f"{module}.py").write_text(source)
        info = site / f"of_{module}-2.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: of-{name}\nVersion: 2.5\n")
        (info / "entry_points.txt").write_text(f"[dnabench]\n{name} = {module}\n")
    store = str(tmp_path_factory.mktemp("cache") / "store")

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
        environment = {"PYTHONPATH": str(site), "DNABENCH_STORE": store, "PYTHONUNBUFFERED": "", **variables}
        command = [sys.executable, "-m", "dnabench", *arguments]
        return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def listed(command) -> subprocess.CompletedProcess:
    return command("list", "--format", "json")


@pytest.fixture(scope="module")
def examined(command) -> dict:
    done = command("doctor", "--format", "json")
    assert done.returncode == 1
    assert "warning: plugin" not in done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FAILED)
def test_a_plugin_that_fails_is_listed_with_distribution_version_and_reason(name, listed, examined):
    line = f"plugin {name} (of-{name} 2.5) failed to load: {FAILED[name]}"
    assert f"dnabench: warning: {line}" in listed.stderr
    (row,) = (row for row in examined["plugins"] if row["plugin"] == name)
    assert (row["distribution"], row["version"], row["state"]) == (f"of-{name}", "2.5", "failed")
    assert row["reasons"][0].startswith(FAILED[name])
    assert any(broken.startswith(line) for broken in examined["broken"])


@pytest.mark.parametrize("name", WARNED)
def test_a_plugin_that_misbehaves_works_and_is_listed_too(name, listed, examined):
    assert f"dnabench: warning: plugin {name} (of-{name} 2.5): {WARNED[name]}" in listed.stderr
    (row,) = (row for row in examined["plugins"] if row["plugin"] == name)
    assert (row["distribution"], row["version"], row["state"]) == (f"of-{name}", "2.5", "warning")
    assert row["reasons"][0].startswith(WARNED[name])
    assert not any(f"of-{name} " in broken for broken in examined["broken"])


def test_names_that_clash_are_listed(listed, examined):
    assert f"dnabench: warning: {CLASH}" in listed.stderr
    assert examined["clashes"] == [CLASH]
    assert CLASH in examined["broken"]


def test_the_rest_works_and_stdout_holds_it_alone(listed, examined):
    assert listed.returncode == 0
    offered = {entry["name"]: entry["distribution"] for entry in json.loads(listed.stdout)}
    assert offered["whole"] == "of-whole 2.5"
    assert {"markov", "discdiff", "fred", "talks", "heavy", "heavy-too"} <= offered.keys()
    assert not {"past", "single", "twin"} & offered.keys()
    assert all(word in listed.stderr for word in ("hello", "past", "around", "started"))
    states = {row["plugin"]: row["state"] for row in examined["plugins"]}
    assert states["whole"] == states["dnabench-baselines"] == states["dnabench-metrics"] == "ok"


def test_the_table_says_the_same(command):
    done = command("doctor")
    assert done.returncode == 1
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "failed quits of-quits 2.5" in lines
    assert "SystemExit: enough" in lines
    assert "warning talks of-talks 2.5" in lines
    assert "ok whole of-whole 2.5" in lines
    assert f"broken: {CLASH}" in lines
    assert lines[0].startswith("dnabench ")
    assert "hello" not in lines


def test_warnings_alone_break_nothing_and_lists_are_in_force(command):
    allowed = "whole,talks,hookless,dnabench-baselines"
    done = command("doctor", "--format", "json", "--no-plugin", "hookless", DNABENCH_PLUGINS=allowed)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["broken"] == []
    states = {row["plugin"]: row["state"] for row in found["plugins"]}
    assert {name for name, state in states.items() if state != "left out"} == {"whole", "talks", "dnabench-baselines"}
    assert states["talks"] == "warning"
    assert (found["allowed"], found["blocked"]) == (sorted(allowed.split(",")), ["hookless"])
    assert found["environment"]["DNABENCH_PLUGINS"] == allowed


def test_what_a_report_of_a_bug_needs(examined):
    libraries = {library["name"]: library for library in examined["libraries"]}
    for name in ("torch", "numpy", "click", "scikit-learn"):
        assert libraries[name]["version"] == importlib.metadata.version(name)
        assert libraries[name]["state"] == "ok"
    assert examined["dnabench"]["version"] == importlib.metadata.version("dnabench")
    assert examined["dnabench"]["api_version"] == 1
    assert examined["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert 1 <= examined["machine"]["cores"] <= os.cpu_count()
    assert examined["machine"]["numerics"]["cpu_capability"]
    assert examined["store"]["error"] == ""
    assert examined["store"]["free_bytes"] > 0
    assert not Path(examined["store"]["directory"]).exists(), "looking makes nothing"


def test_what_is_broken_is_said(dnabench, tmp_path, install):
    """A store where none can be; a library that is too old, and one that is not there."""
    (tmp_path / "file").write_text("no directory")
    info = tmp_path / "site" / "dnabench-0.1.0.dist-info"
    info.mkdir()
    needs = ["numpy>=99.1", "click>=1.0.0", "no-such-library>=2", "no-such-extra>=3; extra == 'dask'"]
    about = "".join(f"Requires-Dist: {need}\n" for need in needs)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dnabench\nVersion: 0.1.0\n{about}")
    ended = dnabench("doctor", "--format", "json", "--store", tmp_path / "file" / "store")
    assert ended.code == 1
    found = json.loads(ended.out)
    version = importlib.metadata.version("numpy")
    assert found["broken"] == [
        f"numpy {version}: >=99.1 is needed",
        "no-such-library is not installed: >=2 is needed",
        f"{tmp_path / 'file' / 'store'}: the store cannot be written: Not a directory; choose another with --store",
    ]
    states = {library["name"]: library["state"] for library in found["libraries"]}
    assert states == {"numpy": "old", "click": "ok", "no-such-library": "missing", "no-such-extra": "missing"}


def test_torch_that_cannot_be_imported(command, tmp_path):
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so: cannot open shared object file')")
    done = command("doctor", DNABENCH_PLUGINS="dnabench-baselines", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "broken: torch cannot be used: OSError: libcudart.so: cannot open shared object file" in done.stdout
