"""``dnabench score``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnabench import suites
from dnabench.cli import ExitCode, common
from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.sequences import SequenceSet


@click.command("score")
@click.argument("samples", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SAMPLES.fa [MORE.fa...]")
@click.option(
    "--reference",
    required=True,
    type=click.Path(path_type=Path),
    metavar="REAL.fa",
    help="Real sequences; every one is used.",
)
@click.option(
    "--train",
    type=click.Path(path_type=Path),
    metavar="TRAIN.fa",
    help="What the generator was trained on, for metrics that ask and for the floor.",
)
@click.option(
    "--metrics",
    "-m",
    multiple=True,
    metavar="NAME[@EMBEDDER][,...]",
    help="What to measure.  [default: those of the default suite]",
)
@common.length_option
@common.sequence_column_option
@common.set_option
@common.device_option
@common.store_option
@common.format_option()
@common.plugin_options
def command(
    samples: tuple[Path, ...],
    reference: Path,
    train: Path | None,
    metrics: tuple[str, ...],
    length: int | None,
    sequence_column: str | None,
    assignments: tuple[str, ...],
    device: str,
    store_directory: Path | None,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,
) -> int:
    """Score FASTA files of generated sequences against real ones; no plugin needed.

    The floor is real against real, the mean of three draws: training and reference sequences where --train is given,
    else one half of the reference against the other. On the normalised scale the floor is 0 and uniform random DNA 1.
    """
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)

    from dnabench.data.formats import stem
    from dnabench.data.read import read
    from dnabench.numerics import choose_device
    from dnabench.planning.metrics import check_settings, names_of, plan_metrics
    from dnabench.sample_scores import score_samples
    from dnabench.store import Store, default_root

    settings = common.parse_settings(assignments)
    chosen_device = choose_device(device)
    names = common.split_names(metrics) or suites.load(suites.DEFAULT).metrics
    chosen = plan_metrics(catalog, names, settings, chosen_device)
    check_settings(catalog, settings, names_of(chosen))

    def load(path: Path) -> SequenceSet:
        return read([path], sequence_column=sequence_column).to_set(length=length)

    real = load(reference)
    training = load(train) if train else None
    generated = {stem(path): load(path) for path in samples}
    if len(generated) < len(samples):
        raise UserError("two of the sample files have the same name without its ending; rename one")
    others = [(path, generated[stem(path)]) for path in samples] + ([(train, training)] if train and training else [])
    for path, sequences in others:
        if sequences.length != real.length:
            raise UserError(
                f"{path}: sequences have {sequences.length} bases, those of {reference} have {real.length}; "
                f"--length {min(sequences.length, real.length)} would crop both"
            )
    with common.stdout_for_results():
        rows = score_samples(
            catalog,
            generated,
            chosen,
            real=real,
            training=training,
            dataset=stem(reference),
            device=chosen_device,
            store=Store.open(store_directory or default_root()),
            debug=debug,
        )
    _print(rows, format)
    return ExitCode.SOME_FAILED if any(row["status"] == "failed" for row in rows) else ExitCode.DONE


def _print(rows: list[Row], format: str) -> None:
    from dnabench.cli import render
    from dnabench.leaderboard import facts

    if format == "csv":
        click.echo(facts.to_csv(rows, facts.COLUMNS), nl=False)
    elif format == "json":
        render.print_json([{column: row[column] for column in facts.COLUMNS} for row in rows])
    else:
        render.print_scores(rows)
