"""The plugins that are installed: entry points of the group ``dnabench``, and what can be said of each by itself."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, EntryPoint
from types import FunctionType
from typing import Any

from dnabench.errors import UserError
from dnabench.hookspecs import API_VERSION, PROJECT

# What makes every command slow where a plugin imports it with its records.
HEAVY = ("torch", "tensorflow", "jax", "transformers", "sklearn", "scipy", "pandas", "pyarrow", "numba", "ot", "numpy")

_UNKNOWN = ("unknown distribution", "")
_DECLARATION = re.compile(r"^dnabench_api_version\b[^=\n]*=\s*(\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Plugin:
    """An installed plugin.

    Attributes:
        name: of its entry point, which ``--no-plugin`` takes.
        distribution: the name of the package that it came with.
        version: that package's.
        entry_point: None where the package's file of entry points cannot be read.
    """

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint | None = field(repr=False)

    @property
    def title(self) -> str:
        """The distribution with its version."""
        return f"{self.distribution} {self.version}".rstrip()

    def load(self) -> Any:
        """What the entry point names, imported; whatever a stranger's import raises."""
        if self.entry_point is None:
            raise UserError("its entry_points.txt is not made of sections and lines such as my-package = my_package")
        return self.entry_point.load()

    def mismatch(self) -> str:
        """Why it does not fit this dnabench; empty where it does. For after :meth:`load`, also when that failed."""
        built = self._built_for()
        if type(built) is not int:
            return f"dnabench_api_version is a {type(built).__name__}; it is a whole number, now {API_VERSION}"
        if built == API_VERSION:
            return ""
        late = self.distribution if built < API_VERSION else "dnabench"
        return f"it was built for API {built}, and this dnabench has API {API_VERSION}; upgrade {late}"

    def _built_for(self) -> Any:
        """``dnabench_api_version`` of its module; as it stands in the source where that cannot be imported."""
        if self.entry_point is None:
            return API_VERSION
        module = sys.modules.get(self.entry_point.module)
        if module is not None:
            return getattr(module, "__dict__", {}).get("dnabench_api_version", API_VERSION)
        from importlib.util import find_spec

        try:
            spec = find_spec(self.entry_point.module)
            source = spec.loader.get_source(spec.name) if spec and spec.loader else None  # type: ignore[attr-defined]
        except Exception:  # noqa: BLE001 - a parent package of a stranger's may raise anything
            return API_VERSION
        declared = _DECLARATION.search(source or "")
        return int(declared[1]) if declared else API_VERSION


def plugins() -> list[Plugin]:
    """All that are installed, by name."""
    found = (
        Plugin(point.name if point else about(distribution)[0], *about(distribution), point)
        for distribution, point in _entry_points()
    )
    return sorted(found, key=lambda plugin: (plugin.name, plugin.title))


def heavy_imports(before: Iterable[str]) -> list[str]:
    """Packages of ``HEAVY`` that modules use which were imported since ``before``, the names of modules then."""
    new = sys.modules.keys() - set(before)
    used = new & set(HEAVY)
    if not used.issuperset(sys.modules.keys() & set(HEAVY)):  # another has imported some of them already
        homes = {id(module): package for name, module in sys.modules.items() if (package := _package(name)) in HEAVY}
        used |= {
            package for name in new if _package(name) not in HEAVY for package in _named_in(sys.modules[name], homes)
        }
        used &= set(HEAVY)
    return [name for name in HEAVY if name in used]


def _named_in(module: object, homes: Mapping[int, str]) -> Iterator[str]:
    """The packages of heavy modules, and of classes and functions, that have a name in a module."""
    for value in list(getattr(module, "__dict__", {}).values()):
        if id(value) in homes:
            yield homes[id(value)]
        elif issubclass(type(value), (type, FunctionType)):  # isinstance would wake what pretends to be another's
            yield _package(str(value.__module__))


def _package(module: str) -> str:
    return module.partition(".")[0]


def _entry_points() -> list[tuple[Distribution | None, EntryPoint | None]]:
    try:
        points = set(importlib.metadata.entry_points(group=PROJECT))
        return [(point.dist, point) for point in points]
    except Exception:  # noqa: BLE001 - one unreadable file, of any package, ends the search of all
        return list(_one_by_one())


def _one_by_one() -> Iterator[tuple[Distribution, EntryPoint | None]]:
    seen = set()
    for distribution in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", about(distribution)[0]).lower()
        if name in seen and about(distribution) != _UNKNOWN:
            continue  # hidden by one that comes earlier on the path
        seen.add(name)
        try:
            yield from ((distribution, point) for point in distribution.entry_points if point.group == PROJECT)
        except Exception:  # noqa: BLE001 - see above
            if f"[{PROJECT}]" in (distribution.read_text("entry_points.txt") or ""):
                yield distribution, None


@cache  # reading the metadata takes longer than importing a light module
def about(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version."""
    try:
        metadata = distribution.metadata  # type: ignore[union-attr]
        return (metadata["Name"], metadata["Version"] or "") if metadata["Name"] else _UNKNOWN
    except Exception:  # noqa: BLE001 - none, or unreadable
        return _UNKNOWN
