"""Metrics of a plan: names looked up, options resolved, and what each needs of the sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnabench import options
from dnabench.errors import UserError
from dnabench.plan import PlannedMetric

if TYPE_CHECKING:
    from dnabench.plugins import Catalog
    from dnabench.specs import EmbedderSpec, MetricSpec

Settings = Mapping[str, Mapping[str, Any]]
"""Options by plugin and name."""


def plan_metrics(
    catalog: Catalog, texts: Sequence[str], settings: Settings, device: str = "cpu"
) -> list[PlannedMetric]:
    """Metrics from ``NAME`` or ``NAME@EMBEDDER``, in the order given, each once."""
    chosen: dict[str, PlannedMetric] = {}
    for text in texts:
        metric = _plan_metric(catalog, text, settings, device)
        chosen.setdefault(metric.label, metric)
    return list(chosen.values())


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
        family=family_of(spec, embedder),
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


def family_of(spec: MetricSpec, embedder: EmbedderSpec | None) -> str:
    """The family of a metric, with the embedder that it is used on: what its record says, else its embedder's."""
    if spec.family is not None:
        return spec.family
    return "sequence" if embedder is None else embedder.family


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


def names_of(metrics: Sequence[PlannedMetric]) -> set[str]:
    """The names of metrics and their embedders."""
    return {metric.name for metric in metrics} | {metric.embedder for metric in metrics if metric.embedder}


def check_settings(catalog: Catalog, settings: Settings, used: set[str]) -> None:
    """UserError for an option of something unknown or unused."""
    for name in sorted(settings.keys() - used):
        if name not in catalog.names():
            raise catalog.unknown("plugin", name, catalog.names())
        raise UserError(f"options of {name} are set, but {name} takes no part here")
