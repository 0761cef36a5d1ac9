"""``dnabench data list``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnabench.cli import common
from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.plugins import Catalog

COLUMNS = ("name", "here", "n", "length", "bytes", "sha256", "needed_by", "from")


@click.command("list")
@common.store_option
@common.format_option()
@common.plugin_options
def command(
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """List the sets and files that are here, and those that a suite needs or a command can bring."""
    catalog = common.load_catalog(blocked)
    from dnabench.cli import render
    from dnabench.store import default_root

    entries = _entries(catalog, store_directory or default_root())
    if format == "json":
        render.print_json(entries)
    elif format == "csv":
        from dnabench.leaderboard.facts import to_csv

        click.echo(to_csv(entries, COLUMNS), nl=False)
    else:
        _print(entries)
    return 0


def _entries(catalog: Catalog, root: Path) -> list[dict[str, Any]]:
    from dnabench import suites
    from dnabench.data.fetched_files import FetchedFiles
    from dnabench.data.sets import Sets, size_on_disk
    from dnabench.specs import DatasetSpec

    needed: dict[str, list[str]] = {}
    for suite in map(suites.load, suites.names()):
        needed.setdefault(suite.dataset.name, []).append(suite.name)
    entries: dict[str, dict[str, Any]] = {}
    for spec in (offer.spec for offer in catalog.all(DatasetSpec)):
        if not (spec.sets or spec.files):
            entries[spec.name] = {"name": spec.name, "here": True, "from": "made when it is used"}
        source = f"dnabench data fetch {spec.name}"
        for name in spec.sets:
            entries[name] = {"name": name, "here": False, "from": source}
        for file in spec.files:
            name, about = f"{spec.name}/{file}", FetchedFiles(root, spec.name).about(file) or {}
            known = {key: about[key] for key in ("bytes", "sha256", "path") if about}
            entries[name] = {"name": name, "here": bool(about), **known, "from": source}
    sets = Sets(root)
    for name in sets.names():
        try:
            about = sets.about(name)
        except UserError as error:
            common.warn(str(error))
            continue
        origin = about["imported"] if "imported" in about else [f"dataset {about['made_by']['dataset']}"]
        entries[name] = {
            "name": name,
            "here": True,
            **{key: about[key] for key in ("n", "length", "sha256")},
            "bytes": size_on_disk(sets.directory(name)),
            "from": ", ".join(origin),
        }
    return [{**entries[name], "needed_by": ", ".join(needed.get(name, []))} for name in sorted(entries)]


def _print(entries: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from dnabench.cli import render

    table = Table(box=box.SIMPLE_HEAD)
    for name, justify in (("set", "left"), ("sequences", "right"), ("bp", "right"), ("sha256", "left"),
                          ("suites", "left"), ("from", "left")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for entry in entries:
        n = f"{entry['n']:,}" if "n" in entry else "a file" if "path" in entry else "" if entry["here"] else "not here"
        cells = [entry["name"], n, str(entry.get("length", "")), entry.get("sha256", "")[:12]]
        table.add_row(*(Text(cell) for cell in (*cells, entry["needed_by"], entry["from"])))
    render.print_table(table)
