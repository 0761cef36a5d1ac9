"""``dnabench leaderboard build``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("build")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@common.format_option()
@common.plugin_options
def command(
    directory: Path,
    format: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - families of metrics are those of all that is installed
    debug: bool,  # noqa: ARG001
) -> int:
    """Derive DIR/SUITE.csv from the facts in DIR/SUITE/GENERATOR.csv, for every suite there.

    The kinds of generators stay as the tables have them; of one that no table lists, the installed plugin says it.
    """
    from dnabench.cli.leaderboard import reports
    from dnabench.leaderboard import published

    reports.print_published(published.build(directory), format)
    return 0
