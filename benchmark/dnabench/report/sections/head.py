"""The head: what was compared on what, who came out first, and what to mind, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnabench.report.sections.table import flags_of

if TYPE_CHECKING:
    from dnabench.report.collect import Run


@dataclass(frozen=True, kw_only=True)
class Head:
    """What stands on top.

    Attributes:
        facts: name and text of what was compared on what.
        verdict: who came out first, a sentence.
        more: further sentences: ties, what is at the floor, what is not ranked, what is blind.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    verdict: str
    more: Sequence[str]


def build(run: Run) -> Head:
    """The head of a run's report."""
    plan = run.plan
    values = sorted(part.partition("=")[2] for part in plan.slices)
    column = plan.slices[0].partition("=")[0] if plan.slices else ""
    facts = [
        ("Data", f"{plan.dataset}, {plan.length} bp, split {plan.split}"),
        *([(column.capitalize(), f"{len(values)}: {', '.join(values)}")] if values else []),
        (
            "Sequences",
            f"{plan.n_train:,} to train on; {plan.n_generated:,} generated against {plan.n_reference:,} real",
        ),
        ("Seeds", f"{', '.join(map(str, plan.seeds))}: each trained, sampled and scored anew"),
        ("Protocol", f"suite {plan.suite}, preset {plan.preset}, {plan.device}"),
    ]
    return Head(
        title=f"{plan.dataset}: {_count(len(run.generators), 'generator')}, {_count(len(run.metrics), 'metric')}",
        facts=facts,
        verdict=_verdict(run),
        more=[*_at_floor(run), *_missing(run), *_blind(run), *_notes(run)],
    )


def _verdict(run: Run) -> str:
    heard = [metric for metric in run.metrics if metric not in run.board.silent]
    if not heard:
        return "No generator could be ranked: no metric tells any control from real DNA here."
    if not run.ranked:
        return "No generator could be ranked: none has a score on every metric and seed."
    names = [row["generator"] for row in run.ranked if row["rank"] == 1]
    of = _count(len(run.ranked), "ranked generator")
    metrics = _count(len(heard), "metric")
    if len(run.ranked) == 1:
        return (
            f"{names[0]} is the only ranked generator: there is nothing to compare it with but the floor and controls."
        )
    if len(names) > 1:
        tell = f"{metrics} together do" if len(heard) > 1 else f"{metrics} does"
        return f"{_list(names)} share the first place of {of}: {tell} not tell them apart."
    return f"{names[0]} comes out first of {of}, by {metrics}."


def _at_floor(run: Run) -> list[str]:
    """What stands at the floor on how many metrics, of the ranked generators."""
    found = []
    for row in run.ranked:
        reached = sorted({flag.metric for flag in flags_of(row["flags"]) if flag.name == "at-floor"})
        if len(reached) == len(run.metrics):
            found.append(
                f"{row['generator']} stands at the floor on every metric: within the noise, nothing is better."
            )
        elif reached and row["rank"] == 1:
            found.append(
                f"{row['generator']} stands at the floor, where nothing is better within the noise, on "
                f"{len(reached)} of {_count(len(run.metrics), 'metric')}: {', '.join(reached)}."
            )
    return found


def _missing(run: Run) -> list[str]:
    """Generators without a rank for want of scores, and how each went wrong first."""
    sentences = []
    whole = run.whole
    for name in run.generators:
        rows = whole[whole["generator"] == name]
        lacking = rows[rows["status"] != "done"]
        if lacking.empty:
            continue
        row = lacking.iloc[0]
        why = f" (first {row['status']}: {_short(row['error'])})" if row["error"] else f" ({row['status']})"
        sentences.append(f"{name} is not ranked: {len(lacking)} of {_count(len(rows), 'score')} are missing{why}.")
    return sentences


def _blind(run: Run) -> list[str]:
    found = []
    if run.board.unchecked:
        each = [f"{name} ({_list(by)})" for name, by in run.board.unchecked.items()]
        found.append(
            f"May be blind, for want of scores of a control, or of intervals of a single seed: {'; '.join(each)}."
        )
    if run.board.blind:
        each = [f"{name} ({_list(by)})" for name, by in run.board.blind.items()]
        found.append(
            f"Blind in this run, because real DNA does not come out before a control: {'; '.join(each)}. "
            "Do not lean on these metrics alone."
        )
    return found + _silent(run)


def _silent(run: Run) -> list[str]:
    names = run.board.silent
    if not names:
        return []
    have = "has" if len(names) == 1 else "have"
    return [f"{_list(names)} {have} no voice in the ranks: no control comes out worse than real DNA."]


def _notes(run: Run) -> list[str]:
    known = {
        "other-data": "These are not the published data of the suite.",
        "random-split": "The split is random: test sequences may have near copies among the training sequences.",
    }
    return [known.get(flag, flag) for flag in run.plan.flags]


def _short(text: str, most: int = 160) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _list(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
