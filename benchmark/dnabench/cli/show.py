"""``dnabench show``."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import TYPE_CHECKING, Any

import click

from dnabench import definitions, options, suites
from dnabench.cli import common
from dnabench.leaderboard.families import families_of
from dnabench.specs import EmbedderSpec, MetricSpec

if TYPE_CHECKING:
    from dnabench.plugins import Catalog


@click.command("show")
@click.argument("name")
@common.format_option("table", "json")
@common.plugin_options
def command(name: str, format: str, blocked: tuple[str, ...], debug: bool) -> int:  # noqa: ARG001
    """Describe a generator, metric, embedder, dataset or suite with its options and defaults."""
    catalog = common.load_catalog(blocked)
    found = [_record(catalog, offer) for offer in catalog.find(name)]
    if name in suites.names() or name.endswith(".toml"):
        found.append(_suite(suites.load(name)))
    if not found:
        raise catalog.unknown("plugin or suite", name, catalog.names() | set(suites.names()))
    if format == "json":
        from dnabench.cli import render

        render.print_json(found)
    else:
        for record in found:
            _print(record)
    return 0


def _suite(suite: suites.Suite) -> dict[str, Any]:
    values = dataclasses.asdict(suite)
    data = values.pop("dataset")
    renamed = {"name": "dataset", "options": "dataset_options"}
    return {"what": "suite", **values, **{renamed.get(key, key): data[key] for key in data}, "options": []}


def _record(catalog: Catalog, offer: Any) -> dict[str, Any]:
    spec = offer.spec
    values = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    values["options"] = options.describe(spec.options)
    if isinstance(spec, MetricSpec) and spec.embedder:
        del values["devices"]  # it is where its embedder is
    if isinstance(spec, MetricSpec):
        values["family"] = families_of(catalog, [spec.name])[spec.name]
    page = definitions.page(spec) if isinstance(spec, (MetricSpec, EmbedderSpec)) else None
    values["definition"] = dataclasses.asdict(page) if page else None
    if "presets" in values:
        values["presets"] = {name: dict(preset) for name, preset in spec.presets.items()}
    return {"what": spec.noun, "plugin": offer.plugin, "distribution": offer.distribution, **values}


def _print(record: dict[str, Any]) -> None:
    click.echo(f"{record['name']} ({record['what']}): {record['summary']}")
    for key, value in record.items():
        if key not in ("name", "what", "summary", "options", "presets", "definition") and value not in (
            None,
            "",
            (),
            {},
        ):
            click.echo(f"  {key.replace('_', ' ')}: {_text(value)}")
    for entry in record["options"]:
        if entry is record["options"][0]:
            click.echo("  options:")
        click.echo(f"    {record['name']}.{entry['name']} = {entry['default']}  ({entry['type']}) {entry['help']}")
    for preset, values in record.get("presets", {}).items():
        changes = ", ".join(f"{key}={value}" for key, value in values.items()) or "the defaults"
        click.echo(f"  preset {preset}: {changes}")
    if record.get("definition"):
        _print_page(record["definition"])


def _print_page(definition: dict[str, Any]) -> None:
    click.echo(f"\n{definition['headline']}")
    for title, text in definition["sections"].items():
        click.echo(f"\n{title}\n{textwrap.indent(text, '  ')}")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key} {_text(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
