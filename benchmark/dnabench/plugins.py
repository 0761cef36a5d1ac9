"""The catalog: what all installed plugins offer, loaded so that none can break the others.

pluggy's own entry-point loader stops at the first package that fails to import. Here each entry point is loaded on its
own; a failure is remembered with its distribution, version and reason and shown where it explains something.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar

import pluggy

from dnabench.errors import UserError, did_you_mean
from dnabench.hookspecs import PROJECT, Hooks
from dnabench.specs import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec, Spec

S = TypeVar("S", bound=Spec)

_HOOKS: dict[str, type[Spec]] = {
    "dnabench_generators": GeneratorSpec,
    "dnabench_metrics": MetricSpec,
    "dnabench_embedders": EmbedderSpec,
    "dnabench_datasets": DatasetSpec,
}


@dataclass(frozen=True)
class Failure:
    """A plugin, or a part of one, that could not be used, and why."""

    plugin: str
    distribution: str
    reason: str

    def __str__(self) -> str:
        return f"plugin {self.plugin} ({self.distribution}) failed to load: {self.reason}"


@dataclass(frozen=True)
class Provided(Generic[S]):
    """A record and the distribution it came with, as ``name version``."""

    spec: S
    plugin: str
    distribution: str


@dataclass
class Catalog:
    """All records by kind and name.

    Attributes:
        failures: what could not be loaded.
        manager: the pluggy manager, for calling observers.
    """

    manager: pluggy.PluginManager
    failures: list[Failure] = field(default_factory=list)
    _records: dict[type[Spec], dict[str, list[Provided[Any]]]] = field(default_factory=dict)

    def generator(self, name: str) -> Provided[GeneratorSpec]:
        """The generator called ``name``; UserError with near matches otherwise."""
        return self._get(GeneratorSpec, name)

    def metric(self, name: str) -> Provided[MetricSpec]:
        """The metric called ``name``; UserError with near matches otherwise."""
        return self._get(MetricSpec, name)

    def embedder(self, name: str) -> Provided[EmbedderSpec]:
        """The embedder called ``name``; UserError with near matches otherwise."""
        return self._get(EmbedderSpec, name)

    def dataset(self, name: str) -> Provided[DatasetSpec]:
        """The dataset called ``name``; UserError with near matches otherwise."""
        return self._get(DatasetSpec, name)

    def all(self, kind: type[S]) -> list[Provided[S]]:
        """Every usable record of a kind, by name."""
        return [offers[0] for _, offers in sorted(self._of(kind).items()) if len(offers) == 1]

    def find(self, name: str) -> list[Provided[Any]]:
        """Whatever is called ``name``, of any kind."""
        return [offer for kind in _HOOKS.values() for offer in self._of(kind).get(name, ())]

    def names(self) -> set[str]:
        """Every name of any kind."""
        return {name for kind in _HOOKS.values() for name in self._of(kind)}

    def clashes(self) -> list[str]:
        """A line for each name that several distributions offer."""
        return [
            _clash(kind, name, offers)
            for kind in _HOOKS.values()
            for name, offers in sorted(self._of(kind).items())
            if len(offers) > 1
        ]

    def unknown(self, noun: str, name: str, known: Iterable[str]) -> UserError:
        """The error for a name nobody offers: near matches, and the plugins that may have brought it but failed."""
        blame = "".join(f"; {failure}" for failure in self.failures)
        return UserError(f"no {noun} named {name!r}; {did_you_mean(name, known)}{blame}")

    def add(self, offer: Provided[Any]) -> None:
        """Enter a record."""
        self._of(type(offer.spec)).setdefault(offer.spec.name, []).append(offer)

    def _of(self, kind: type[Spec]) -> dict[str, list[Provided[Any]]]:
        return self._records.setdefault(kind, {})

    def _get(self, kind: type[S], name: str) -> Provided[S]:
        offers = self._of(kind).get(name, [])
        if not offers:
            raise self.unknown(kind.noun, name, self._of(kind))
        if len(offers) > 1:
            raise UserError(_clash(kind, name, offers))
        return offers[0]


def allowed_plugins() -> tuple[str, ...]:
    """The allow list ``DNABENCH_PLUGINS`` (comma-separated); empty for all."""
    return tuple(sorted({name.strip() for name in os.environ.get("DNABENCH_PLUGINS", "").split(",")} - {""}))


def load_catalog(blocked: Iterable[str] = (), allowed: Iterable[str] | None = None) -> Catalog:
    """Load every entry point of the group ``dnabench`` that is allowed.

    ``blocked`` (``--no-plugin``) and ``allowed`` (empty for all, by default :func:`allowed_plugins`) hold names of
    entry points; both act before anything is imported.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    catalog = Catalog(manager)
    allowed = set(allowed_plugins() if allowed is None else allowed)
    blocked = set(blocked)
    entry_points = importlib.metadata.entry_points(group=PROJECT)
    installed = {entry_point.name for entry_point in entry_points}
    for name in sorted((blocked | allowed) - installed):
        raise UserError(f"no plugin named {name!r} to allow or leave out; {did_you_mean(name, installed)}")
    for entry_point in sorted(set(entry_points), key=lambda e: (e.name, e.value)):
        if entry_point.name in blocked or (allowed and entry_point.name not in allowed):
            continue
        _load(catalog, entry_point)
    return catalog


def resolve(spec: Spec) -> type:
    """Import the class behind a record; ImportError or AttributeError when it is not there."""
    module, _, name = spec.target.partition(":")
    implementation: type = getattr(import_module(module), name)
    return implementation


def construct(spec: Spec, options: Any) -> Any:
    """An instance of the class behind a record."""
    implementation = resolve(spec)
    return implementation() if spec.options is None else implementation(options)


def _load(catalog: Catalog, entry_point: importlib.metadata.EntryPoint) -> None:
    distribution = _title(entry_point.dist)
    try:
        module = entry_point.load()
        catalog.manager.register(module, name=entry_point.name)
        callers = catalog.manager.get_hookcallers(module) or []
        catalog.manager.check_pending()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's import raises
        catalog.failures.append(Failure(entry_point.name, distribution, _reason(error)))
        if catalog.manager.has_plugin(entry_point.name):
            catalog.manager.unregister(name=entry_point.name)
        return
    for caller in callers:
        kind = _HOOKS.get(caller.name)
        if kind is None:
            continue
        for implementation in caller.get_hookimpls():
            if implementation.plugin is module:
                _collect(catalog, kind, implementation, entry_point.name, distribution)


@cache  # reading the metadata takes longer than importing a light module
def _title(distribution: importlib.metadata.Distribution | None) -> str:
    if distribution is None:
        return "unknown distribution"
    about = distribution.metadata
    return f"{about['Name']} {about['Version']}"


def _collect(catalog: Catalog, kind: type[Spec], implementation: Any, plugin: str, distribution: str) -> None:
    try:
        for record in implementation.function() or ():
            if type(record) is not kind:
                raise TypeError(f"{implementation.function.__name__} yielded {record!r}, not a {kind.__name__}")
            catalog.add(Provided(record, plugin, distribution))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's hook raises
        catalog.failures.append(Failure(plugin, distribution, _reason(error)))


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _clash(kind: type[Spec], name: str, offers: list[Provided[Any]]) -> str:
    who = " and ".join(f"{offer.distribution} (plugin {offer.plugin})" for offer in offers)
    return f"{kind.noun} {name!r} is offered by {who}; leave one out with --no-plugin"
