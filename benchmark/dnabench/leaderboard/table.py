"""The ranked table derived from the facts: one row per generator."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dnabench.leaderboard.scale import at_floor
from dnabench.leaderboard.scores import by_seed
from dnabench.stats.intervals import Interval, score_interval

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

LEADING = ("rank", "generator", "generator_version", "kind", "seeds", "complete", "mean_rank", "tied_with", "flags")


def columns(metrics: Iterable[str]) -> list[str]:
    """The columns of ``leaderboard.csv`` for these metrics."""
    return [*LEADING, *(name + end for name in metrics for end in ("", "_ci_low", "_ci_high"))]


def build(board: Board) -> list[dict[str, Any]]:
    """One row per generator, ranked ones first.

    A generator's value is its mean over seeds; its interval the wider of Student's t over seeds and the scores' own.
    ``rank``, ``mean_rank`` and ``tied_with`` are those of :mod:`dnabench.leaderboard.ranking`; controls and generators
    that lack a score carry none. The column ``flags`` holds those of all lines, on a control's row the metrics it shows
    to be blind, on any other the metrics on which it stands at the floor, and with a rank ``field:`` and the id of what
    it is relative to.
    """
    table = []
    for generator, version in {row["generator"]: row["generator_version"] for row in board.whole}.items():
        entry = board.ranking.entry(generator)
        scores = {metric: board.scores.get((generator, metric), {}) for metric in board.directions}
        row: dict[str, Any] = {
            "rank": entry.rank if entry else None,
            "generator": generator,
            "generator_version": version,
            "kind": board.kinds[generator],
            "seeds": len({seed for found in scores.values() for seed in found}),
            "complete": all(found.keys() == set(board.seeds) for found in scores.values()),
            "mean_rank": entry.mean_rank.value if entry else None,
            "tied_with": ";".join(entry.tied_with) if entry else "",
            "flags": "",
        }
        reached = []
        for metric, direction in board.directions.items():
            interval = _over_seeds(scores[metric])
            row |= {metric: interval.value, f"{metric}_ci_low": interval.low, f"{metric}_ci_high": interval.high}
            if row["kind"] != "control" and at_floor(*interval[1:], board.floors[metric], direction):
                reached.append(f"at-floor:{metric}")
        blind = [f"blind:{metric}" for metric, controls in board.blind.items() if generator in controls]
        fields = [f"field:{board.ranking.field}"] if entry else []
        row["flags"] = ";".join([*board.common_flags, *blind, *reached, *fields])
        table.append({name: _blank_if_nan(value) for name, value in row.items()})
    return sorted(table, key=_order)


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    ranked = (row["rank"], row["mean_rank"]) if row["rank"] is not None else ()
    return (row["rank"] is None, ranked, row["kind"] == "control", row["generator"])


def _over_seeds(scores: Mapping[int, Interval]) -> Interval:
    if not scores:
        return Interval(math.nan, math.nan, math.nan)
    return score_interval(by_seed(scores))


def _blank_if_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
