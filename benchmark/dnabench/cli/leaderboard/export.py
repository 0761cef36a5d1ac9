"""``dnabench leaderboard export``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("export")
@click.argument("path", metavar="DIR/SUITE.csv|RUN_DIR", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "to",
    required=True,
    type=click.Choice(("md", "latex", "json", "html")),
    help="md: best bold, second italic; latex, html: second underlined; json: all numbers, ranks and facts.",
)
@common.plugin_options
def command(
    path: Path,
    to: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - families of metrics are those of all that is installed
    debug: bool,  # noqa: ARG001
) -> int:
    """Write a table on stdout for a paper or a page, with intervals, ties and what the flags mean."""
    from dnabench.leaderboard import export
    from dnabench.leaderboard.opening import open_board

    click.echo(export.text(open_board(path), to), nl=False)
    return 0
