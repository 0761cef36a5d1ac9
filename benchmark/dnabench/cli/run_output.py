"""What ``dnabench run`` prints: the plan of a dry run, or the leaderboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnabench import keys
from dnabench.identity import changes

if TYPE_CHECKING:
    from dnabench.identity import Identity
    from dnabench.plan import Cell, Plan
    from dnabench.runs import Outcome
    from dnabench.store import Store

# The part of a key that says whose it is: a cell is compared with what was stored of the same generator or metric.
_SUBJECT = {"train": "generator", "sample": "generator", "score": "metric", "floor": "metric"}


def print_plan(plan: Plan, identity: Identity, store: Store, format: str) -> None:
    """Every cell, whether the store has it, and if not, what is different from the nearest one that it has."""
    cells = list(_states(plan, identity, store))
    if format == "json":
        from dnabench.cli import render

        render.print_json({"plan": plan.to_json(), "cells": cells})
        return
    if format == "csv":
        from dnabench.leaderboard.facts import to_csv

        table = [cell | {"changed": "; ".join(cell["changed"])} for cell in cells]
        click.echo(to_csv(table, ("cell", "stored", "changed")), nl=False)
        return
    states = {True: "stored", False: "to do", None: "known once its sample is there"}
    width = max(len(cell["cell"]) for cell in cells)
    for cell in cells:
        why = f" ({'; '.join(cell['changed'])})" if cell["changed"] else ""
        click.echo(f"{cell['cell']:{width}s}  {states[cell['stored']]}{why}")


def _states(plan: Plan, identity: Identity, store: Store) -> Iterator[dict[str, Any]]:
    answers: dict[Cell, dict[str, Any]] = {}
    known: list[dict[str, Any]] | None = None
    for cell in plan.cells():
        state: dict[str, Any] = {"id": cell.id, "cell": str(cell), "stored": None, "changed": []}
        sample = answers.get(plan.needs(cell)[0], {}).get("sha256", "") if cell.kind == "score" else ""
        if cell.kind != "score" or sample:
            parts = json.loads(keys.canonical(identity.parts(cell, sample)))
            answer = store.cell(cell.kind, keys.key(cell.kind, parts))
            state["stored"] = answer is not None
            if answer is not None:
                answers[cell] = answer
            else:
                known = list(store.cells()) if known is None else known
                state["changed"] = _changes(cell.kind, parts, known)
        yield state


def _changes(kind: str, parts: dict[str, Any], known: list[dict[str, Any]]) -> list[str]:
    """How the parts differ from those of the most similar stored cell of this kind and subject; none without one."""
    subject = _SUBJECT[kind]
    others = [record["key"] for record in known if record["kind"] == kind]
    found = [changes(parts, other) for other in others if other.get(subject) == parts[subject]]
    return min(found, key=len, default=[])


def print_outcome(outcome: Outcome, plan: Plan, directory: Path, format: str) -> None:
    """The leaderboard, or the rows behind it, on stdout; where it lies on stderr."""
    from dnabench.cli import render
    from dnabench.cli.board import print_leaderboard
    from dnabench.leaderboard import facts

    if format == "csv":
        click.echo(facts.to_csv(outcome.board.facts, facts.COLUMNS), nl=False)
    elif format == "json":
        render.print_json(
            {"directory": str(directory), "leaderboard": outcome.board.rows, "results": outcome.board.facts}
        )
    else:
        title = (
            f"{plan.dataset} · {plan.length} bp · {plan.n_generated} generated against {plan.n_reference} held out · "
            f"{len(plan.seeds)} seed{'s' * (len(plan.seeds) > 1)} · preset {plan.preset}"
        )
        print_leaderboard(outcome.board, title)
        for note in _notes(plan, outcome):
            click.echo(note)
    click.echo(f"results are in {directory}", err=True)


def _notes(plan: Plan, outcome: Outcome) -> list[str]:
    """What the table does not hold: whose data these are, and what else was scored."""
    from dnabench.data.slices import ALL
    from dnabench.planning import OTHER_DATA, RANDOM_SPLIT

    notes = []
    if OTHER_DATA in plan.flags:
        notes.append(f"other-data: {plan.dataset} (sha256 {plan.dataset_sha256[:12]}...), not {plan.published[0]}")
    if RANDOM_SPLIT in plan.flags:
        notes.append("random-split: test sequences may have near copies among the training sequences")
    sliced = {row["slice"] for row in outcome.board.facts if row["slice"] != ALL and row["status"] == "done"}
    if sliced:
        notes.append(f"results.csv also holds the scores of {len(sliced)} slices, such as {min(sliced)}")
    return notes
