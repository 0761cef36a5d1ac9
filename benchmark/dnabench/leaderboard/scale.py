"""Where a score lies between a perfect and a useless generator: on the floor, or how far from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dnabench.data.slices import ALL

NORMALISED = "normalised"


def normalised(row: Mapping[str, Any], useless: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row ``metric.normalised``: the score of ``row`` where 0 is its floor and 1 the score of ``useless``.

    Its interval is that of the score. None where a number is missing, and where the useless generator is not worse than
    the floor beyond its own interval: then there is no scale, and the metric is blind.
    """
    value, floor, one = row["value"], row["floor"], useless.get("value")
    if value is None or floor is None or one is None or is_blind(row, useless):
        return None
    span = one - floor
    scaled = [None if row[end] is None else (row[end] - floor) / span for end in ("ci_low", "ci_high")]
    low, high = scaled if span > 0 else reversed(scaled)
    return {
        **row,
        "metric": f"{row['metric']}.{NORMALISED}",
        "direction": "lower",
        "value": (value - floor) / span,
        "ci_low": low,
        "ci_high": high,
        "floor": 0.0,
    }


def is_blind(row: Mapping[str, Any], useless: Mapping[str, Any]) -> bool:
    """Whether the useless generator is not worse than the floor of ``row`` beyond its own interval."""
    floor, one = row["floor"], useless.get("value")
    if floor is None or one is None:
        return False
    ends = [useless[end] for end in ("ci_low", "ci_high")]
    margin = 0.0 if None in ends else (ends[1] - ends[0]) / 2
    worse = one - floor if row["direction"] == "lower" else floor - one
    return bool(worse <= margin)


def normalised_rows(table: Iterable[Mapping[str, Any]], useless: str) -> list[dict[str, Any]]:
    """The normalised rows of all scores in ``table`` that were made beside one of the generator ``useless``."""
    whole = [row for row in table if row["status"] == "done" and "." not in row["metric"]]
    ones = {(row["seed"], row["slice"], row["metric"]): row for row in whole if row["generator"] == useless}
    found = []
    for row in whole:
        one = ones.get((row["seed"], row["slice"], row["metric"]))
        if one is not None and (scaled := normalised(row, one)) is not None:
            found.append(scaled)
    return found


def mean_normalised(table: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], float]:
    """(generator, metric) -> its normalised score on all sequences, the mean over seeds."""
    values: dict[tuple[str, str], list[float]] = {}
    for row in table:
        metric, _, part = row["metric"].partition(".")
        if part == NORMALISED and row["slice"] == ALL:
            values.setdefault((row["generator"], metric), []).append(row["value"])
    return {key: sum(found) / len(found) for key, found in values.items()}


def at_floor(low: float | None, high: float | None, floor: float | None, direction: str) -> bool:
    """Whether the interval of a score reaches its floor, or lies on its better side."""
    if low is None or high is None or floor is None:
        return False
    return low <= floor if direction == "lower" else high >= floor
