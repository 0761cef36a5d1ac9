"""A board as JSON: everything that the table, the ranks and the facts hold, numbers as numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

# Of a metric's facts, what is the same in all of them.
_METRIC = ("metric_version", "embedder", "embedder_sha256", "direction", "n_generated", "n_reference")


def text(board: Board) -> str:
    """The structure of :func:`plain` as JSON."""
    return json.dumps(plain(board), indent=1, allow_nan=False) + "\n"


def plain(board: Board) -> dict[str, Any]:
    """The board as plain data."""
    first = board.whole[0]
    return {
        "suite": board.suite,
        "field": board.ranking.field,
        "flags": board.common_flags,
        "protocol": {name: first[name] for name in ("dataset", "dataset_sha256", "split")} | {"seeds": board.seeds},
        "metrics": [_metric(board, metric) for metric in board.directions],
        "generators": [_generator(board, row) for row in board.rows],
        "facts": list(board.facts),
    }


def _metric(board: Board, metric: str) -> dict[str, Any]:
    rows = [row for row in board.whole if row["metric"] == metric]
    row = next((row for row in rows if row["status"] == "done"), rows[0])
    return {
        "metric": metric,
        "family": board.ranking.families[metric],
        **{name: row[name] for name in _METRIC},
        "floor": board.floors[metric],
        "blind": board.blind.get(metric, []),
        "unchecked": board.unchecked.get(metric, []),
        "silent": metric in board.silent,
    }


def _generator(board: Board, row: Mapping[str, Any]) -> dict[str, Any]:
    name = row["generator"]
    entry = board.ranking.entry(name)
    ranks: dict[str, Any] = {"rank": None, "mean_rank": None, "family_ranks": {}, "tied_with": [], "not_apart": []}
    if entry is not None:
        ranks = {
            "rank": entry.rank,
            "mean_rank": _interval(*entry.mean_rank),
            "family_ranks": dict(entry.family_ranks),
            "tied_with": list(entry.tied_with),
            "not_apart": list(entry.not_apart),
        }
    scores = {
        metric: _interval(*(row[metric + end] for end in ("", "_ci_low", "_ci_high")))
        | {"normalised": board.scaled.get((name, metric)), "place": entry.places.get(metric) if entry else None}
        for metric in board.directions
    }
    return {
        "generator": name,
        "generator_version": row["generator_version"],
        "options": json.loads(next(fact["options"] for fact in board.whole if fact["generator"] == name) or "{}"),
        "kind": row["kind"],
        "complete": row["complete"],
        **ranks,
        "seconds_per_sequence": board.seconds.get(name),
        "pareto": entry.pareto if entry else None,
        "flags": [flag for flag in row["flags"].split(";") if flag],
        "scores": scores,
    }


def _interval(value: float | None, low: float | None, high: float | None) -> dict[str, float | None]:
    return {"value": value, "ci_low": low, "ci_high": high}
