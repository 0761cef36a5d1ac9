"""``dnabench store prune``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from dnabench.cli import ExitCode, common
from dnabench.errors import UserError, did_you_mean


@click.command("prune")
@click.option("--older-than", metavar="DURATION", help="Remove what was not used for so long, such as 30d or 12h.")
@click.option("--max-size", metavar="SIZE", help="Remove the oldest until the rest is no larger, such as 10G.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="NAME[,...]",
    help="Of these kinds alone, which --max-size then speaks of; repeatable. dnabench store size lists them.  "
    "[default: all but data and downloads]",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@common.store_option
@common.format_option()
@common.plugin_options
def command(
    older_than: str | None,
    max_size: str | None,
    kinds: tuple[str, ...],
    dry_run: bool,
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - no plugin has a part in this
    debug: bool,  # noqa: ARG001
) -> int:
    """Remove what is old, or too much, from the store; a run makes anew whatever it does not find.

    \b
    dnabench store prune --older-than 30d
    dnabench store prune --max-size 10G --kind embeddings,scratch

    Age counts from the last use: the last write or, where the file system keeps times of access (most do, to within a
    day; one mounted with noatime does not), the last read. What a process is at work on stays. So does what was used
    within the hour, unless --older-than is less, and within a day as long as any process is at work on the store.

    Files without a record, and what killed processes left, go after a day in any case. Sets of "dnabench data" never
    go, and downloads only when --kind names them.
    """  # noqa: D301 - click must find the character \b itself
    if older_than is None and max_size is None:
        raise UserError("nothing says what is to go: give --older-than 30d, --max-size 10G or both")
    seconds = common.parse_duration(older_than, "--older-than") if older_than is not None else None
    size = common.parse_size(max_size, "--max-size") if max_size is not None else None

    from dnabench import housekeeping, inventory
    from dnabench.cli.store import reports
    from dnabench.store import default_root

    chosen = _kinds(kinds, housekeeping.PRUNABLE) if kinds else inventory.MADE
    root = inventory.check(store_directory or default_root())
    pruned = housekeeping.prune(root, chosen, older_than=seconds, max_size=size, dry_run=dry_run)
    if pruned.refused and not pruned.removed:
        raise UserError(pruned.refused[0])
    for line in pruned.refused:
        common.warn(line)
    if pruned.spared:
        common.warn(f"{len(pruned.spared):,} more would go, but are in use or were of late")
    if size is not None and pruned.left > size:
        common.warn(f"{reports.size_text(pruned.left)} are left, more than --max-size {max_size}")
    reports.print_pruned(root, pruned, dry_run=dry_run, format=format)
    return ExitCode.SOME_FAILED if pruned.refused else ExitCode.DONE


def _kinds(texts: Iterable[str], prunable: tuple[str, ...]) -> list[str]:
    names = common.split_names(texts)
    if not names:
        raise UserError(f"--kind names no kind; it takes {', '.join(prunable)}")
    for name in names:
        if name == "data":
            raise UserError("--kind data: imported and fetched sets are yours and never pruned; leave it out")
        if name not in prunable:
            raise UserError(f"--kind {name}: nothing that can be pruned; {did_you_mean(name, prunable)}")
    return names
