"""A card for each metric: what it measures, its scores by generator and seed, and the table it made for plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from dnabench.report.plots import Figure, Mark, Panel, Series, rounded
from dnabench.report.sections import details

if TYPE_CHECKING:
    from dnabench.report.collect import Run


@dataclass(frozen=True, kw_only=True)
class Card:
    """A metric.

    Attributes:
        facts: name and text.
        summary: what it measures; empty where its plugin is not installed.
    """

    id: str
    metric: str
    summary: str
    facts: Sequence[tuple[str, str]]
    figures: Sequence[Figure]


def build(run: Run) -> list[Card]:
    """The cards of all metrics that have a score."""
    cards = []
    for number, metric in enumerate(run.metrics):
        rows = run.whole[run.whole["metric"] == metric]
        if rows["value"].notna().any():
            figures = [_scores(run, metric, rows, f"scores-{number}"), *details.figures(run, metric, number)]
            cards.append(
                Card(
                    id=f"metric-{number}",
                    metric=metric,
                    summary=_summary(run, metric),
                    facts=_facts(run, metric, rows),
                    figures=figures,
                )
            )
    return cards


def _summary(run: Run, metric: str) -> str:
    if run.catalog is None:
        return ""
    try:
        return run.catalog.metric(run.plan.metric(metric).name).spec.summary.replace("`", "")
    except LookupError:
        return ""
    except Exception:  # noqa: BLE001 - a plugin that is gone or broken is no reason to have no report
        return ""


def _facts(run: Run, metric: str, rows: pd.DataFrame) -> list[tuple[str, str]]:
    planned = run.plan.metric(metric)
    better = "lower is better" if planned.direction == "lower" else "higher is better"
    digests = sorted({digest for digest in rows["embedder_sha256"] if digest})
    embedder = f"{planned.embedder} version {planned.embedder_version}" if planned.embedder else ""
    made = f"sha256 {digests[0][:12]}…" if len(digests) == 1 else f"{len(digests)} fits" if digests else ""
    options = ", ".join(f"{name}={value}" for name, value in sorted(planned.options.items()) if value not in ("", None))
    facts = [
        ("Direction", better),
        ("Version", f"{planned.version}, {planned.distribution}"),
        ("Embedder", ", ".join(filter(None, (embedder, made)))),
        ("Options", options),
    ]
    return [(name, text) for name, text in facts if text]


def _scores(run: Run, metric: str, rows: pd.DataFrame, name: str) -> Figure:
    names = [generator for generator in run.generators if generator in set(rows["generator"])]
    series = []
    for kind in ("model", "baseline", "control"):
        chosen = [generator for generator in names if run.kind(generator) == kind]
        points = rows[rows["generator"].isin(chosen) & rows["value"].notna()]
        if points.empty:
            continue
        series.append(
            Series(
                name=f"{kind}, one seed",
                role=kind,
                shape="points",
                x=rounded(points["value"]),
                y=list(points["generator"]),
                low=rounded(points["ci_low"]),
                high=rounded(points["ci_high"]),
                text=[
                    f"seed {row.seed:.0f}: {_interval(row.value, row.ci_low, row.ci_high)}"
                    for row in points.itertuples()
                ],
                faint=True,
            )
        )
        means = [run.rows[generator] for generator in chosen if run.score(generator, metric) is not None]
        series.append(
            Series(
                name=f"{kind}, mean",
                role=kind,
                shape="points",
                x=rounded(row[metric] for row in means),
                y=[row["generator"] for row in means],
                text=[
                    f"mean over seeds: {_interval(*(row[metric + end] for end in ('', '_ci_low', '_ci_high')))}"
                    for row in means
                ],
            )
        )
    marks = []
    if (floor := run.board.floors[metric]) is not None:
        marks.append(Mark(axis="x", at=rounded([floor])[0] or 0.0, label="floor", role="floor"))
    if (useless := run.useless(metric)) is not None:
        label = run.plan.controls.useless
        marks.append(Mark(axis="x", at=rounded([useless])[0] or 0.0, label=label, role="random"))
    better = "lower" if run.plan.metric(metric).direction == "lower" else "higher"
    panel = Panel(
        title="", x_title=f"{metric} ({better} is better)", y_title="", series=series, marks=marks, names=names
    )
    says = f"Scores of {metric} by generator: each seed with its interval, and the mean over seeds."
    return Figure(id=name, title="Scores by generator", says=says, choices={"": [panel]})


def _interval(value: Any, low: Any, high: Any) -> str:
    return f"{value:.4g}" + ("" if pd.isna(low) else f" [{low:.4g}, {high:.4g}]")
