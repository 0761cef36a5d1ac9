"""``dnabench leaderboard check``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import ExitCode, common


@click.command("check")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@common.format_option()
@common.plugin_options
def command(
    directory: Path,
    format: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - families of metrics are those of all that is installed
    debug: bool,  # noqa: ARG001
) -> int:
    """Check the facts in DIR, derive every table anew, and compare bytes; exit code 1 where one differs.

    Facts must be of one protocol, sorted, each once, and written as dnabench writes them; else the exit code is 2.
    """
    from dnabench.cli.leaderboard import reports
    from dnabench.leaderboard import directory as directories
    from dnabench.leaderboard import published

    known = [directories.load(directory, suite) for suite in directories.suites_in(directory)]
    differences = [published.difference(one) for one in known]
    for one, difference in zip(known, differences, strict=True):
        if difference:
            path = directories.table_path(directory, one.suite)
            common.warn(f"{path}: {difference}; dnabench leaderboard build {directory} derives it from its facts")
            strange = [metric for metric, family in one.board.families.items() if metric == family]
            if strange:
                common.warn(f"{', '.join(strange)}: not installed here, so that ranks cannot know the family")
    reports.print_published(known, format, differences)
    return ExitCode.SOME_FAILED if any(differences) else ExitCode.DONE
