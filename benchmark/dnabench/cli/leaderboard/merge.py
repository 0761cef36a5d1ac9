"""``dnabench leaderboard merge``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("merge")
@click.argument("first", metavar="DIR_A", type=click.Path(path_type=Path))
@click.argument("second", metavar="DIR_B", type=click.Path(path_type=Path))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where the union goes: new or empty."
)
@common.format_option()
@common.plugin_options
def command(
    first: Path,
    second: Path,
    out: Path,
    format: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - families of metrics are those of all that is installed
    debug: bool,  # noqa: ARG001
) -> int:
    """Unite the facts of two leaderboards, and derive the tables; a fact that differs in the two is an error."""
    from dnabench.cli.leaderboard import reports
    from dnabench.leaderboard.merging import merge

    reports.print_published(merge(first, second, out), format)
    return 0
