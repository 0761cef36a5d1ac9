"""From a request to a plan: names looked up, options resolved, everything checked before anything is computed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from dnabench import suites
from dnabench.data.slices import slices_of
from dnabench.errors import UserError
from dnabench.plan import Plan, PlannedGenerator
from dnabench.planning.generators import plan_elsewhere, plan_generator, plan_given
from dnabench.planning.metrics import check_metric, check_settings, check_training, names_of, plan_metrics
from dnabench.planning.traits import Traits, check_data

if TYPE_CHECKING:
    from dnabench.data.source import Data
    from dnabench.planning.metrics import Settings
    from dnabench.plugins import Catalog
    from dnabench.suites import Suite

PRESETS = ("quick", "standard", "paper")
# What every line of a leaderboard carries whose data are not the suite's own, or split without regard to relatives.
OTHER_DATA, RANDOM_SPLIT = "other-data", "random-split"


def plan_run(
    catalog: Catalog,
    suite: Suite,
    data: Data,
    *,
    generators: Sequence[str],
    metrics: Sequence[str],
    seeds: Sequence[int],
    samples: int | None,
    preset: str,
    device: str,
    threads: int,
    settings: Settings,
    controls: bool,
    to_publish: bool = False,
    pythons: Mapping[str, str] = MappingProxyType({}),
    given: Collection[str] = (),
) -> Plan:
    """Resolve names and options into a plan; UserError for whatever could not work, before any work is done.

    The plan carries the suite's name only when split, length, metrics' and embedders' options are the suite's, no
    embedder is fitted to the training sequences, and the data are given with ``--data`` at least. ``to_publish``: it
    must. ``pythons``: generator -> interpreter, for generators of other environments, which are asked there.
    ``given``: those of ``generators`` that are objects of this process.
    """
    names = list(dict.fromkeys([*generators, *(suite.controls.names if controls else ())]))
    _check_slices(suite, data)
    n_generated, n_reference = _sizes(data, suite, samples, names)
    chosen = plan_metrics(catalog, metrics, settings, device)
    traits = Traits.of(data)

    def plan_one(name: str) -> PlannedGenerator:
        if name in given:
            return plan_given(catalog, name, device)
        if python := pythons.get(name.partition("=")[0]):
            return plan_elsewhere(name, python, preset, device, settings, traits)
        return plan_generator(catalog, name, preset=preset, device=device, settings=settings, data=traits)

    planned = [plan_one(name) for name in names]
    for unused in sorted(pythons.keys() - {generator.plugin for generator in planned}):
        raise UserError(f"--python {unused}={pythons[unused]}: generator {unused} takes no part here")
    _check_distinct(planned)
    for metric in chosen:
        check_data(catalog.metric(metric.name).spec, traits)
        check_metric(catalog, metric, n_generated, n_reference, data.length)
        check_training(catalog, metric, len(data.train))
    used = {generator.plugin for generator in planned if not generator.given} | names_of(chosen)
    check_settings(catalog, settings, used)
    kept = (
        data.origin != "own"
        and data.length == (suite.length or data.length)
        and (data.given_split or data.protocol == suite.split.protocol)
        and chosen == plan_metrics(catalog, metrics, {}, device)
        and not any(m.embedder and catalog.embedder(m.embedder).spec.needs_training for m in chosen)
    )
    if to_publish and not kept:
        raise UserError(
            f"--leaderboard publishes runs that keep to a suite, and this one departs from {suite.name} in its data, "
            "length, split or metrics' options; make it a suite of its own: --suite my.toml"
        )
    flags = {OTHER_DATA: data.origin == "other", RANDOM_SPLIT: data.protocol.startswith("random")}
    return Plan(
        suite=suite.name if kept else suites.CUSTOM,
        dataset=data.name,
        dataset_sha256=data.digest,
        published=(suite.dataset.title, suite.dataset.sha256) if data.origin == "other" else (),
        split=data.protocol,
        length=data.length,
        n_train=len(data.train),
        n_generated=n_generated,
        n_reference=n_reference,
        seeds=tuple(sorted(set(seeds))),
        preset=preset,
        slices=slices_of(data.test, suite.slices),
        flags=tuple(flag for flag, applies in flags.items() if applies),
        controls=suite.controls,
        device=device,
        threads=threads,
        generators=tuple(planned),
        metrics=tuple(chosen),
    )


def _check_distinct(generators: Sequence[PlannedGenerator]) -> None:
    """UserError for one model under two names, which would be ranked against itself."""
    seen: dict[str, str] = {}
    for generator in generators:
        model = json.dumps([generator.plugin, generator.options], sort_keys=True)
        if model in seen:
            raise UserError(f"generators {seen[model]} and {generator.name} are the same with the same options")
        seen[model] = generator.name


def _check_slices(suite: Suite, data: Data) -> None:
    """UserError for slices of a suite by a label that its data do not have."""
    columns = list(data.test.labels)
    for column in suite.slices:
        if data.origin != "own" and column not in columns:
            there = ", ".join(columns) or "none"
            raise UserError(
                f"suite {suite.name}: slices are by label {column!r}; the labels of {data.name} are {there}"
            )


def _sizes(data: Data, suite: Suite, samples: int | None, generators: Sequence[str]) -> tuple[int, int]:
    """Sequences on the generated and on the reference side."""
    if samples is None:
        most = min(suite.samples, len(data.validation), len(data.test))
        return most, most
    if suite.controls.floor in generators and samples > len(data.validation):
        raise UserError(
            f"--samples {samples}: the control {suite.controls.floor} has only {len(data.validation)} held-out "
            f"sequences; ask for at most that many, or leave the controls out with --no-controls"
        )
    return samples, min(samples, len(data.test))
