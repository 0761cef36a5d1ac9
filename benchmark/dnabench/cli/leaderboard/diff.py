"""``dnabench leaderboard diff``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("diff")
@click.argument("before", metavar="DIR_A", type=click.Path(path_type=Path))
@click.argument("after", metavar="DIR_B", type=click.Path(path_type=Path))
@common.format_option()
@common.plugin_options
def command(
    before: Path,
    after: Path,
    format: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - families of metrics are those of all that is installed
    debug: bool,  # noqa: ARG001
) -> int:
    """Say what moved from DIR_A to DIR_B: generators, ranks and scores, and whether beyond the intervals.

    Either may also be DIR/SUITE.csv or the directory of a run; two that hold one suite each are compared whatever
    their suites are called.
    """
    from dnabench.cli.leaderboard import reports
    from dnabench.leaderboard.differences import differences
    from dnabench.leaderboard.opening import open_boards

    old, new = ({board.suite: board for board in open_boards(path)} for path in (before, after))
    if len(old) == len(new) == 1:
        old = dict.fromkeys(new, *old.values())
    rows = []
    for suite in sorted({*old, *new}):
        if suite in old and suite in new:
            rows += differences(old[suite], new[suite])
        else:
            rows.append({"suite": suite, "what": "added" if suite in new else "removed"})
    reports.print_differences(rows, format)
    return 0
