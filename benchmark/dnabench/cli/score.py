"""``dnabench score``."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnabench import suites
from dnabench.cli import ExitCode, common
from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.cli.real_pairs import RealPairs
    from dnabench.leaderboard.facts import Row
    from dnabench.plan import PlannedMetric
    from dnabench.plugins import Catalog
    from dnabench.scoring import Scorer
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

    import torch

    from dnabench.cli.real_pairs import RealPairs, uniform
    from dnabench.data.formats import stem
    from dnabench.data.read import read
    from dnabench.keys import package_digest
    from dnabench.numerics import make_deterministic
    from dnabench.planning import check_metric, check_settings, names_of, plan_metrics
    from dnabench.scoring import Scorer
    from dnabench.store import Store, default_root

    settings = common.parse_settings(assignments)
    chosen = plan_metrics(catalog, common.split_names(metrics) or suites.load(suites.DEFAULT).metrics, settings)
    check_settings(catalog, settings, names_of(chosen))
    make_deterministic()
    chosen_device = common.choose_device(device)

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
    for metric in chosen:
        for sequences in generated.values():
            check_metric(catalog, metric, len(sequences), len(real), real.length)
    scorer = Scorer(
        catalog,
        Store.open(store_directory or default_root()),
        device=chosen_device,
        threads=torch.get_num_threads(),
        core=package_digest("dnabench"),
        train=training,
        progress=lambda *_: None,
    )
    scorer.digests(chosen, real.length)
    pairs = RealPairs(real, training)
    noise = functools.cache(lambda n: uniform(n, real))
    with common.stdout_for_results():
        rows = [
            row
            for name, sequences in sorted(generated.items())
            for metric in chosen
            for row in _rows(catalog, scorer, metric, name, sequences, real, pairs, noise, stem(reference), debug=debug)
        ]
    _print(rows, format)
    return ExitCode.SOME_FAILED if any(row["status"] == "failed" for row in rows) else ExitCode.DONE


def _rows(
    catalog: Catalog,
    scorer: Scorer,
    metric: PlannedMetric,
    name: str,
    generated: SequenceSet,
    real: SequenceSet,
    pairs: RealPairs,
    noise: Callable[[int], SequenceSet],
    dataset: str,
    *,
    debug: bool,
) -> list[Row]:
    from dnabench.leaderboard.facts import score_rows
    from dnabench.leaderboard.scale import normalised

    common_values: dict[str, Any] = {
        "suite": "custom",
        "dataset": dataset,
        "dataset_sha256": real.digest,
        "slice": "all",
        "generator": name,
        "options": "{}",
        "seed": 0,
        "n_generated": len(generated),
        "n_reference": len(real),
        "status": "done",
    }
    try:
        record, _ = scorer.score(metric, generated=generated, reference=real, dataset=real.digest, repeat=0)
        floor = _floor(catalog, scorer, metric, len(generated), real, pairs)
        useless, _ = scorer.score(
            metric, generated=noise(len(generated)), reference=real, dataset=real.digest, repeat=0
        )
    except UserError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's metric may raise anything
        if debug:
            traceback.print_exc(file=sys.stderr)
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return list(score_rows(metric, {}, {}, common_values | {"status": "failed", "error": text}))
    rows = list(score_rows(metric, record, floor, common_values))
    scaled = normalised(rows[0], useless)
    return [*rows, scaled] if scaled else rows


def _floor(
    catalog: Catalog,
    scorer: Scorer,
    metric: PlannedMetric,
    n: int,
    real: SequenceSet,
    pairs: RealPairs,
) -> dict[str, Any]:
    """The mean score record of real sequences, in place of ``n`` generated ones, against real ones.

    Empty where there are too few.
    """
    from dnabench.planning import check_metric
    from dnabench.scoring import mean_record

    # A metric that looks at the training sequences would find these among them.
    records = []
    for pair in pairs.of(n, use_training=not catalog.metric(metric.name).spec.needs_train):
        first, second = pair.sides
        try:
            check_metric(catalog, metric, len(first), len(second), real.length)
        except UserError:
            return {}
        record, _ = scorer.score(
            metric, generated=first, reference=second, dataset=real.digest, repeat=0, wholes=pair.origins()
        )
        records.append(record)
    return mean_record(records)


def _print(rows: list[Row], format: str) -> None:
    from dnabench.cli import render
    from dnabench.leaderboard import facts

    if format == "csv":
        click.echo(facts.to_csv(rows, facts.COLUMNS), nl=False)
    elif format == "json":
        render.print_json(rows)
    else:
        render.print_scores(rows)
