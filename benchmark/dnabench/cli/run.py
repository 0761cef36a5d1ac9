"""``dnabench run``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnabench import suites
from dnabench.cli import ExitCode, common
from dnabench.errors import UserError
from dnabench.plan import PRESETS

if TYPE_CHECKING:
    from dnabench.data.source import Data
    from dnabench.plan import Plan
    from dnabench.plugins import Catalog
    from dnabench.runs import Outcome
    from dnabench.suites import Suite


@click.command("run")
@click.option(
    "--generator",
    "-g",
    "generators",
    multiple=True,
    required=True,
    metavar="NAME[,NAME...]",
    help="Generators to compare; repeatable; 'all' for every one that is no control.",
)
@click.option(
    "--metrics",
    "-m",
    "metrics",
    multiple=True,
    metavar="NAME[@EMBEDDER][,...]",
    help="What to measure.  [default: the suite's]",
)
@click.option("--suite", "suite_name", default=suites.DEFAULT, show_default=True, help="A frozen protocol.")
@click.option(
    "--dataset",
    metavar="NAME|FILE|DIR",
    help="Your own data under the default protocol: FASTA, a directory of FASTA, or a dataset plugin.",
)
@click.option("--seeds", metavar="0,1,2 | 0-4", help="Repeats: each trains and samples anew.  [default: the suite's]")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    metavar="N",
    help="Sequences on each side of a comparison.  [default: the suite's, or as many as are held out]",
)
@click.option("--length", type=click.IntRange(min=1), metavar="L", help="Crop sequences to their central L bp.")
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
@click.option("--out", type=click.Path(path_type=Path), help="The run directory.  [default: runs/<UTC time>-<suite>]")
@common.store_option
@click.option("--fresh/--resume", help="Compute everything anew, or reuse finished work.  [default: resume]")
@click.option("--no-controls", is_flag=True, help="Leave the suite's controls out.")
@click.option("--dry-run", is_flag=True, help="Print the plan and which samples the store holds; run nothing.")
@click.option("--format", "format", type=click.Choice(common.FORMATS), default="table", show_default=True)
@common.plugin_options
def command(
    generators: tuple[str, ...],
    metrics: tuple[str, ...],
    suite_name: str,
    dataset: str | None,
    seeds: str | None,
    samples: int | None,
    length: int | None,
    preset: str,
    assignments: tuple[str, ...],
    config: Path | None,
    device: str,
    out: Path | None,
    store_directory: Path | None,
    fresh: bool,
    no_controls: bool,
    dry_run: bool,
    format: str,
    blocked: tuple[str, ...],
    debug: bool,
) -> int:
    r"""Train, sample and score generators on the same data, splits and seeds; write a leaderboard.

    \b
    dnabench run --generator discdiff --metrics fred,mmd
    dnabench run -g discdiff,gan,markov --dataset promoters.fa.gz --seeds 0-4 --out runs/mine
    """
    common.show_warnings_as_lines()
    catalog = common.load_catalog(blocked)
    suite = suites.load(suite_name)
    names = _generator_names(catalog, generators)
    chosen_metrics = common.split_names(metrics) or list(suite.metrics)
    chosen_seeds = list(suite.seeds) if seeds is None else common.parse_seeds(seeds)
    settings = _settings(config, assignments)
    if not names:
        click.echo("dnabench: nothing to run: no generator is installed that 'all' could stand for", err=True)
        return ExitCode.NOTHING_TO_RUN
    _check_names(catalog, names, chosen_metrics)

    from dnabench import runs
    from dnabench.cell import CellRunner, make_deterministic
    from dnabench.cli.progress import RunProgress
    from dnabench.plan import controls_of, plan_run
    from dnabench.store import Store, default_root

    make_deterministic()
    store = Store(store_directory or default_root(), fresh=fresh)
    chosen_device = common.choose_device(device)
    with common.stdout_for_results():
        data = _load(catalog, suite, dataset, length, settings)
    plan = plan_run(
        catalog,
        suite,
        data,
        own_data=dataset is not None,
        generators=names,
        metrics=chosen_metrics,
        seeds=chosen_seeds,
        samples=samples,
        preset=preset,
        device=chosen_device,
        settings=settings,
        controls=not no_controls,
    )
    progress = RunProgress(len(list(plan.cells())))
    runner = CellRunner(catalog, plan, data, store, device=chosen_device, progress=progress.stage, debug=debug)
    if dry_run:
        _print_plan(plan, runner, format)
        return ExitCode.DONE
    with progress, common.stdout_for_results():
        directory = out or runs.default_directory(plan.dataset if dataset else suite_name)
        runs.open_directory(directory, plan)
        outcome = runs.execute(
            plan, runner, catalog, directory, controls=controls_of(suite, plan), finished=progress.finished
        )
    _print(outcome, plan, directory, format)
    return ExitCode.SOME_FAILED if outcome.failed else ExitCode.DONE


def _generator_names(catalog: Catalog, texts: tuple[str, ...]) -> list[str]:
    from dnabench.specs import GeneratorSpec

    names = common.split_names(texts)
    if not names:
        raise UserError("--generator names no generator")
    if "all" in names:
        names += [offer.spec.name for offer in catalog.all(GeneratorSpec) if offer.spec.kind != "control"]
    return [name for name in names if name != "all"]


def _check_names(catalog: Catalog, generators: list[str], metrics: list[str]) -> None:
    """Look names up before any data is loaded, so that a slip of the pen is answered at once."""
    for name in generators:
        catalog.generator(name)
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


def _load(
    catalog: Catalog, suite: Suite, dataset: str | None, length: int | None, settings: dict[str, dict[str, Any]]
) -> Data:
    """The data of the suite, or the user's own: a path where there is one, else a dataset plugin.

    The options of a dataset plugin are taken out of ``settings``.
    """
    from dnabench import options
    from dnabench.data import source
    from dnabench.plugins import construct

    if dataset is not None and (Path(dataset).exists() or _looks_like_path(dataset)):
        return source.load_file(Path(dataset), suite, length=length)
    name = dataset or suite.dataset
    spec = catalog.dataset(name).spec
    frozen = {} if dataset else suite.dataset_options
    given = settings.pop(name, {})
    if not dataset and given:
        raise UserError(f"option {name}.{next(iter(given))}: the data of a suite are frozen; --dataset {name} is not")
    built = options.build(spec.options, name, frozen, given)
    with tempfile.TemporaryDirectory() as scratch:
        return source.load_plugin(
            name,
            construct(spec, built),
            suite,
            length=length or (None if dataset else suite.length),
            scratch=Path(scratch),
        )


def _looks_like_path(text: str) -> bool:
    from dnabench.data.fasta import ENDINGS

    return "/" in text or text.lower().endswith(ENDINGS)


def _print_plan(plan: Plan, runner: Any, format: str) -> None:
    from dnabench.cli import render

    cells = [{"cell": str(cell), "stored": runner.is_stored(cell)} for cell in plan.cells()]
    if format == "json":
        render.print_json({"plan": plan.to_json(), "cells": cells})
        return
    states = {True: "stored", False: "to do", None: "known once its sample is there"}
    if format == "csv":
        from dnabench.leaderboard.facts import to_csv

        click.echo(to_csv(cells, ("cell", "stored")), nl=False)
        return
    for cell in cells:
        click.echo(f"{cell['cell']:50s} {states[cell['stored']]}")


def _print(outcome: Outcome, plan: Plan, directory: Path, format: str) -> None:
    from dnabench.cli import render
    from dnabench.leaderboard import facts

    if format == "csv":
        click.echo(facts.to_csv(outcome.rows, facts.COLUMNS), nl=False)
    elif format == "json":
        render.print_json({"directory": str(directory), "leaderboard": outcome.leaderboard, "results": outcome.rows})
    else:
        directions = {metric.label: metric.direction for metric in plan.metrics}
        title = (
            f"{plan.dataset} · {plan.length} bp · {plan.n_generated} generated against {plan.n_reference} held out · "
            f"{len(plan.seeds)} seed{'s' * (len(plan.seeds) > 1)} · preset {plan.preset}"
        )
        render.print_leaderboard(outcome.leaderboard, directions, facts.mean_floors(outcome.rows), title)
    click.echo(f"results are in {directory}", err=True)
