"""The plan of a run: pure data, written out before anything is computed, from which every cell can be executed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from dnabench.data.slices import ALL, column_of
from dnabench.suites import Controls

SCHEMA = 5


@dataclass(frozen=True, kw_only=True)
class PlannedGenerator:
    """A generator with its resolved options and the device it will run on.

    Attributes:
        name: what rows call it: the plugin's name, or ``NAME=VALUE`` for a variant of it.
        plugin: the name in the plugin's record.
        device: ``cpu`` or ``cuda``; which of several is the engine's choice.
        devices: on how many of them it trains.
        labels: the label columns that its samples carry.
        environment: what it is installed with (:func:`dnabench.environments.describe`) where its cells run in another
            interpreter; empty for this one's.
        given: whether it is an object of the process that runs the plan (:mod:`dnabench.given`).
    """

    name: str
    plugin: str
    version: int
    kind: str
    distribution: str
    device: str
    devices: int
    options: dict[str, Any]
    labels: tuple[str, ...] = ()
    environment: dict[str, Any] = dataclasses.field(default_factory=dict)
    given: bool = False

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> PlannedGenerator:
        """Of its fields, as JSON has them."""
        return cls(**_frozen(plain))


@dataclass(frozen=True, kw_only=True)
class PlannedMetric:
    """A metric with its resolved options and, for a feature metric, its embedder with its own.

    Attributes:
        family: with which metrics it shares a voice in the mean rank.
        device: ``cpu`` or ``cuda``: the run's for a metric on features, else the CPU.
    """

    name: str
    version: int
    direction: Literal["lower", "higher"]
    family: str
    distribution: str
    options: dict[str, Any]
    embedder: str | None = None
    embedder_version: int | None = None
    embedder_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    device: str
    label: str


@dataclass(frozen=True)
class Cell:
    """One unit of work: train, draw a sample, score it, or score real against real (the floor, with no generator).

    A score covers the whole sample and its slices.
    """

    kind: Literal["train", "sample", "score", "floor"]
    generator: str
    seed: int
    metric: str = ""

    @property
    def id(self) -> str:
        """Its name in manifest and events, and below ``logs/``: ``score/discdiff/seed0/fred``."""
        return "/".join(filter(None, (self.kind, self.generator, f"seed{self.seed}", self.metric)))

    def __str__(self) -> str:
        return " ".join(filter(None, (self.kind, self.generator, f"seed {self.seed}", self.metric)))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides the results of a run.

    Attributes:
        suite: whose protocol it keeps to; ``custom`` for none.
        published: name and sha256 of the suite's data where others take their place, else empty.
        slices: the ``column=value`` that are scored by themselves, for generators whose samples carry the column.
        flags: what every line of the leaderboard carries.
        controls: the suite's, by the part they play; whether they take part, ``generators`` say.
        device: ``cpu`` or ``cuda``: where generators and metrics on features run that can.
        threads: of one cell. Sums of floats move in their last digits with it, so it is not left to the machine.
    """

    suite: str
    dataset: str
    dataset_sha256: str
    published: tuple[str, ...]
    split: str
    length: int
    n_train: int
    n_generated: int
    n_reference: int
    seeds: tuple[int, ...]
    preset: str
    slices: tuple[str, ...]
    flags: tuple[str, ...]
    controls: Controls
    device: str
    threads: int
    generators: tuple[PlannedGenerator, ...]
    metrics: tuple[PlannedMetric, ...]
    schema: int = SCHEMA

    def cells(self) -> Iterator[Cell]:
        """All cells: those that take long first, each after those it needs."""
        for seed in self.seeds:
            for metric in self.metrics:
                yield Cell("floor", "", seed, metric.label)
        for kind in ("train", "sample"):
            for generator in self.generators:
                for seed in self.seeds:
                    yield Cell(kind, generator.name, seed)
        for generator in self.generators:
            for seed in self.seeds:
                for metric in self.metrics:
                    yield Cell("score", generator.name, seed, metric.label)

    def needs(self, cell: Cell) -> tuple[Cell, ...]:
        """The cells whose results ``cell`` starts from."""
        before: dict[str, Literal["train", "sample"]] = {"sample": "train", "score": "sample"}
        if cell.kind not in before:
            return ()
        return (Cell(before[cell.kind], cell.generator, cell.seed),)

    def after(self, cell: Cell) -> tuple[Cell, ...]:
        """The cells that had better end before ``cell`` begins, however they end: they embed what it wants embedded.

        Of the metrics with one embedder the first embeds the sample, and the first floor the reference.
        """
        if not cell.metric:
            return ()
        embedder = self._embedder(cell.metric)
        leader = next(m.label for m in self.metrics if self._embedder(m.label) == embedder)
        if embedder is None:
            return ()
        if leader != cell.metric:
            return (dataclasses.replace(cell, metric=leader),)
        return (Cell("floor", "", cell.seed, leader),) if cell.kind == "score" else ()

    def _embedder(self, label: str) -> tuple[Any, ...] | None:
        metric = self.metric(label)
        return None if metric.embedder is None else (metric.embedder, metric.embedder_options)

    def slices_of(self, name: str) -> tuple[str, ...]:
        """What of a generator's samples is scored: ``all``, and the slices by labels that they carry."""
        labels = self.generator(name).labels
        return (ALL, *(part for part in self.slices if column_of(part) in labels))

    @property
    def kinds(self) -> dict[str, str]:
        """Generator -> ``model``, ``baseline`` or ``control``."""
        return {generator.name: generator.kind for generator in self.generators}

    @property
    def families(self) -> dict[str, str]:
        """Label of a metric -> family."""
        return {metric.label: metric.family for metric in self.metrics}

    def generator(self, name: str) -> PlannedGenerator:
        """The planned generator of that name."""
        return next(g for g in self.generators if g.name == name)

    def metric(self, label: str) -> PlannedMetric:
        """The planned metric of that label."""
        return next(m for m in self.metrics if m.label == label)

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``manifest.json``."""
        plain: dict[str, Any] = _plain(dataclasses.asdict(self))
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Plan:
        """The plan that :meth:`to_json` wrote. ValueError for one of another schema, TypeError for values of others."""
        if plain.get("schema") != SCHEMA:
            raise ValueError(f"a plan of schema {plain.get('schema')!r}; this version of dnabench knows {SCHEMA}")
        values = _frozen(plain)
        values["generators"] = tuple(PlannedGenerator.from_json(generator) for generator in plain["generators"])
        values["metrics"] = tuple(PlannedMetric(**_frozen(metric)) for metric in plain["metrics"])
        values["controls"] = Controls(**_frozen(plain["controls"]))
        plan = cls(**values)
        for record in (plan, plan.controls, *plan.generators, *plan.metrics):
            _check_types(record)
        if not (plan.generators and plan.metrics and plan.seeds):
            raise ValueError("a plan without generators, metrics or seeds")
        if min(plan.length, plan.n_generated, plan.n_reference) < 1:
            raise ValueError("a plan of no sequences")
        return plan

    def cells_to_json(self) -> list[dict[str, Any]]:
        """Every cell with the ids of those it needs, for ``manifest.json``."""
        return [
            dataclasses.asdict(cell)
            | {
                "id": cell.id,
                "needs": [needed.id for needed in self.needs(cell)],
                "after": [other.id for other in self.after(cell)],
            }
            for cell in self.cells()
        ]


def _plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _frozen(record: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as tuples, as the records have them; options stay as they are."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}


def _check_types(record: Any) -> None:
    """TypeError where a field of a record holds something else than it is declared to."""
    for name, hint in get_type_hints(type(record)).items():
        if not holds(getattr(record, name), hint):
            raise TypeError(f"{name} is {getattr(record, name)!r:.60}")


def holds(value: Any, hint: Any) -> bool:
    """Whether a value that was read from JSON is of the type that ``hint`` declares."""
    arguments = get_args(hint)
    if hint is Any:
        return True
    if get_origin(hint) is Literal:
        return value in arguments
    if isinstance(hint, UnionType):
        return any(holds(value, one) for one in arguments)
    if not isinstance(value, get_origin(hint) or hint):
        return False
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return not arguments or all(holds(item, arguments[-1 if isinstance(value, dict) else 0]) for item in items)
