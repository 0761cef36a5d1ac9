"""From a request to a plan: names looked up, options resolved, everything checked before anything is computed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnabench import options, suites
from dnabench.data.slices import slices_of
from dnabench.errors import UserError
from dnabench.plan import Plan, PlannedGenerator, PlannedMetric
from dnabench.specs import label_columns

if TYPE_CHECKING:
    from dnabench.data.source import Data
    from dnabench.plugins import Catalog, Provided
    from dnabench.specs import EmbedderSpec, GeneratorSpec, MetricSpec
    from dnabench.suites import Suite

PRESETS = ("quick", "standard", "paper")
# What every line of a leaderboard carries whose data are not the suite's own, or split without regard to relatives.
OTHER_DATA, RANDOM_SPLIT = "other-data", "random-split"

VARIANT_PATTERN = re.compile(r"[\w.+-]+")

Settings = Mapping[str, Mapping[str, Any]]


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
) -> Plan:
    """Resolve names and options into a plan; UserError for whatever could not work, before any work is done.

    The plan carries the suite's name only when split, length, metrics' and embedders' options are the suite's, no
    embedder is fitted to the training sequences, and the data are given with ``--data`` at least. ``to_publish``: it
    must.
    """
    names = list(dict.fromkeys([*generators, *(suite.controls.names if controls else ())]))
    _check_slices(suite, data)
    n_generated, n_reference = _sizes(data, suite, samples, names)
    chosen = plan_metrics(catalog, metrics, settings, device)
    planned = [_plan_generator(catalog, name, preset, device, settings, data) for name in names]
    _check_distinct(planned)
    for metric in chosen:
        _check_data(catalog.metric(metric.name).spec, data)
        check_metric(catalog, metric, n_generated, n_reference, data.length)
        check_training(catalog, metric, len(data.train))
    check_settings(catalog, settings, {generator.plugin for generator in planned} | names_of(chosen))
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
        device=device,
        threads=threads,
        generators=tuple(planned),
        metrics=tuple(chosen),
    )


def plan_metrics(
    catalog: Catalog, texts: Sequence[str], settings: Settings, device: str = "cpu"
) -> list[PlannedMetric]:
    """Metrics from ``NAME`` or ``NAME@EMBEDDER``, in the order given, each once."""
    chosen: dict[str, PlannedMetric] = {}
    for text in texts:
        metric = _plan_metric(catalog, text, settings, device)
        chosen.setdefault(metric.label, metric)
    return list(chosen.values())


def check_metric(catalog: Catalog, metric: PlannedMetric, n_generated: int, n_reference: int, length: int) -> None:
    """UserError when there are too few sequences for the metric or they are too short for its embedder."""
    spec = catalog.metric(metric.name).spec
    fewest = spec.min_samples
    why = f"{metric.label} needs {fewest}"
    if metric.embedder is not None:
        embedder = catalog.embedder(metric.embedder).spec
        if length < embedder.min_length:
            raise UserError(
                f"embedder {embedder.name} takes sequences from {embedder.min_length} bp; these have {length} bp"
            )
        if spec.samples_exceed_dimension and fewest <= embedder.dimension:
            fewest = embedder.dimension + 1
            why = f"{metric.label} needs more than the {embedder.dimension} dimensions of embedder {embedder.name}"
    for count, side in ((n_generated, "generated"), (n_reference, "reference")):
        if count < fewest:
            raise UserError(f"{count} {side} sequences are too few: {why} on each side")


def check_training(catalog: Catalog, metric: PlannedMetric, train: int | None) -> None:
    """UserError where there are not as many training sequences, ``train`` or none at all, as the metric needs."""
    if train is None and catalog.metric(metric.name).spec.needs_train:
        raise UserError(f"metric {metric.name} needs training sequences: give them with --train")
    embedder = catalog.embedder(metric.embedder).spec if metric.embedder else None
    if embedder is None or not embedder.needs_training:
        return
    if train is None:
        raise UserError(f"embedder {embedder.name} is fitted to training sequences: give them with --train")
    if train < embedder.min_training:
        raise UserError(
            f"{train} training sequences are too few: embedder {embedder.name} needs {embedder.min_training}"
        )


def find_generator(catalog: Catalog, text: str) -> tuple[Provided[GeneratorSpec], dict[str, str]]:
    """The generator of ``NAME`` or ``NAME=VALUE``, and the option that the value sets.

    UserError where there is none.
    """
    name, equals, value = text.partition("=")
    offer = catalog.generator(name)
    if not equals:
        return offer, {}
    if offer.spec.variant is None:
        raise UserError(f"--generator {text}: {name} has no variants; options are set with --set {name}.OPTION=VALUE")
    if not VARIANT_PATTERN.fullmatch(value):
        raise UserError(f"--generator {text}: {value!r} is no value of {name}.{offer.spec.variant}")
    return offer, {offer.spec.variant: value}


def _plan_generator(
    catalog: Catalog, name: str, preset: str, device: str, settings: Settings, data: Data
) -> PlannedGenerator:
    offer, variant = find_generator(catalog, name)
    spec = offer.spec
    _check_length(spec, data.length)
    _check_data(spec, data)
    given = settings.get(spec.name, {})
    for option in variant.keys() & given.keys():
        raise UserError(f"{name} says what {spec.name}.{option} is; leave out the setting of {spec.name}.{option}")
    resolved = options.as_dict(options.build(spec.options, spec.name, spec.presets.get(preset, {}), given, variant))
    columns = tuple(data.train.labels.columns)
    labels: tuple[str, ...] = columns if spec.uses_labels else ()
    if spec.label_option is not None:
        labels = label_columns(resolved[spec.label_option])
        for column in labels:
            if column in columns:
                continue
            there = f"its labels are {', '.join(columns)}" if columns else "it has no labels"
            raise UserError(f"option {spec.name}.{spec.label_option}: {data.name} has no label {column!r}; {there}")
    return PlannedGenerator(
        name=name,
        plugin=spec.name,
        version=spec.version,
        kind=spec.kind,
        distribution=offer.distribution,
        device=device if device in spec.devices else "cpu",
        devices=resolved[spec.devices_option] if spec.devices_option else 1,
        options=resolved,
        labels=labels,
    )


def _plan_metric(catalog: Catalog, text: str, settings: Settings, device: str) -> PlannedMetric:
    name, at, embedder_name = text.partition("@")
    offer = catalog.metric(name)
    spec = offer.spec
    if at and spec.embedder is None:
        raise UserError(f"metric {name} works on sequences, not on features: write {name}, not {text}")
    chosen = options.as_dict(options.build(spec.options, name, settings.get(name, {})))
    embedder: EmbedderSpec | None = None
    if spec.embedder is not None:
        encoder = spec.encoders.get(chosen.get("encoder", ""), spec.embedder)
        embedder = catalog.embedder(embedder_name or encoder).spec
    is_default = embedder is None or embedder.name == spec.embedder
    return PlannedMetric(
        name=name,
        version=spec.version,
        direction=spec.direction,
        distribution=offer.distribution,
        options=chosen,
        embedder=embedder.name if embedder else None,
        embedder_version=embedder.version if embedder else None,
        embedder_options=(
            options.as_dict(options.build(embedder.options, embedder.name, settings.get(embedder.name, {})))
            if embedder
            else {}
        ),
        device=device if embedder or device.partition(":")[0] in spec.devices else "cpu",
        label=name if embedder is None or is_default else f"{name}@{embedder.name}",
    )


def _check_distinct(generators: Sequence[PlannedGenerator]) -> None:
    """UserError for one model under two names, which would be ranked against itself."""
    seen: dict[str, str] = {}
    for generator in generators:
        model = json.dumps([generator.plugin, generator.options], sort_keys=True)
        if model in seen:
            raise UserError(f"generators {seen[model]} and {generator.name} are the same with the same options")
        seen[model] = generator.name


def _check_data(spec: GeneratorSpec | MetricSpec, data: Data) -> None:
    """UserError where a plugin is for other data sets."""
    if spec.datasets and data.name not in spec.datasets:
        raise UserError(
            f"{spec.noun} {spec.name} is for data set {', '.join(spec.datasets)} alone, not for {data.name}"
        )
    if spec.datasets and data.cropped:
        raise UserError(f"{spec.noun} {spec.name} is for whole sequences of {data.name}; --length crops them")


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


def _check_length(spec: GeneratorSpec, length: int) -> None:
    low, high = spec.lengths or (1, length)
    if not low <= length <= high:
        raise UserError(
            f"generator {spec.name} takes lengths from {low} to {high} bp; these sequences have {length} bp"
        )
    if length % spec.length_multiple:
        near = max(length - length % spec.length_multiple, spec.length_multiple)
        raise UserError(
            f"generator {spec.name} takes lengths that are multiples of {spec.length_multiple} bp; these have "
            f"{length} bp: --length {near} would crop them around their centre"
        )


def names_of(metrics: Sequence[PlannedMetric]) -> set[str]:
    """The names of metrics and their embedders."""
    return {metric.name for metric in metrics} | {metric.embedder for metric in metrics if metric.embedder}


def check_settings(catalog: Catalog, settings: Settings, used: set[str]) -> None:
    """UserError for an option of something unknown or unused."""
    for name in settings:
        if name not in catalog.names():
            raise catalog.unknown("plugin", name, catalog.names())
        if name not in used:
            raise UserError(f"options of {name} are set, but {name} takes no part here")
