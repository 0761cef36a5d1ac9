"""The catalog: what all installed plugins offer, loaded so that none can break the others.

pluggy's own entry-point loader stops at the first package that fails to import. Here each entry point is loaded on its
own. A failure is remembered with its distribution, version and reason and shown where it explains something; so is what
a plugin that works should not do: print, or import what is slow to import.
"""

from __future__ import annotations

import os
import reprlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Generic, TypeVar

import pluggy

from dnabench.errors import UserError, did_you_mean
from dnabench.hookspecs import PROJECT, Hooks
from dnabench.installed import Plugin, heavy_imports, plugins
from dnabench.listening import Listener, listening
from dnabench.specs import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec, Spec

S = TypeVar("S", bound=Spec)

_HOOKS: dict[str, type[Spec]] = {
    "dnabench_generators": GeneratorSpec,
    "dnabench_metrics": MetricSpec,
    "dnabench_embedders": EmbedderSpec,
    "dnabench_datasets": DatasetSpec,
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a plugin.

    Attributes:
        failed: whether it, or a part of it, cannot be used for that reason.
    """

    plugin: Plugin
    reason: str
    failed: bool = True

    def __str__(self) -> str:
        return f"plugin {self.plugin.name} ({self.plugin.title}){' failed to load' * self.failed}: {self.reason}"


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
        manager: the pluggy manager, for calling observers.
        loaded: the plugins that were loaded, or failed to.
        left_out: those that the allow or the deny list left out.
        findings: what is wrong with those that were not.
    """

    manager: pluggy.PluginManager
    loaded: list[Plugin] = field(default_factory=list)
    left_out: list[Plugin] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _records: dict[type[Spec], dict[str, list[Provided[Any]]]] = field(default_factory=dict)

    @property
    def failures(self) -> list[Finding]:
        """What could not be loaded."""
        return [finding for finding in self.findings if finding.failed]

    @property
    def warnings(self) -> list[Finding]:
        """What works, and yet is wrong with plugins; of what was imported before, only what can still be seen."""
        return [finding for finding in self.findings if not finding.failed]

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
    found = plugins()
    installed = {plugin.name for plugin in found}
    for name in sorted((blocked | allowed) - installed):
        raise UserError(f"no plugin named {name!r} to allow or leave out; {did_you_mean(name, installed)}")
    with listening() as listener:
        for plugin in found:
            if plugin.name in blocked or (allowed and plugin.name not in allowed):
                catalog.left_out.append(plugin)
            else:
                catalog.findings += _load(catalog, plugin, listener)
                catalog.loaded.append(plugin)
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


def _load(catalog: Catalog, plugin: Plugin, listener: Listener) -> Iterator[Finding]:
    before = set(sys.modules)
    try:
        offered = _register(catalog, plugin)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a stranger's import raises; Rust's panics are no Exception
        yield Finding(plugin, plugin.mismatch() or _reason(error))
    else:
        for kind, implementation in offered:
            try:
                _collect(catalog, kind, implementation, plugin)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - whatever a stranger's hook raises
                yield Finding(plugin, f"{implementation.function.__name__}: {_reason(error)}")
        if not catalog.manager.get_hookcallers(catalog.manager.get_plugin(plugin.name)):
            yield Finding(plugin, "it implements no hook; a function becomes one by @dnabench.hookimpl", failed=False)
    if said := " ".join(listener.heard().split()):
        reason = f"it prints while it is loaded, {_shortened(said)}; that goes to stderr, and spoils every command"
        yield Finding(plugin, reason, failed=False)
    if heavy := heavy_imports(before):
        reason = (
            f"it imports {', '.join(heavy)} while it is loaded, which slows every command down; import that in the "
            "module of the class instead, which only a run imports"
        )
        yield Finding(plugin, reason, failed=False)


def _register(catalog: Catalog, plugin: Plugin) -> list[tuple[type[Spec], Any]]:
    """Import a plugin and enter its hooks. Returns those that offer records, each with the kind of them."""
    manager = catalog.manager
    for other in catalog.loaded:
        if other.name == plugin.name:
            raise UserError(f"{other.title} has a plugin of this name, too; uninstall one, or leave both out")
    module = plugin.load()
    if reason := plugin.mismatch():
        raise UserError(reason)
    try:
        manager.register(module, name=plugin.name)
        manager.check_pending()
    except Exception:
        if manager.has_plugin(plugin.name):
            manager.unregister(name=plugin.name)
        raise
    return [
        (_HOOKS[caller.name], implementation)
        for caller in manager.get_hookcallers(module) or []
        for implementation in caller.get_hookimpls()
        if caller.name in _HOOKS and implementation.plugin is module
    ]


def _collect(catalog: Catalog, kind: type[Spec], implementation: Any, plugin: Plugin) -> None:
    records = implementation.function()
    if not isinstance(records, Iterable):
        raise UserError(f"it returned {_shortened(records)}, no iterable of {kind.__name__}; yield each record")
    for record in records:
        if type(record) is not kind:
            raise UserError(f"it yielded {_shortened(record)}, not a {kind.__name__}")
        catalog.add(Provided(record, plugin.name, plugin.title))


def _shortened(value: Any) -> str:
    """Its repr on one line of at most 120 characters or so."""
    text = reprlib.Repr()
    text.maxstring = text.maxother = 120
    return " ".join(text.repr(value).split())


def _reason(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - a stranger's, too
        text = ""
    if isinstance(error, UserError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _clash(kind: type[Spec], name: str, offers: list[Provided[Any]]) -> str:
    who = " and ".join(dict.fromkeys(f"{offer.distribution} (plugin {offer.plugin})" for offer in offers))
    if len({offer.plugin for offer in offers}) == 1:
        return f"{kind.noun} {name!r} is offered {len(offers)} times by {who}, so none is used"
    return f"{kind.noun} {name!r} is offered by {who}; leave one out with --no-plugin"
