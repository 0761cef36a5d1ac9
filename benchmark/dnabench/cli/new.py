"""``dnabench new``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from dnabench.cli import common
from dnabench.errors import UserError
from dnabench.scaffold import KINDS, create


@click.command("new")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write it.  [default: ./dnabench-NAME]"
)
@common.plugin_options
def command(kind: str, name: str, out: Path | None, blocked: tuple[str, ...], debug: bool) -> None:  # noqa: ARG001
    """Write the package of a new plugin: it works at once, has its tests, and is short enough to be read.

    \b
    dnabench new generator my-model
    dnabench new metric my-score --out ~/work/my-score
    """  # noqa: D301 - click must find the character \b itself
    for offer in common.load_catalog(blocked).find(name):
        raise UserError(f"{offer.distribution} has a {offer.spec.noun} named {name!r} already; give it another name")
    directory = out or Path(f"dnabench-{name}")
    for path in create(kind, name, directory):
        click.echo(directory / path)
    click.echo(f"next: cd {shlex.quote(str(directory))} && pip install -e '.[test]' && pytest", err=True)
