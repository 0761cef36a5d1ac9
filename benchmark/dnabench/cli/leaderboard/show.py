"""``dnabench leaderboard show``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("show")
@click.argument("path", metavar="DIR|DIR/SUITE.csv|RUN_DIR", type=click.Path(path_type=Path))
@common.format_option()
@common.plugin_options
def command(
    path: Path,
    format: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - families of metrics are those of all that is installed
    debug: bool,  # noqa: ARG001
) -> int:
    """Print the ranked tables of published results, or of a run; --format json has what the ranks rest on, too."""
    from dnabench.cli.leaderboard import reports
    from dnabench.leaderboard.opening import open_boards

    reports.print_boards(open_boards(path), format)
    return 0
