"""``dnabench data import``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|DIR...")
@click.option("--name", required=True, help="What --dataset will call it: lower-case words joined by hyphens.")
@click.option(
    "--length",
    type=click.IntRange(min=1),
    metavar="L",
    help="Keep the central L bp of every sequence.  [default: the most frequent length; others are dropped]",
)
@click.option("--keep-n", is_flag=True, help="Keep sequences that hold N.")
@click.option("--replace", is_flag=True, help="Take the place of another set of this name.")
@common.sequence_column_option
@common.store_option
@common.format_option("table", "json")
@common.plugin_options
def command(
    paths: tuple[Path, ...],
    name: str,
    length: int | None,
    keep_n: bool,
    replace: bool,
    sequence_column: str | None,
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Clean sequences and keep them under a name.

    Faulty records, other lengths, sequences with N and repetitions are left out and counted. The set is stored whole
    or not at all.
    """
    common.show_warnings_as_lines()
    from dnabench.cli.data import reports
    from dnabench.data.fetching import check_free_name
    from dnabench.data.read import read
    from dnabench.data.sets import Sets
    from dnabench.store import default_root

    check_free_name(common.load_catalog(blocked), name)
    reading = read(paths, sequence_column=sequence_column)
    reading.warn_of_faults()
    sequences, dropped = reading.clean(length=length, crop=length is not None, keep_n=keep_n)
    sets = Sets(store_directory or default_root())
    about = {"imported": [str(path) for path in paths], "dropped": dropped, "ambiguous_read_as_n": reading.ambiguous}
    stored = sets.put(name, sequences, about, replace=replace)
    reports.print_stored(sets.about(name), was_here=not stored, format=format)
    return 0
