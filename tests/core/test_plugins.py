from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

from dnabench import API_VERSION, UserError
from dnabench.listening import listening
from dnabench.plugins import load_catalog
from dnabench.specs import GeneratorSpec

RECORD = """
from dnabench import GeneratorSpec, hookimpl

@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="{name}", target="{module}:Model", summary="for a test")
"""
HOOK = """
from dnabench import GeneratorSpec, hookimpl
RECORD = GeneratorSpec(name="x", target="x:Model", summary="for a test")
@hookimpl
def dnabench_generators():
    {body}
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with one module and its entry point on the path, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = []

    def place(module: str, source: str, version: str = "1.0", points: str = "{name} = {module}") -> None:
        if source:
            (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
        points = points.format(name=module.replace("_", "-"), module=module)
        (info / "entry_points.txt").write_text(f"[dnabench]\n{points}\n")
        modules.append(module)
        importlib.invalidate_caches()

    yield place
    for module in modules:
        sys.modules.pop(module, None)


def generators(catalog):
    return {offer.spec.name for offer in catalog.all(GeneratorSpec)}


def test_a_strangers_package_is_found_with_its_distribution(install):
    install("acme_dna", RECORD.format(name="acme", module="acme_dna"), version="2.3")
    offer = load_catalog().generator("acme")
    assert offer.distribution == "acme_dna 2.3"
    assert offer.plugin == "acme-dna"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("", "ModuleNotFoundError"),
        ("raise SystemExit('out')", "SystemExit: out"),
        ("class Panic(BaseException):\n    pass\nraise Panic('at the core')", "Panic: at the core"),
        ("class Mute(Exception):\n    def __str__(self):\n        raise self\nraise Mute", "Mute"),
        (HOOK.format(body="yield 42"), "dnabench_generators: it yielded 42, not a GeneratorSpec"),
        (HOOK.format(body="yield 'a word' * 10**7"), "it yielded 'a word"),
        (HOOK.format(body="return RECORD"), "it returned GeneratorSpec(name='x'"),
        (HOOK.format(body="pass"), "it returned None, no iterable of GeneratorSpec; yield each record"),
        (HOOK.format(body="yield type(RECORD)(name='x', target='x:X', summary='two\\nlines')"), "one line"),
        (HOOK.format(body="1 / 0"), "dnabench_generators: ZeroDivisionError: division by zero"),
        (HOOK.format(body="raise SystemExit(3)"), "dnabench_generators: SystemExit: 3"),
        ("from dnabench import hookimpl\n@hookimpl\ndef dnabench_generators(unknown):\n    yield\n", "unknown"),
        ("from dnabench import hookimpl\n@hookimpl\ndef dnabench_typo():\n    yield\n", "dnabench_typo"),
    ],
)
def test_a_broken_plugin_is_remembered_and_the_rest_works(install, source, reason):
    install("broken_dna", source)
    install("whole_dna", RECORD.format(name="whole", module="whole_dna"))
    catalog = load_catalog()
    (failure,) = catalog.failures
    assert (failure.plugin.name, failure.plugin.distribution, failure.plugin.version) == (
        "broken-dna",
        "broken_dna",
        "1.0",
    )
    assert reason in failure.reason
    assert len(failure.reason) < 400
    assert {"whole", "markov", "discdiff"} <= generators(catalog)
    with pytest.raises(UserError, match="no generator named 'brokn'.*plugin broken-dna .* failed to load"):
        catalog.generator("brokn")


def test_two_plugins_with_one_name_are_both_named(install):
    install("first_dna", RECORD.format(name="twin", module="first_dna"))
    install("second_dna", RECORD.format(name="twin", module="second_dna"))
    catalog = load_catalog()
    with pytest.raises(UserError, match=r"'twin' is offered by first_dna 1.0 .* and second_dna 1.0"):
        catalog.generator("twin")
    assert "twin" not in generators(catalog)
    assert len(catalog.clashes()) == 1
    assert load_catalog(["first-dna"]).generator("twin").distribution == "second_dna 1.0"


def test_two_plugins_whose_entry_points_have_one_name(install):
    install("first_dna", RECORD.format(name="first", module="first_dna"), points="same = first_dna")
    install("second_dna", RECORD.format(name="second", module="second_dna"), points="same = second_dna")
    catalog = load_catalog()
    assert [str(failure) for failure in catalog.failures] == [
        "plugin same (second_dna 1.0) failed to load: first_dna 1.0 has a plugin of this name, too; uninstall one, or "
        "leave both out"
    ]
    assert catalog.manager.get_plugin("same") is sys.modules["first_dna"]
    assert "first" in generators(catalog)
    assert "second" not in generators(catalog)


def test_a_name_that_one_plugin_offers_twice(install):
    install("echo_dna", HOOK.format(body="yield from (RECORD, RECORD)"))
    assert load_catalog().clashes() == [
        "generator 'x' is offered 2 times by echo_dna 1.0 (plugin echo-dna), so none is used"
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"dnabench_api_version = {API_VERSION}", ""),
        ("dnabench_api_version = 7", "it was built for API 7, and this dnabench has API 1; upgrade dnabench"),
        ("dnabench_api_version: int = 0", "it was built for API 0, and this dnabench has API 1; upgrade other_dna"),
        ("dnabench_api_version = '1'", "dnabench_api_version is a str; it is a whole number, now 1"),
        ("dnabench_api_version = True", "dnabench_api_version is a bool; it is a whole number, now 1"),
        # What it is built for explains why it cannot be imported, wherever it says so.
        ("from dnabench import TimeMachine\ndnabench_api_version = 7  # from 2031", "it was built for API 7"),
        ("from dnabench import TimeMachine\ndnabench_api_version: int = 1", "cannot import name 'TimeMachine'"),
    ],
)
def test_a_plugin_may_say_which_api_it_was_built_for(install, line, reason):
    install("other_dna", line + RECORD.format(name="other", module="other_dna"))
    catalog = load_catalog()
    assert len(catalog.failures) == bool(reason)
    assert all(reason in failure.reason for failure in catalog.failures)
    assert ("other" in generators(catalog)) == (not reason)
    assert catalog.manager.has_plugin("other-dna") == (not reason)
    assert "markov" in generators(catalog)


def test_files_that_say_nothing_of_use_are_no_end_of_the_search(install, tmp_path):
    install("mangled_dna", "", points="my package is my_package")
    (tmp_path / "anonymous.dist-info").mkdir()
    (tmp_path / "anonymous.dist-info" / "entry_points.txt").write_text("[dnabench]\nnobody = no_such_module\n")
    (tmp_path / "foreign-1.0.dist-info").mkdir()
    (tmp_path / "foreign-1.0.dist-info" / "entry_points.txt").write_text("[other_program]\nno line of the kind\n")
    install("whole_dna", RECORD.format(name="whole", module="whole_dna"))
    catalog = load_catalog()
    first, second = catalog.failures
    assert str(first).startswith(
        "plugin mangled_dna (mangled_dna 1.0) failed to load: its entry_points.txt is not made"
    )
    assert str(second).startswith("plugin nobody (unknown distribution) failed to load: ModuleNotFoundError")
    assert {"whole", "markov"} <= generators(catalog)
    assert load_catalog(["mangled_dna", "nobody"]).failures == []


def test_what_a_plugin_prints_goes_to_stderr_and_is_remembered(install, capfd):
    said = "print('hello')\nos.write(1, b'past\\n')\nprint('around', file=sys.__stdout__)\n"
    hook = HOOK.format(body="print('again'); os.system('echo started'); yield RECORD")
    install("loud_dna", f"import os, sys\n{said}kept = sys.stdout\n{hook}")
    install("quiet_dna", RECORD.format(name="quiet", module="quiet_dna"))
    catalog = load_catalog()
    (warning,) = catalog.warnings
    assert warning.plugin.title == "loud_dna 1.0"
    for word in ("hello", "past", "around", "again", "started"):
        assert word in warning.reason
    assert {"x", "quiet"} <= generators(catalog)
    sys.stdout.write("result\n")
    sys.modules["loud_dna"].kept.write("afterwards\n")
    out, err = capfd.readouterr()
    assert out == "result\n"
    assert set(err.split()) == {"hello", "past", "around", "again", "started", "afterwards"}


def test_what_was_printed_before_goes_where_it_was_sent():
    script = """
from dnabench.listening import listening
print("before", end=" ")
with listening() as outer:
    print("within")
    with listening() as inner:
        print("further within")
    assert inner.heard() == "", "closed"
    print("still within")
    assert outer.heard() == "within\\nstill within\\n"
print("after")
"""
    environment = os.environ | {"PYTHONUNBUFFERED": ""}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "before after\n"
    assert done.stderr.split() == ["within", "further", "within", "still", "within"]


def test_there_may_be_no_stdout():
    script = "from dnabench.plugins import load_catalog; load_catalog().generator('markov')"
    subprocess.run(["/bin/sh", "-c", '"$0" -c "$1" >&-', sys.executable, script], check=True)


def test_stdout_is_as_before_after_a_fault():
    before = sys.stdout
    with pytest.raises(ZeroDivisionError), listening():
        assert sys.stdout is not before
        1 / 0  # noqa: B018
    assert sys.stdout is before


def test_a_plugin_that_imports_what_is_slow_works_and_is_named(install):
    # torch is imported in this process already: what a plugin uses shows all the same.
    install("weighty_dna", "import torch.nn as layers\n" + RECORD.format(name="heavy", module="weighty_dna"))
    install("light_dna", RECORD.format(name="light", module="light_dna"))
    catalog = load_catalog()
    (warning,) = map(str, catalog.warnings)
    assert warning.startswith("plugin weighty-dna (weighty_dna 1.0): it imports torch while it is loaded")
    assert catalog.failures == []
    assert {"heavy", "light"} <= generators(catalog)


def test_a_hook_that_imports_what_is_slow_is_named(install):
    """In a fresh process: one that has imported it already cannot tell."""
    install("lazy_dna", HOOK.format(body="import pandas; yield RECORD"))
    show = "from dnabench.plugins import load_catalog; print(*load_catalog(allowed=['lazy-dna']).warnings, sep='\\n')"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("plugin lazy-dna (lazy_dna 1.0): it imports pandas")
    assert len(done.stdout.splitlines()) == 1


def test_a_plugin_without_hooks_is_named(install):
    install("bare_dna", "def dnabench_generators():\n    yield 42\n")
    (warning,) = load_catalog().warnings
    assert "implements no hook; a function becomes one by @dnabench.hookimpl" in warning.reason


def test_allow_and_deny_act_before_anything_is_imported(install, monkeypatch):
    install("loud_dna", "raise RuntimeError('imported')")
    assert load_catalog(["loud-dna"]).failures == []
    monkeypatch.setenv("DNABENCH_PLUGINS", "dnabench-baselines")
    catalog = load_catalog()
    assert catalog.failures == []
    assert "markov" in generators(catalog)
    assert "discdiff" not in generators(catalog)


def test_an_unknown_name_brings_near_matches():
    with pytest.raises(UserError, match="no generator named 'markvo'; did you mean markov"):
        load_catalog().generator("markvo")
    with pytest.raises(UserError, match="no metric named 'freed'; did you mean fred"):
        load_catalog().metric("freed")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "My Model"}, "lower-case"),
        ({"name": "../x"}, "lower-case"),
        ({"target": "module.Class"}, "module:Class"),
        ({"summary": None}, "one line"),
        ({"summary": "two\nlines"}, "one line"),
        ({"version": 0}, "whole number from 1"),
        ({"options": dict}, "frozen dataclass"),
        ({"kind": "toy"}, "none of model, baseline, control"),
    ],
)
def test_a_record_checks_itself(change, message):
    good = {"name": "my-model", "target": "my.model:Model", "summary": "x"}
    GeneratorSpec(**good)
    with pytest.raises(ValueError, match=message):
        GeneratorSpec(**(good | change))
