"""docs/reference.md is what docstrings and commands say, and says something about all that people outside rely on."""

from __future__ import annotations

import dataclasses
import runpy
from pathlib import Path

import click
import pytest

import dnabench as library
from dnabench.cli import COMMANDS
from dnabench.hookspecs import Hooks
from dnabench.specs import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "reference.md").read_text(encoding="utf-8")


def test_the_page_is_up_to_date(page):
    assert page == runpy.run_path(str(DOCS / "reference.py"))["text"](), "run python docs/reference.py"


def test_every_hook_field_export_and_command_is_there(page):
    for hook in vars(Hooks):
        assert hook.startswith("_") or f"### `{hook}(" in page
    for record in (GeneratorSpec, MetricSpec, EmbedderSpec, DatasetSpec):
        for field in dataclasses.fields(record):
            assert f"| `{field.name}` | " in page
    for name in library.__all__:
        assert f"### `{name}" in page
    for command in COMMANDS:
        assert f"### `dnabench {command}" in page


def test_what_says_nothing_is_an_error():
    module = runpy.run_path(str(DOCS / "reference.py"))
    silent = click.Command("silent", help="It has one option.", params=[click.Option(["--colour"])])
    with pytest.raises(module["UndocumentedError"], match="silent --colour"):
        list(module["_command"](silent, "silent", click.Context(silent)))
    with pytest.raises(module["UndocumentedError"], match="Record.size"):
        module["_of"]({"other": "is described"}, "size", type("Record", (), {}))
