"""The one-page definition of a metric or embedder, from the docstring of the class behind its record.

A definition is the docstring's first line and its sections, each a title with a colon on a line of its own::

    '''What the value is.

    Definition:
        The formula.
    Sees:
        ...
    '''

The module is read, not imported: a page costs no torch.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dnabench import options

if TYPE_CHECKING:
    from dnabench.specs import Spec

#: What the page of every metric answers; other titles are sections too.
SECTIONS = ("Definition", "Interval", "Floor", "Sees", "Misses", "Cost", "Source")

_TITLE = re.compile(r"([A-Z][a-z]+(?: [a-z]+)*):")


@dataclass(frozen=True)
class Page:
    """A definition.

    Attributes:
        headline: what the value is, one sentence or two.
        sections: title -> text, wrapped as in the source.
    """

    headline: str
    sections: dict[str, str]


def page(spec: Spec) -> Page | None:
    """The page behind ``spec.target``; None where its class has no docstring, or lies in no Python file."""
    text = _docstring(spec.target)
    if text is None:
        return None
    headline, _, body = text.partition("\n\n")
    return Page(" ".join(headline.split()), dict(_sections(body)))


def markdown(spec: Spec) -> str:
    """The page of ``spec`` as Markdown, options and defaults included."""
    found = page(spec)
    lines = [f"## `{spec.name}`, version {spec.version}", "", found.headline if found else spec.summary, ""]
    described = options.describe(spec.options)
    if described:
        lines += ["| option | default | |", "|---|---|---|"]
        lines += [f"| `{spec.name}.{o['name']}` | `{o['default']}` | {o['help']} |" for o in described]
        lines += [""]
    for title, text in found.sections.items() if found else ():
        lines += [f"**{title}.**", "", *_markdown_blocks(text), ""]
    return "\n".join(lines)


def _docstring(target: str) -> str | None:
    module, _, name = target.partition(":")
    file = _source(module)
    try:
        tree = ast.parse(file.read_text(encoding="utf-8") if file else "")
    except (OSError, SyntaxError, ValueError):
        return None
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            text = ast.get_docstring(node, clean=False)
            return None if text is None else inspect.cleandoc(text)
    return None


def _source(module: str) -> Path | None:
    """The file of a module, found below its top package, which is not imported; None where there is none."""
    top, *below = module.split(".")
    found = importlib.util.find_spec(top)
    if found is None:
        return None
    if not below:
        return Path(found.origin) if found.origin and found.origin.endswith(".py") else None
    for root in found.submodule_search_locations or ():
        path = Path(root, *below)
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def _sections(body: str) -> Iterator[tuple[str, str]]:
    title, lines = "", list[str]()
    for line in body.splitlines():
        match = _TITLE.fullmatch(line)
        if match:
            if title:
                yield title, textwrap.dedent("\n".join(lines)).strip("\n")
            title, lines = match.group(1), []
        else:
            lines.append(line)
    if title:
        yield title, textwrap.dedent("\n".join(lines)).strip("\n")


def _markdown_blocks(text: str) -> Iterator[str]:
    """Formulas, which the source sets in by four spaces, as code; the rest as it is."""
    inside = False
    for line in text.splitlines():
        formula = line.startswith("    ")
        if formula != inside:
            yield "```" if not formula else "\n```text"
            inside = formula
        yield line[4:] if formula else line
    if inside:
        yield "```"
