"""The keys of a plan's cells: everything that a cell's result depends on, part by part, known before it is executed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from dnabench import keys

if TYPE_CHECKING:
    from dnabench.data.parts import Draws
    from dnabench.plan import Cell, Plan, PlannedGenerator, PlannedMetric
    from dnabench.plugins import Catalog
    from dnabench.specs import Spec


class Identity:
    """The keys of one plan's cells.

    Attributes:
        files: metric label -> digests of the files behind the metric and behind its embedder
            (:meth:`dnabench.scoring.Scorer.digests`).
    """

    def __init__(self, catalog: Catalog, plan: Plan, data: Draws, files: Mapping[str, list[str]]) -> None:
        self._catalog = catalog
        self._plan = plan
        self._data = data
        self._files = files
        self._object = secrets.token_hex()
        self._packages = cache(keys.package_digest)
        self._numerics = keys.numerics("cpu", plan.threads, self._packages("dnabench"))

    def parts(self, cell: Cell, sample: str = "") -> dict[str, Any]:
        """What the key of ``cell`` is made of; ``sample``: the sha256 of the sequences that a score cell scores."""
        if cell.metric:
            return self._of_score(cell, sample)
        return self._of_generator(cell)

    def code(self) -> dict[str, str]:
        """Every package that the plan's cells run, and its digest (see :func:`dnabench.keys.check_code`)."""
        return keys.code_of(keys.package_of(spec.target) for spec in self._specs())

    def _specs(self) -> Iterator[Spec]:
        for generator in self._plan.generators:
            if generator.environment or generator.given:
                continue  # its code is in the plan, or nowhere
            yield self._catalog.generator(generator.plugin).spec
        for metric in self._plan.metrics:
            yield self._catalog.metric(metric.name).spec
            if metric.embedder:
                yield self._catalog.embedder(metric.embedder).spec

    def _package(self, spec: Spec) -> str:
        return self._packages(keys.package_of(spec.target))

    def _of_generator(self, cell: Cell) -> dict[str, Any]:
        plan, planned = self._plan, self._plan.generator(cell.generator)
        if planned.given:  # nothing says what it is: each object is another
            return {"given": self._object, "generator": planned.name, "seed": cell.seed, "kind": cell.kind}
        other = planned.environment
        parts = {
            "generator": planned.plugin,
            "version": planned.version,
            "distribution": planned.distribution,
            "package": other["code"] if other else self._package(self._catalog.generator(planned.plugin).spec),
            "options": planned.options,
            "dataset": plan.dataset_sha256,
            "train": self._data.train.digest,
            "held_out": self._held_out(planned),
            "length": plan.length,
            "seed": cell.seed,
            **self._numerics,
            "device": planned.device,
        }
        if other:
            core = self._packages("dnabench")
            parts |= keys.numerics(planned.device, plan.threads, core, other["packages"]) | {"environment": other}
        return parts | ({"n": plan.n_generated} if cell.kind == "sample" else {})

    def _held_out(self, planned: PlannedGenerator) -> str:
        return self._data.validation.digest if planned.kind == "control" else ""

    def _of_score(self, cell: Cell, sample: str) -> dict[str, Any]:
        plan, metric = self._plan, self._plan.metric(cell.metric)
        spec = self._catalog.metric(metric.name).spec
        files, weights = self._files[metric.label]
        parts = {
            "metric": metric.name,
            "version": metric.version,
            "distribution": metric.distribution,
            "package": self._package(spec),
            "options": metric.options,
            "files": files,
            "dataset": plan.dataset_sha256,
            "train": self._data.train.digest if sees_training(self._catalog, metric) else "",
            "validation": self._data.validation.digest,
            "test": self._data.test.digest,
            "n_generated": plan.n_generated,
            "n_reference": plan.n_reference,
            "seed": cell.seed,
            **self._numerics,
            "device": metric.device,
        }
        if metric.embedder:
            parts["embedder"] = {
                "name": metric.embedder,
                "version": metric.embedder_version,
                "options": metric.embedder_options,
                "weights": weights,
                "package": self._package(self._catalog.embedder(metric.embedder).spec),
            }
        if cell.kind == "score":
            parts |= {"sample": sample, "slices": list(plan.slices_of(cell.generator))}
        return parts


def sees_training(catalog: Catalog, metric: PlannedMetric) -> bool:
    """Whether training sequences have a part in a score: the metric reads them, or its embedder is fitted to them."""
    embedder = catalog.embedder(metric.embedder).spec if metric.embedder else None
    return catalog.metric(metric.name).spec.needs_train or (embedder is not None and embedder.needs_training)


def changes(wanted: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """How the parts of one key differ from those of another, a text for each: ``options.order: 3 -> 5``."""
    new, old = _leaves(wanted), _leaves(known)
    return [
        f"{name}: {_short(old.get(name))} -> {_short(new.get(name))}"
        for name in sorted(new.keys() | old.keys())
        if new.get(name) != old.get(name)
    ]


def _leaves(parts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name, value in parts.items():
        leaves |= _leaves(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return leaves


def _short(value: Any) -> str:
    """A digest by its first letters."""
    text = "nothing" if value is None or value == "" else str(value)
    return f"{text[:8]}..." if len(text) == 64 else text
