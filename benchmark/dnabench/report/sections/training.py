"""Training curves, of generators that leave a ``losses.csv`` with columns stage, step and loss beside their model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench.report.material import entry
from dnabench.report.plots import Figure, Panel, Section, Series, rounded

if TYPE_CHECKING:
    from dnabench.report.collect import Run

#: Points of a curve; of longer ones evenly spread steps are drawn.
MOST_POINTS = 150


def build(run: Run) -> Section | None:
    """The section; None where no model has a curve."""
    choices: dict[str, list[Panel]] = {}
    for generator in run.generators:
        curves = {seed: table for seed in run.plan.seeds if (table := _losses(run, generator, seed)) is not None}
        stages = list(dict.fromkeys(stage for table in curves.values() for stage in table["stage"]))
        if stages:
            choices[generator] = [_panel(stage, curves) for stage in stages]
    if not choices:
        return None
    return Section(
        id="training",
        title="Training",
        text=[
            "The loss as each model reports it, a line for each seed. Losses of different models are different things; "
            "a curve says whether its own training has settled."
        ],
        figures=[
            Figure(
                id="losses",
                title="Training curves",
                says="Training loss by step, for each stage of the chosen generator.",
                choices=choices,
                chooses="generator",
            )
        ],
    )


def _losses(run: Run, generator: str, seed: int) -> pd.DataFrame | None:
    try:
        path = entry(run.directory, "models", generator, f"seed{seed}", "losses.csv")
        table = pd.read_csv(path, dtype={"stage": str}, keep_default_na=False)
    except (OSError, ValueError):
        return None
    numbers = {"step", "loss"} <= set(table) and all(
        pd.api.types.is_numeric_dtype(table[column]) for column in ("step", "loss")
    )
    return table if numbers and "stage" in table and len(table) else None


def _panel(stage: str, curves: dict[int, pd.DataFrame]) -> Panel:
    series = []
    for number, (seed, table) in enumerate(curves.items()):
        rows = table[table["stage"] == stage]
        rows = rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(MOST_POINTS, len(rows))).round().astype(int))]
        series.append(
            Series(
                name=f"seed {seed}",
                role="other",
                shape="line",
                x=rows["step"].tolist(),
                y=rounded(rows["loss"]),
                colour=number + 1,
            )
        )
    return Panel(title=stage, x_title="step", y_title="loss", series=series)
