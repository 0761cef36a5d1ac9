"""The ranked table: for each generator and metric a value with its interval, floor and useless DNA marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dnabench.leaderboard.export.sheet import best_of, is_tied

if TYPE_CHECKING:
    from dnabench.report.collect import Run

_FLAGS = {
    "at-floor": "the interval reaches the floor: within the noise, no generator could score better",
    "blind": "real DNA does not come out before this control: the metric does not see what is wrong with it",
    "blind-unchecked": "a control took no part or failed: whether the metric is blind is not known",
    "pareto": "no other ranked generator is both as good, by mean rank, and as quick to sample, within a tenth",
    "other-data": "these are not the published data of the suite",
    "random-split": "test sequences may have near copies among the training sequences",
}
_GROUPS = (
    ("ranked", "Ranked"),
    ("unranked", "Not ranked: no metric tells any control from real DNA"),
    ("incomplete", "Not ranked: scores are missing"),
    ("control", "Controls: never ranked"),
)


class Flag(NamedTuple):
    """A flag of the table: ``blind:gc`` is the flag ``blind`` of the metric ``gc``."""

    name: str
    metric: str

    @property
    def meaning(self) -> str:
        """What it says; empty for a flag that this version does not know."""
        return _FLAGS.get(self.name, "")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A metric's column, with the scale that its cells are drawn on.

    Attributes:
        floor, useless: values, the second of the suite's useless generator, and ``..._at`` where they are on the scale,
            in per cent; None where there is none.
        decimals: that its numbers are set with, so that they stand below each other.
        blind: the controls that show that the metric sees nothing.
    """

    metric: str
    decimals: int
    direction: str
    floor: float | None
    floor_at: float | None
    useless: float | None
    useless_at: float | None
    blind: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value; places on the scale in per cent.

    Attributes:
        low_at, high_at: of the interval, cut off at the ends of the scale; None without one.
        best: whether it is the best of the ranked.
        tied: whether it is none of these, and yet not told apart from them.
    """

    value: float | None
    low: float | None
    high: float | None
    at: float | None
    low_at: float | None
    high_at: float | None
    best: bool
    tied: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """A generator.

    Attributes:
        rank_low, rank_high: of the 95 % interval of the mean rank.
        families: the mean rank within each family of metrics, as text.
    """

    generator: str
    kind: str
    rank: int | None
    mean_rank: float | None
    rank_low: float | None
    rank_high: float | None
    families: str
    ties: Sequence[str]
    flags: Sequence[Flag]
    cells: Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The table, its rows in groups that are sorted by themselves: (id, title, rows).

    Attributes:
        flags: those that are there, with what they mean.
        families: the families of metrics with their members, as text; empty where nothing is ranked.
        field: the id of what the ranks are relative to.
        useless: the name of the generator that marks the scales; empty for none.
    """

    columns: Sequence[Column]
    groups: Sequence[tuple[str, str, Sequence[Row]]]
    flags: Sequence[tuple[str, str]]
    families: str
    field: str
    useless: str


def build(run: Run) -> Ranking:
    """The ranked table of a run."""
    board = run.board
    scales = {metric: _scale(run, metric) for metric in run.metrics}
    best = {metric: best_of(board, metric) for metric in run.metrics}
    groups: dict[str, list[Row]] = {name: [] for name, _ in _GROUPS}
    used: set[str] = set()
    for row in board.rows:
        name = row["generator"]
        group = _group(row, heard=set(run.metrics) != set(board.silent))
        entry = board.ranking.entry(name)
        flags = [flag for flag in flags_of(row["flags"]) if flag.name != "field"]
        flags += [Flag("pareto", "")] if entry and entry.pareto else []
        used |= {flag.name for flag in flags}
        groups[group].append(
            Row(
                generator=name,
                kind=row["kind"],
                rank=row["rank"],
                mean_rank=row["mean_rank"],
                rank_low=entry.mean_rank.low if entry else None,
                rank_high=entry.mean_rank.high if entry else None,
                families=", ".join(f"{name} {mean:.3g}" for name, mean in entry.family_ranks.items()) if entry else "",
                ties=entry.tied_with if entry else (),
                flags=flags,
                cells=[
                    _cell(row, metric, scale, name in best[metric], is_tied(board, name, metric, best[metric]))
                    for metric, scale in scales.items()
                ],
            )
        )
    voices = board.ranking.voices if board.ranking.entries else {}
    return Ranking(
        columns=[_column(run, metric, scales[metric]) for metric in run.metrics],
        groups=[(name, title, groups[name]) for name, title in _GROUPS if groups[name]],
        flags=[(name, meaning) for name, meaning in _FLAGS.items() if name in used],
        families="; ".join(f"{family}: {', '.join(metrics)}" for family, metrics in voices.items()),
        field=board.ranking.field,
        useless=run.plan.controls.useless if run.plan.controls.useless in run.rows else "",
    )


def _group(row: Mapping[str, Any], *, heard: bool) -> str:
    """Where a row stands; ``heard``: whether any metric has a voice in the ranks."""
    if row["kind"] == "control":
        return "control"
    if row["rank"] is not None:
        return "ranked"
    return "incomplete" if heard or not row["complete"] else "unranked"


def flags_of(text: str) -> list[Flag]:
    """The flags in a cell of the column ``flags``."""
    parts = (flag.partition(":") for flag in str(text).split(";") if flag)
    return [Flag(name, metric) for name, _, metric in parts]


def _scale(run: Run, metric: str) -> tuple[float, float] | None:
    """Ends of the scale: of all values and the floor. Intervals may reach further, those of few seeds by far."""
    values = [run.board.floors[metric], *(run.score(name, metric) for name in run.generators)]
    known = [value for value in values if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    margin = 0.04 * (high - low) or abs(high) or 1.0
    return low - margin, high + margin


def _place(value: float | None, scale: tuple[float, float] | None) -> float | None:
    if value is None or scale is None:
        return None
    share = (value - scale[0]) / (scale[1] - scale[0])
    return round(100 * min(1.0, max(0.0, share)), 2)


def _column(run: Run, metric: str, scale: tuple[float, float] | None) -> Column:
    floor, useless = run.board.floors[metric], run.useless(metric)
    return Column(
        metric=metric,
        decimals=_decimals([row[metric] for row in run.board.rows], scale),
        direction=run.plan.metric(metric).direction,
        floor=floor,
        floor_at=_place(floor, scale),
        useless=useless,
        useless_at=_place(useless, scale),
        blind=run.board.blind.get(metric, []),
    )


def _decimals(values: list[float | None], scale: tuple[float, float] | None) -> int:
    """Three digits of the smallest number, but no more than one beyond those that the width of the scale asks for."""
    known = [abs(value) for value in values if value]
    if not known or scale is None:
        return 2
    fewest = 2 - math.floor(math.log10(scale[1] - scale[0]))
    return max(0, min(2 - math.floor(math.log10(min(known))), fewest + 1), fewest)


def _cell(row: Mapping[str, Any], metric: str, scale: tuple[float, float] | None, best: bool, tied: bool) -> Cell:
    value, low, high = (row[metric + end] for end in ("", "_ci_low", "_ci_high"))
    return Cell(
        value=value,
        low=low,
        high=high,
        at=_place(value, scale),
        low_at=_place(low, scale),
        high_at=_place(high, scale),
        best=best,
        tied=tied,
    )
