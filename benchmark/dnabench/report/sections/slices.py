"""Scores by slice, such as by species, as colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench.data.slices import ALL
from dnabench.report.plots import Figure, Heat, Section, rounded

if TYPE_CHECKING:
    from dnabench.report.collect import Run


def build(run: Run) -> Section | None:
    """The section; None where no slice has a score."""
    table = run.results
    table = table[(table["slice"] != ALL) & table["metric"].isin(run.metrics) & table["value"].notna()]
    if table.empty:
        return None
    columns = [name for name in run.plan.slices if name in set(table["slice"])]
    what = {name.partition("=")[0] for name in columns}
    short = len(what) == 1
    choices = {}
    for metric in run.metrics:
        means = table[table["metric"] == metric].groupby(["generator", "slice"])["value"].mean()
        if means.empty:
            continue
        rows = [name for name in run.generators if name in means.index.get_level_values(0)]
        values = [rounded([means.get((name, column), float("nan")) for column in columns]) for name in rows]
        choices[metric] = [
            Heat(
                title="",
                columns=[column.partition("=")[2] if short else column for column in columns],
                rows=rows,
                values=values,
                direction=run.plan.metric(metric).direction,
            )
        ]
    name = next(iter(what)) if short else "label"
    return Section(
        id="slices",
        title=f"By {name}",
        text=[
            f"The score on the sequences of each {name} alone, the mean over seeds; brighter is better. Slices are "
            "small and differ in size: compare generators within a column, not columns with each other. Generators "
            "whose samples carry no label are not here."
        ],
        figures=[
            Figure(
                id="slices-heat",
                title=f"Scores by {name}",
                says=f"Scores of each generator by {name}, for the metric that is chosen, as colours with numbers.",
                choices=choices,
                chooses="metric",
            )
        ],
    )
