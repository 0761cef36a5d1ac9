"""``dnabench data split``."""

from __future__ import annotations

from pathlib import Path

import click

from dnabench import suites
from dnabench.cli import common
from dnabench.errors import UserError


@click.command("split")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|DIR|NAME...")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A directory to be made.")
@click.option(
    "--split",
    "method",
    type=click.Choice(suites.SPLIT_METHODS),
    default="groups",
    show_default=True,
    help="groups keeps relatives together; random does not, and every row of results will say so.",
)
@click.option(
    "--k",
    type=click.IntRange(min=1),
    default=suites.SplitRule.k,
    show_default=True,
    metavar="K",
    help="Sequences that share an exact k-mer on either strand are relatives.",
)
@click.option(
    "--fractions",
    default="80:10:10",
    show_default=True,
    metavar="T:V:E",
    help="Shares of train, validation and test.",
)
@common.length_option
@common.sequence_column_option
@common.store_option
@common.format_option("table", "json")
@common.plugin_options
def command(
    sources: tuple[str, ...],
    out: Path,
    method: str,
    k: int,
    fractions: str,
    length: int | None,
    sequence_column: str | None,
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Write train.fa.gz, validation.fa.gz, test.fa.gz and split.json.

    The latter says how they were made and what validation and test share with train.

    The same sequences are always split the same way. `dnabench run --dataset DIR` keeps the split.
    """
    common.show_warnings_as_lines()
    rule = suites.SplitRule(method=method, k=k, fractions=_fractions(fractions))
    catalog = common.load_catalog(blocked)
    from dnabench.cli.data import reports
    from dnabench.data import directories, source
    from dnabench.store import default_root

    directories.check_new(out)
    data = source.load(
        catalog,
        suites.load(suites.DEFAULT),
        store_directory or default_root(),
        dataset=sources,
        length=length,
        rule=rule,
        sequence_column=sequence_column,
    )
    about = directories.write_split(out, data)
    reports.print_split(about, out, format)
    return 0


def _fractions(text: str) -> tuple[float, float, float]:
    try:
        shares = [float(part) for part in text.split(":")]
    except ValueError:
        shares = []
    if len(shares) != 3 or not all(0 < share < float("inf") for share in shares):
        raise UserError(f"--fractions {text}: three positive numbers are needed, such as 80:10:10")
    train, validation, test = (share / sum(shares) for share in shares)
    return train, validation, test
