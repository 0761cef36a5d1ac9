"""``dnabench data fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dnabench.cli import common
from dnabench.errors import UserError


@click.command("fetch")
@click.argument("name")
@click.option(
    "--genome",
    "genomes",
    multiple=True,
    metavar="SPECIES=FILE",
    help="A genome to cut windows from, such as hs=hg38.fa.gz; repeatable. For data sets with an option genomes.",
)
@click.option(
    "--window", metavar="FIRST..LAST", help="bp around the TSS, which is 0. For data sets with an option window."
)
@common.set_option
@click.option("--name", "store_as", default="", help="Keep the set under another name.")
@click.option("--replace", is_flag=True, help="Fetch anew, in place of what is here.")
@common.store_option
@common.format_option("table", "json")
@common.plugin_options
def command(
    name: str,
    genomes: tuple[str, ...],
    window: str | None,
    assignments: tuple[str, ...],
    store_as: str,
    replace: bool,
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Bring a published data set, or a published file such as a model's weights, into the cache.

    What is downloaded is verified and resumed where it stopped; a cleaned set or a file is kept whole or not at all.

    \b
    dnabench data fetch epd-gendna
    dnabench data fetch mpra-dragonn
    dnabench data fetch epdnew --genome hs=hg38.fa.gz --genome mm=mm10.fa.gz --window=-205..50
    """  # noqa: D301 - click must find the character \b itself
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)
    catalog.dataset(name)
    settings: dict[str, dict[str, Any]] = {**common.parse_settings(assignments)}
    for other in settings.keys() - {name}:
        raise UserError(f"--set {other}.{next(iter(settings[other]))}: only options of {name} can be set here")
    given = settings.get(name, {})
    given |= {"genomes": genomes} if genomes else {}
    given |= {"window": window} if window is not None else {}

    from dnabench.cli.data import reports
    from dnabench.cli.progress import StageProgress
    from dnabench.data.fetching import fetch
    from dnabench.store import default_root

    with StageProgress() as progress:
        fetched = list(
            fetch(
                catalog,
                name,
                store_directory or default_root(),
                settings=given,
                progress=progress.stage,
                store_as=store_as,
                replace=replace,
            )
        )
    for about, was_here in fetched:
        report = reports.print_file if "path" in about else reports.print_stored
        report(about, was_here=was_here, format=format)
    return 0
