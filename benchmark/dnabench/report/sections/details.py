"""The tables that metrics hand over for plots, drawn by their columns as `dnabench.Score` says."""

from __future__ import annotations

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
#: The quantiles that a spread is drawn of: the middle 90 % and 50 % of the sequences, and the median.
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: Columns about the table, which name no row.
_ABOUT = ["view", "quantity"]
#: Columns that are drawn. What stands before all of them names rows, in digits too.
_DRAWN = [*_AXES, "quantile", *_SIDES, "identity"]
#: A reader may choose one of more panels than these.
MOST_PANELS = 6


def figures(run: Run, metric: str, number: int) -> list[Figure]:
    """What a metric handed over for each generator, of the first seed that has it: a figure for each view of it."""
    found: dict[str, dict[str, list[Panel]]] = {}
    for generator in run.generators:
        table = _table(run, generator, metric)
        for view, rows in [] if table is None else _views(table):
            if panels := _panels(run, rows, metric, generator):
                found.setdefault(view, {})[generator] = panels
    return [
        Figure(
            id=f"details{place if place > 1 else ''}-{number}",
            title=view or f"What {metric} saw",
            says=f"{view or f'What {metric} saw'}: real and generated sequences side by side, for the generator that "
            "is chosen.",
            choices=choices,
            chooses="generator",
            panels=_titles(choices),
        )
        for place, (view, choices) in enumerate(found.items(), start=1)
    ]


def _views(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The tables that the column ``view`` keeps apart, without the columns that are empty in them."""
    if "view" not in table:
        return [("", table)]
    return [(str(view), rows.dropna(axis="columns", how="all")) for view, rows in table.groupby("view", sort=False)]


def _titles(choices: dict[str, list[Panel]]) -> list[str]:
    """The panels that a reader may choose from: those of all generators, where there are many."""
    titles = list(dict.fromkeys(panel.title for panels in choices.values() for panel in panels))
    return titles if len(titles) > MOST_PANELS else []


def _table(run: Run, generator: str, metric: str) -> pd.DataFrame | None:
    for seed in run.plan.seeds:
        try:
            path = entry(run.directory, "details", generator, f"seed{seed}", f"{metric}.csv")
            table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
        except (OSError, ValueError):
            continue
        return _with_numbers(table)
    return None


def _with_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """A table of text, as it was read, with numbers in the columns that hold nothing else and name no rows."""
    first = next((place for place, column in enumerate(table) if column in _DRAWN), 0)
    for place, column in enumerate(table):
        if column in _ABOUT or (place < first and table[column].notna().any()):
            continue
        try:
            table[column] = pd.to_numeric(table[column])
        except ValueError:
            continue  # a column of text
    return table


def _is_number(table: pd.DataFrame, column: str) -> bool:
    return column in table and pd.api.types.is_numeric_dtype(table[column])


def _panels(run: Run, table: pd.DataFrame, metric: str, generator: str) -> list[Panel]:
    if _is_number(table, "identity"):
        return _histogram(run, table["identity"], generator)
    if not all(_is_number(table, side) for side in _SIDES):
        return []
    quantity = next((str(text) for text in table.get("quantity", [])), "")
    axis = next((column for column in (*_AXES, "quantile") if _is_number(table, column)), None)
    if axis is None:
        return _scatter(run, table, metric, generator, quantity)
    keys = [c for c in _names(table) if table.columns.get_loc(c) < table.columns.get_loc(axis)]
    groups: list[tuple[str, pd.DataFrame]] = [
        (" – ".join(map(str, key)), rows) for key, rows in (table.groupby(keys, sort=False) if keys else [((), table)])
    ]
    if axis == "quantile":
        return _spreads(run, groups, quantity or metric, generator)
    tss = run.material.tss if axis == "position" else None
    panels = []
    for title, rows in groups:
        shown = rows[rows[axis].notna()]
        panels.append(
            Panel(
                title=title,
                x_title=_AXES[axis] if tss is None else "position from the TSS (bp)",
                y_title=quantity or metric,
                series=[
                    _curve("real", "real", shown[axis] - (tss or 0), shown["reference"]),
                    _curve(generator, run.kind(generator), shown[axis] - (tss or 0), shown["generated"]),
                ],
                marks=[] if tss is None else [Mark(axis="x", at=0.0, label="TSS", role="tss")],
            )
        )
    return panels


def _names(table: pd.DataFrame) -> list[str]:
    """The columns that name rows."""
    return [c for c in table if c not in _ABOUT and not _is_number(table, c)]


def _spreads(run: Run, groups: list[tuple[str, pd.DataFrame]], quantity: str, generator: str) -> list[Panel]:
    """One panel with a line for each name; names without all five quantiles are left out."""
    found = {name: rows.set_index("quantile")[_SIDES] for name, rows in groups}
    found = {
        name: rows.loc[list(_QUANTILES)]
        for name, rows in found.items()
        if rows.index.is_unique and set(_QUANTILES) <= set(rows.index) and rows.notna().all(axis=None)
    }
    if not found:
        return []
    series = []
    for side, shown, role in (("reference", "real", "real"), ("generated", generator, run.kind(generator))):
        low, inner_low, middle, inner_high, high = (
            rounded(rows.loc[level, side] for rows in found.values()) for level in _QUANTILES
        )
        series.append(
            Series(
                name=shown,
                role=role,  # type: ignore[arg-type]
                shape="spread",
                x=middle,
                y=list(found),
                low=low,
                high=high,
                inner_low=inner_low,
                inner_high=inner_high,
                text=[
                    f"{shown}: median {row[2]:.4g}; half of the sequences {row[1]:.4g} to {row[3]:.4g}, "
                    f"90 % {row[0]:.4g} to {row[4]:.4g}"
                    for row in (rows[side].to_numpy(float) for rows in found.values())
                ],
            )
        )
    title = "median, middle 50 % and 90 %"
    return [Panel(title=title, x_title=quantity, y_title="", series=series, names=list(found))]


def _curve(name: str, role: str, x: pd.Series, y: pd.Series) -> Series:
    return Series(name=name, role=role, shape="line", x=rounded(x), y=rounded(y))  # type: ignore[arg-type]


def _scatter(run: Run, table: pd.DataFrame, metric: str, generator: str, quantity: str) -> list[Panel]:
    table = table.dropna(subset=_SIDES)
    if table.empty:
        return []
    given = len(table)
    order = np.argsort(-np.abs(table["generated"] - table["reference"]).to_numpy(), kind="stable")[:MOST_POINTS]
    table = table.iloc[np.sort(order)]
    names = _names(table)
    text = [" – ".join(map(str, row)) for row in table[names].itertuples(index=False)] if names else []
    series = Series(
        name=generator,
        role=run.kind(generator),  # type: ignore[arg-type]
        shape="points",
        x=rounded(table["reference"]),
        y=rounded(table["generated"]),
        text=text,
    )
    part = f": the {MOST_POINTS} of {given:,} that differ most" if given > MOST_POINTS else ""
    return [
        Panel(
            title=f"{metric} by {' and '.join(names) or 'row'}{part}",
            x_title=f"real: {quantity}" if quantity else "real",
            y_title=f"{generator}: {quantity}" if quantity else generator,
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
