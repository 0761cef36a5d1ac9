"""``dnabench run``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnabench import suites
from dnabench.cli import ExitCode, common
from dnabench.cli.run_options import execution_options, parse_pythons, parse_retry
from dnabench.errors import UserError
from dnabench.planning import PRESETS

if TYPE_CHECKING:
    from dnabench.plugins import Catalog
    from dnabench.specs import GeneratorSpec


@click.command("run")
@click.option(
    "--generator",
    "-g",
    "generators",
    multiple=True,
    required=True,
    metavar="NAME[=VALUE][,...]",
    help="Generators to compare; repeatable; 'all': all but controls and those that need --set; markov=3: a variant.",
)
@click.option(
    "--metrics",
    "-m",
    "metrics",
    multiple=True,
    metavar="NAME[@EMBEDDER][,...]",
    help="What to measure.  [default: the suite's]",
)
@click.option(
    "--suite",
    "suite_name",
    default=suites.DEFAULT,
    show_default=True,
    metavar="NAME|FILE.toml",
    help="A frozen protocol, or a file of your own.",
)
@click.option(
    "--data",
    "data_directory",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Take the suite's data from here; every line of the leaderboard says if they are not the published ones.",
)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME|FILE|DIR",
    help="Your own data under the suite's protocol: FASTA, CSV, TSV, Parquet, a directory of them, a stored set or a "
    "dataset plugin; files are repeatable.",
)
@common.sequence_column_option
@click.option(
    "--split",
    "split_method",
    type=click.Choice(suites.SPLIT_METHODS),
    help="random ignores relatives, and every line says so.  [default: the suite's]",
)
@click.option("--seeds", metavar="0,1,2 | 0-4", help="Repeats: each trains and samples anew.  [default: the suite's]")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    metavar="N",
    help="Sequences on each side of a comparison.  [default: the suite's, or as many as are held out]",
)
@common.length_option
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    default="quick",
    show_default=True,
    help="Training effort: quick is for two CPU cores and minutes.",
)
@common.set_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Plugin options from a TOML file, a table per plugin; --set wins over it.",
)
@common.device_option
@execution_options
@click.option("--out", type=click.Path(path_type=Path), help="The run directory.  [default: runs/<UTC time>-<suite>]")
@click.option(
    "--leaderboard",
    "leaderboard",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also publish there: facts in DIR/SUITE/GENERATOR.csv, beside those of earlier runs, and DIR/SUITE.csv.",
)
@common.store_option
@click.option("--fresh/--resume", help="Compute everything anew, or reuse finished work.  [default: resume]")
@click.option("--no-controls", is_flag=True, help="Leave the suite's controls out.")
@click.option(
    "--dry-run", is_flag=True, help="Print every cell, whether the store has it, and what changed if not; run nothing."
)
@common.format_option()
@common.plugin_options
def command(
    generators: tuple[str, ...],
    metrics: tuple[str, ...],
    suite_name: str,
    data_directory: Path | None,
    datasets: tuple[str, ...],
    sequence_column: str | None,
    split_method: str | None,
    seeds: str | None,
    samples: int | None,
    length: int | None,
    preset: str,
    assignments: tuple[str, ...],
    config: Path | None,
    device: str,
    jobs: int | None,
    threads: int,
    engine: str,
    timeout: str | None,
    memory: str | None,
    max_failures: int | None,
    retry: str,
    checkpoint_every: str,
    pythons: tuple[str, ...],
    anonymous: bool,
    out: Path | None,
    leaderboard: Path | None,
    store_directory: Path | None,
    fresh: bool,
    no_controls: bool,
    dry_run: bool,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,
) -> int:
    """Train, sample and score generators on the same data, splits and seeds; write a leaderboard.

    \b
    dnabench run --generator discdiff --metrics fred,mmd
    dnabench run -g discdiff,gan,markov --dataset promoters.fa.gz --seeds 0-4 --out runs/mine
    """  # noqa: D301 - click must find the character \b itself
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)
    suite = suites.load(suite_name)
    settings = _settings(config, assignments)
    interpreters = parse_pythons(pythons)
    names = _generator_names(catalog, generators, settings)
    chosen_metrics = common.split_names(metrics) or list(suite.metrics)
    chosen_seeds = list(suite.seeds) if seeds is None else common.parse_seeds(seeds)
    if not names:
        click.echo("dnabench: nothing to run: no generator is installed that 'all' could stand for", err=True)
        return ExitCode.NOTHING_TO_RUN
    _check_names(catalog, [name for name in names if name.partition("=")[0] not in interpreters], chosen_metrics)

    from dnabench.engines.sandbox import Limits
    from dnabench.host import open_host

    limits = Limits(
        seconds=common.parse_duration(timeout, "--timeout") if timeout else None,
        memory=common.parse_size(memory, "--memory") if memory else None,
    )
    checkpoint_seconds = common.parse_duration(checkpoint_every, "--checkpoint-every")
    retried = parse_retry(retry)

    from dnabench.cli.run_output import print_outcome, print_plan
    from dnabench.cli.run_progress import RunProgress
    from dnabench.running import Request, Run
    from dnabench.store import Store, default_root

    store = Store.open(store_directory or default_root(), fresh=fresh)
    request = Request(
        catalog=catalog,
        suite=suite,
        generators=names,
        metrics=chosen_metrics,
        seeds=chosen_seeds,
        settings=settings,
        datasets=datasets,
        data_directory=data_directory,
        sequence_column=sequence_column,
        split_method=split_method,
        samples=samples,
        length=length,
        preset=preset,
        threads=threads,
        controls=not no_controls,
        leaderboard=leaderboard,
        blocked=blocked,
        pythons=interpreters,
    )
    host = open_host(engine, device, jobs=jobs, threads=threads, limits=limits)
    with common.ended_like_ctrl_c(), host, common.stdout_for_results():
        run = Run(request, host, store)
        directory = out or run.default_directory()
        if not dry_run:
            with RunProgress(run.plan, verbose=debug) as progress:
                outcome = run.carry_out(
                    directory,
                    progress,
                    retried=retried,
                    max_failures=max_failures,
                    checkpoint_seconds=checkpoint_seconds,
                    anonymous=anonymous,
                )
    if dry_run:
        print_plan(run.plan, run.identity, store, format)
        return ExitCode.DONE
    print_outcome(outcome, run.plan, directory, format)
    return ExitCode.SOME_FAILED if outcome.failed else ExitCode.DONE


def _generator_names(catalog: Catalog, texts: tuple[str, ...], settings: Mapping[str, object]) -> list[str]:
    """The names, ``all`` resolved: what is ranked, but for generators that need settings and are given none."""
    from dnabench.specs import GeneratorSpec

    names = common.split_names(texts)
    if not names:
        raise UserError("--generator names no generator")
    if "all" in names:
        ranked = [offer.spec for offer in catalog.all(GeneratorSpec) if offer.spec.kind != "control"]
        names += [spec.name for spec in ranked if spec.name in settings or _has_defaults(spec)]
    return [name for name in names if name != "all"]


def _has_defaults(spec: GeneratorSpec) -> bool:
    from dnabench import options

    try:
        options.build(spec.options, spec.name)
    except UserError:
        return False
    return True


def _check_names(catalog: Catalog, generators: list[str], metrics: list[str]) -> None:
    """Look names up before any data is loaded, so that a slip of the pen is answered at once."""
    from dnabench.planning.generators import find_generator

    for text in generators:
        find_generator(catalog, text)
    for text in metrics:
        name, _, embedder = text.partition("@")
        catalog.metric(name)
        if embedder:
            catalog.embedder(embedder)


def _settings(config: Path | None, assignments: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    if config is not None:
        import tomllib

        try:
            table = tomllib.loads(config.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{config}: cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UserError(f"{config}: not TOML: {error}") from None
        for name, values in table.items():
            if not isinstance(values, dict):
                raise UserError(f"{config}: {name!r} is no table; write [PLUGIN] and OPTION = VALUE below it")
            settings[name] = dict(values)
    for name, assigned in common.parse_settings(assignments).items():
        settings.setdefault(name, {}).update(assigned)
    return settings
