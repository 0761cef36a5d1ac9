"""``dnabench data info``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnabench import suites
from dnabench.cli import common

if TYPE_CHECKING:
    from dnabench.data.split import Split
    from dnabench.plugins import Catalog


@click.command("info")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|DIR|NAME...")
@click.option(
    "--split",
    "method",
    type=click.Choice(suites.SPLIT_METHODS),
    default="groups",
    show_default=True,
    help="The split whose leaks are looked for, where the files are not split already.",
)
@common.length_option
@common.sequence_column_option
@common.store_option
@common.format_option("table", "json")
@common.plugin_options
def command(
    sources: tuple[str, ...],
    method: str,
    length: int | None,
    sequence_column: str | None,
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Describe sequences: number, lengths, letters, GC, N, duplicates, labels, groups of relatives, leaks of a split.

    Faulty records are named, and left out of all else. Sequences of several lengths are described as far as that goes;
    --length crops them.
    """
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)
    from dnabench.cli.data import reports
    from dnabench.store import default_root

    rule = suites.SplitRule(method=method)
    root = store_directory or default_root()
    reports.print_info(_describe(catalog, sources, root, rule, length, sequence_column), format)
    return 0


def _describe(
    catalog: Catalog,
    sources: tuple[str, ...],
    root: Path,
    rule: suites.SplitRule,
    length: int | None,
    sequence_column: str | None,
) -> dict[str, Any]:
    from dnabench.data import directories, info, source
    from dnabench.data.splitting import split_of
    from dnabench.errors import UserError

    about: dict[str, Any] = {"name": "+".join(sources)}
    parts: Split | None = None
    if source.are_files(sources):
        reading, parts = source.open_files([Path(text) for text in sources], sequence_column)
        reading.warn_of_faults()
        if not len(reading):
            raise UserError(f"{about['name']}: no record can be read; the first fault: {reading.faults[0]}")
        about |= info.describe_reading(reading)
        if length is None and len(about["lengths"]) > 1:
            return about
        sequences = reading.without_faults().to_set(length=length)
    else:
        sequences = source.own(catalog, root, sources, length, {}, None).sequences
    about |= info.describe_set(sequences, k=rule.k)
    if parts is not None:
        protocol = directories.given_protocol(Path(sources[0]))
    else:
        try:
            parts, protocol = split_of(sequences, rule, root), rule.protocol
        except UserError as error:
            common.warn(str(error))
            return about
    named = {name: sequences.take(rows) for name, rows in parts._asdict().items()}
    return about | {"split": info.describe_split(named, protocol)}
