"""Time and memory: what a generator took to train and to sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench.report.plots import Figure, Panel, Section, Series, Table, rounded

if TYPE_CHECKING:
    import pandas as pd

    from dnabench.report.collect import Run

_SHOWN = (("train", "seconds", "Training (s)"), ("sample", "seconds", "Sampling (s)"),
          ("train", "peak_memory_mb", "Memory while training (MB)"))  # fmt: skip


def build(run: Run) -> Section | None:
    """The section; None where nothing is known."""
    timings = run.timings
    measured = timings[(timings["status"] == "done") & (timings["seconds"] > 0)].copy()
    # A store keeps how long a model and a sample took, but not with how much memory.
    measured.loc[measured["peak_memory_mb"] == 0, "peak_memory_mb"] = float("nan")
    made = measured[measured["cell"].isin(["train", "sample"])]
    if made.empty:
        return None
    means = made.groupby(["generator", "cell"])[["seconds", "peak_memory_mb"]].mean()
    panels = []
    for cell, column, title in _SHOWN:
        of_cell = means[column].dropna()
        found = {name: float(of_cell[name, cell]) for name in run.generators if (name, cell) in of_cell.index}
        if not found:
            continue
        series = [
            Series(
                name=kind,
                role=kind,
                shape="bars",
                x=rounded(found[name] for name in found if run.kind(name) == kind),
                y=[name for name in found if run.kind(name) == kind],
            )
            for kind in ("model", "baseline", "control")
            if any(run.kind(name) == kind for name in found)
        ]
        panels.append(
            Panel(
                title=title, x_title="", y_title="", series=series, names=list(found), logarithmic=column == "seconds"
            )
        )
    seeds = len(run.plan.seeds)
    figure = Figure(
        id="cost-bars",
        title="Time and memory",
        says="Seconds to train and to sample and the most memory while training, by generator.",
        choices={"": panels},
    )
    return Section(
        id="cost",
        title="Time and memory",
        text=[
            f"Per seed, the mean over up to {seeds}; sampling draws {run.plan.n_generated:,} sequences. Times are on a "
            "logarithmic scale; memory is the most that was resident. Models and samples that the store already had "
            "count with the time that they took when they were made; with which memory is not known."
        ],
        figures=[figure, *_front(run)],
        tables=[_by_metric(measured)] if (measured["cell"] == "score").any() else [],
    )


def _front(run: Run) -> list[Figure]:
    """Mean rank against what a sequence costs, of those whose samples were timed; nothing for fewer than two."""
    known = run.board.seconds
    entries = [entry for entry in run.board.ranking.entries if entry.generator in known]
    if len(entries) < 2:
        return []
    seconds = [known[entry.generator] for entry in entries]
    points = [
        Series(
            name=entry.generator,
            role=run.kind(entry.generator),  # type: ignore[arg-type]  # a kind is a role
            shape="points",
            x=rounded([1000 * cost]),
            y=rounded([entry.mean_rank.value]),
            colour=number,
        )
        for number, (entry, cost) in enumerate(zip(entries, seconds, strict=True), start=1)
    ]
    front = sorted(
        (1000 * cost, e.mean_rank.value, e.generator) for e, cost in zip(entries, seconds, strict=True) if e.pareto
    )
    line = Series(
        name="front",
        role="other",
        shape="line",
        x=rounded(cost for cost, _, _ in front),
        y=rounded(rank for _, rank, _ in front),
        of=[name for _, _, name in front],
    )
    panel = Panel(
        title="",
        x_title="seconds to sample 1,000 sequences",
        y_title="mean rank (lower is better)",
        series=[line, *points] if len(front) > 1 else points,
        logarithmic=True,
    )
    says = "Mean rank against the seconds that 1,000 sequences take; the line joins those that none beats in both."
    return [Figure(id="cost-front", title="Quality against cost", says=says, choices={"": [panel]})]


def _by_metric(measured: pd.DataFrame) -> Table:
    scores = measured[measured["cell"] == "score"].groupby("metric", sort=False)[["seconds", "peak_memory_mb"]]
    means = scores.mean()
    return Table(
        title="Scoring, mean of a generator and seed",
        columns=("metric", "seconds", "memory (MB)"),
        rows=[(str(name), f"{row.seconds:.2f}", f"{row.peak_memory_mb:,.0f}") for name, row in means.iterrows()],
        numbers=frozenset({"seconds", "memory (MB)"}),
    )
