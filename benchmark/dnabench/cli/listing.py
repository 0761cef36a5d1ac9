"""``dnabench list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dnabench.cli import common
from dnabench.leaderboard.families import families_of
from dnabench.specs import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec

if TYPE_CHECKING:
    from dnabench.plugins import Catalog

KINDS: dict[str, Any] = {
    "generators": GeneratorSpec,
    "metrics": MetricSpec,
    "embedders": EmbedderSpec,
    "datasets": DatasetSpec,
}


@click.command("list")
@click.argument("what", required=False, type=click.Choice([*KINDS, "suites"]))
@common.format_option()
@common.plugin_options
def command(what: str | None, format: str, blocked: tuple[str, ...], debug: bool) -> int:  # noqa: ARG001
    """List generators, metrics, embedders, datasets and suites; warn of plugins that something is wrong with."""
    from dnabench import suites

    catalog = common.load_catalog(blocked)
    for warning in catalog.warnings:
        common.warn(str(warning))
    entries: list[dict[str, Any]] = []
    for kind, record in KINDS.items():
        if what in (None, kind):
            entries += [
                {
                    "what": kind,
                    "name": offer.spec.name,
                    "version": offer.spec.version,
                    "plugin": offer.plugin,
                    "distribution": offer.distribution,
                    "summary": offer.spec.summary,
                    **_family(catalog, offer.spec),
                }
                for offer in catalog.all(record)
            ]
    if what in (None, "suites"):
        loaded = [suites.load(name) for name in suites.names()]
        entries += [
            {
                "what": "suites",
                "name": s.name,
                "version": "",
                "plugin": "",
                "distribution": "dnabench",
                "summary": s.summary,
            }
            for s in loaded
        ]
    _print(entries, format)
    return 0


def _family(catalog: Catalog, spec: Any) -> dict[str, str]:
    return {"family": families_of(catalog, [spec.name])[spec.name]} if isinstance(spec, MetricSpec) else {}


def _print(entries: list[dict[str, Any]], format: str) -> None:
    if format == "json":
        from dnabench.cli import render

        render.print_json(entries)
    elif format == "csv":
        from dnabench.leaderboard.facts import to_csv

        click.echo(to_csv(entries, ("what", "name", "version", "plugin", "distribution", "summary")), nl=False)
    else:
        width = max((len(entry["name"]) for entry in entries), default=0)
        heading = None
        for entry in entries:
            if entry["what"] != heading:
                heading = entry["what"]
                click.echo(heading)
            click.echo(f"  {entry['name']:{width}}  {entry['summary']}")
