"""The tables that metrics hand over for plots, drawn by their columns as `dnabench.Score` says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench.report.material import entry
from dnabench.report.plots import Figure, Mark, Panel, Series, rounded

if TYPE_CHECKING:
    from dnabench.report.collect import Run

#: Points of a scatter, and bins of a histogram; of more rows the ones that differ most are drawn.
MOST_POINTS = 400
BINS = 40
_AXES = {"position": "position in the sequence (bp)", "distance": "distance (bp)"}
_SIDES = ["generated", "reference"]


def figure(run: Run, metric: str, name: str) -> Figure | None:
    """What a metric handed over for each generator, of the first seed that has it; None for nothing to draw."""
    choices: dict[str, list[Panel]] = {}
    for generator in run.generators:
        table = _table(run, generator, metric)
        panels = [] if table is None else _panels(run, table, metric, generator)
        if panels:
            choices[generator] = panels
    if not choices:
        return None
    says = f"What {metric} saw: real and generated sequences side by side, for the generator that is chosen."
    return Figure(id=name, title=f"What {metric} saw", says=says, choices=choices, chooses="generator")


def _table(run: Run, generator: str, metric: str) -> pd.DataFrame | None:
    for seed in run.plan.seeds:
        try:
            path = entry(run.directory, "details", generator, f"seed{seed}", f"{metric}.csv")
            return pd.read_csv(path, keep_default_na=False, na_values=[""])
        except (OSError, ValueError):
            continue
    return None


def _panels(run: Run, table: pd.DataFrame, metric: str, generator: str) -> list[Panel]:
    if "identity" in table and pd.api.types.is_numeric_dtype(table["identity"]):
        return _histogram(run, table["identity"], generator)
    if not {*_SIDES} <= set(table) or not all(pd.api.types.is_numeric_dtype(table[side]) for side in _SIDES):
        return []
    axis = next((column for column in _AXES if column in table), None)
    if axis is None:
        return _scatter(run, table, metric, generator)
    keys = [c for c in table.columns[: table.columns.get_loc(axis)] if not pd.api.types.is_numeric_dtype(table[c])]
    groups: Iterable[tuple[object, pd.DataFrame]] = table.groupby(keys, sort=False) if keys else [((), table)]
    tss = run.material.tss if axis == "position" else None
    panels = []
    for key, rows in groups:
        shown = rows[rows[axis].notna()]
        panels.append(
            Panel(
                title=" – ".join(map(str, key)) if isinstance(key, tuple) else str(key),
                x_title=_AXES[axis] if tss is None else "position from the TSS (bp)",
                y_title=metric,
                series=[
                    _curve("real", "real", shown[axis] - (tss or 0), shown["reference"]),
                    _curve(generator, run.kind(generator), shown[axis] - (tss or 0), shown["generated"]),
                ],
                marks=[] if tss is None else [Mark(axis="x", at=0.0, label="TSS", role="tss")],
            )
        )
    return panels


def _curve(name: str, role: str, x: pd.Series, y: pd.Series) -> Series:
    return Series(name=name, role=role, shape="line", x=rounded(x), y=rounded(y))  # type: ignore[arg-type]


def _scatter(run: Run, table: pd.DataFrame, metric: str, generator: str) -> list[Panel]:
    table = table.dropna(subset=_SIDES)
    if table.empty:
        return []
    order = np.argsort(-np.abs(table["generated"] - table["reference"]).to_numpy(), kind="stable")[:MOST_POINTS]
    table = table.iloc[np.sort(order)]
    names = [column for column in table if not pd.api.types.is_numeric_dtype(table[column])]
    text = [" – ".join(map(str, row)) for row in table[names].itertuples(index=False)] if names else []
    series = Series(
        name=generator,
        role=run.kind(generator),  # type: ignore[arg-type]
        shape="points",
        x=rounded(table["reference"]),
        y=rounded(table["generated"]),
        text=text,
    )
    return [
        Panel(
            title=f"{metric}: a point for each {' and '.join(names) or 'row'}",
            x_title="real",
            y_title=generator,
            series=[series],
            diagonal=True,
        )
    ]


def _histogram(run: Run, identity: pd.Series, generator: str) -> list[Panel]:
    values = identity.dropna().to_numpy(float)
    if not len(values):
        return []
    edges = np.linspace(min(0.5, np.floor(values.min() * 10) / 10), 1.0, BINS + 1)
    counts, _ = np.histogram(values, edges)
    series = Series(
        name=generator,
        role=run.kind(generator),  # type: ignore[arg-type]
        shape="bars",
        x=rounded((edges[:-1] + edges[1:]) / 2),
        y=counts.tolist(),
    )
    title = f"{len(values):,} generated sequences with a relative"
    return [
        Panel(title=title, x_title="identity with the nearest training sequence", y_title="sequences", series=[series])
    ]
