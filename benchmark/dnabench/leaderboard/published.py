"""Putting a run's facts beside those that are published already, and deriving the table anew."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dnabench.errors import UserError
from dnabench.leaderboard import directory as directories
from dnabench.leaderboard import facts, names, protocol, publication, reading
from dnabench.leaderboard.scores import whole_facts
from dnabench.orders import DONE, SKIPPED

if TYPE_CHECKING:
    from dnabench.leaderboard.directory import Published
    from dnabench.leaderboard.facts import Row
    from dnabench.plan import Plan

_THIS_RUN = "this run"


def check_plan(directory: Path, plan: Plan, digests: Mapping[str, Sequence[str]] | None = None) -> None:
    """UserError, before anything is computed, where the facts of a run by ``plan`` could not be published there.

    That is where the directory is damaged or cannot be written, where facts that would stay were measured by another
    protocol, as far as the plan knows its own, and where the table could not be derived from its facts again. Seeds and
    metrics that one side lacks are warned of.

    Args:
        digests: metric label -> those of the files behind it and behind its embedder
            (:class:`dnabench.identity.Identity`).
    """
    mine = [generator.name for generator in plan.generators]
    directories.check_writable(directory)
    path = directories.table_path(directory, plan.suite)
    for name in mine:
        directories.facts_path(directory, plan.suite, name)
    if plan.controls != directories.controls_of(directories.suite_of(directory, plan.suite)):
        raise UserError(
            f"{directory}: nothing there says which controls {plan.suite} has, and the table follows from them; copy "
            f"the suite's file to {directory / plan.suite}.toml"
        )
    known = directories.load(directory, plan.suite, plan.kinds)
    kept = [row for row in known.facts if row["generator"] not in mine]
    names.check_distinct({*known.kinds, *mine}, directory / plan.suite)
    protocol.check(protocol.planned(plan, digests or {}), kept, path, _THIS_RUN)
    _warn_of_gaps(plan, whole_facts(kept), path)


def _warn_of_gaps(plan: Plan, kept: Sequence[Row], path: Path) -> None:
    """Warn where seeds or metrics are not the same: what lacks a score that others have carries no rank."""
    both = (
        ("seed", {str(seed) for seed in plan.seeds}, {str(row["seed"]) for row in kept}),
        ("metric", {metric.label for metric in plan.metrics}, {row["metric"] for row in kept}),
    )
    for what, mine, theirs in both if kept else ():
        if more := sorted(mine - theirs):
            warnings.warn(
                f"{path}: nobody there has {what} {', '.join(more)}: beside this run's facts all others will be "
                "incomplete and lose their ranks",
                stacklevel=3,
            )
        if less := sorted(theirs - mine):
            warnings.warn(
                f"{path}: others have {what} {', '.join(less)}, which this run lacks: its generators will be "
                "incomplete and carry no rank",
                stacklevel=3,
            )


def publish_facts(
    directory: Path, suite: str, rows: Sequence[Row], kinds: Mapping[str, str], flags: Sequence[str] = ()
) -> Path:
    """Put a run's facts beside those that lie in ``directory`` already, and derive the table anew; returns its path.

    The facts of a generator that is there already are replaced by the run's, unless it failed: then they stay, with a
    warning. Several processes may publish at once. UserError, before anything is written, when facts that stay were
    measured by another protocol than the run's: such scores are never ranked together.
    """
    path = directories.table_path(directory, suite)
    with publication.held(directory, suite):
        failed = {row["generator"] for row in rows if row["status"] not in (DONE, SKIPPED)}
        for name in sorted(failed):
            if (there := directories.facts_path(directory, suite, name)).exists():
                warnings.warn(f"{there}: {name} failed in this run, and its earlier facts stay", stacklevel=2)
                rows = [row for row in rows if row["generator"] != name]
        mine = list(dict.fromkeys(row["generator"] for row in rows))
        texts = {
            directories.facts_path(directory, suite, name): facts.to_csv(
                (row for row in rows if row["generator"] == name), facts.COLUMNS
            )
            for name in mine
        }
        known = directories.load_held(directory, suite, kinds)
        kept = [row for row in known.facts if row["generator"] not in mine]
        names.check_distinct({*known.kinds, *mine}, directory / suite)
        protocol.check(rows, kept, path, _THIS_RUN)
        together = dataclasses.replace(
            known,
            facts=sorted([*kept, *rows], key=facts.order),
            kinds={**known.kinds, **{name: kinds[name] for name in mine}},
            flags=tuple(flags),
        )
        publication.write(directory, suite, {**texts, path: together.text()})
    return path


def build(directory: Path) -> list[Published]:
    """Derive all tables of a directory anew from its facts. UserError, and nothing written, where facts are damaged."""
    found = directories.suites_in(directory)
    for suite in found:
        with publication.held(directory, suite):
            directories.load_held(directory, suite)
    built = []
    for suite in found:
        with publication.held(directory, suite):
            known = directories.load_held(directory, suite)
            text = known.text()
            publication.write(directory, suite, {directories.table_path(directory, suite): text})
        built.append(dataclasses.replace(known, there=text))
    return built


def difference(known: Published) -> str:
    """How the table that is there differs from its facts: empty where it does not."""
    return "is missing" if known.there is None else reading.first_difference(known.there, known.text())
