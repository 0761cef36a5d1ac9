from __future__ import annotations

import importlib
import sys

import pytest

from dnabench import UserError
from dnabench.plugins import load_catalog
from dnabench.specs import GeneratorSpec

RECORD = """
from dnabench import GeneratorSpec, hookimpl

@hookimpl
def dnabench_generators():
    yield GeneratorSpec(name="{name}", target="{module}:Model", summary="for a test")
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a distribution with one module and its entry point on the path, as pip would."""
    monkeypatch.syspath_prepend(str(tmp_path))
    modules = []

    def place(module: str, source: str, version: str = "1.0") -> None:
        if source:
            (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[dnabench]\n{module.replace('_', '-')} = {module}\n")
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
        ("from dnabench import hookimpl\n@hookimpl\ndef dnabench_generators():\n    yield 42\n", "yielded 42"),
        ("from dnabench import hookimpl\n@hookimpl\ndef dnabench_generators():\n    1 / 0\n", "ZeroDivisionError"),
        ("from dnabench import hookimpl\n@hookimpl\ndef dnabench_generators(unknown):\n    yield\n", "unknown"),
        ("from dnabench import hookimpl\n@hookimpl\ndef dnabench_typo():\n    yield\n", "dnabench_typo"),
    ],
)
def test_a_broken_plugin_is_remembered_and_the_rest_works(install, source, reason):
    install("broken_dna", source)
    install("whole_dna", RECORD.format(name="whole", module="whole_dna"))
    catalog = load_catalog()
    (failure,) = catalog.failures
    assert failure.plugin == "broken-dna"
    assert failure.distribution == "broken_dna 1.0"
    assert reason in failure.reason
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
