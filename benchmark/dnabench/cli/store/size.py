"""``dnabench store size``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("size")
@common.store_option
@common.format_option()
@common.plugin_options
def command(
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],  # noqa: ARG001 - no plugin has a part in this
    debug: bool,  # noqa: ARG001
) -> int:
    """Say what the store holds: for each kind the number of entries, their bytes, the oldest and newest last use.

    "other" is what dnabench did not make. Temporary files and locks count as bytes of their kind, not as entries.
    """
    from dnabench import inventory
    from dnabench.cli.store import reports
    from dnabench.store import default_root

    root = inventory.check(store_directory or default_root())
    reports.print_size(root, inventory.summary(inventory.scan(root)), format)
    return 0
