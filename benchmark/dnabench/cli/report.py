"""``dnabench report``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench.cli import common


@click.command("report")
@click.argument("directory", type=click.Path(path_type=Path), metavar="RUN_DIR")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), metavar="FILE", help="The page.  [default: RUN_DIR/report.html]"
)
@click.option(
    "--figures",
    type=click.Choice(("pdf", "svg", "png")),
    help="Also write every figure for papers, into figures/ beside the page.",
)
@click.option(
    "--tss",
    type=click.IntRange(min=0),
    metavar="INDEX",
    help="Where the transcription start site is, from 0.  [default: as the suite or the label range=-205..50 says]",
)
@common.store_option
@common.plugin_options
def command(
    directory: Path,
    output: Path | None,
    figures: str | None,
    tss: int | None,
    store_directory: Path | None,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Write the report of a run anew: one page that needs no network, and figures for papers.

    A run writes report.html itself. Real sequences and embeddings are taken from the store; what is not there any more
    is left out, and the page says so.
    """
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)

    from dnabench import report
    from dnabench.store import Store, default_root

    store = Store(store_directory or default_root())
    click.echo(report.write(directory, store, catalog, output=output, tss=tss, figures=figures))
    return 0
