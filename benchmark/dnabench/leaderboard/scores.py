"""The scores of whole samples, taken out of the facts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from dnabench.data.slices import ALL
from dnabench.stats.intervals import Interval

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row

# (generator, metric) -> seed -> score with its own interval, whose ends are NaN where there is none
Scores = Mapping[tuple[str, str], Mapping[int, Interval]]


def whole_facts(facts: Iterable[Row]) -> list[Row]:
    """Those that the table is of: of whole samples, without parts of scores."""
    return [row for row in facts if row["slice"] == ALL and "." not in row["metric"]]


def scores_of(facts: Iterable[Row]) -> Scores:
    """The finished scores."""
    scores: dict[tuple[str, str], dict[int, Interval]] = defaultdict(dict)
    for row in facts:
        if row["status"] == "done":
            ends = (math.nan if row[end] is None else row[end] for end in ("ci_low", "ci_high"))
            scores[row["generator"], row["metric"]][row["seed"]] = Interval(row["value"], *ends)
    return scores


def by_seed(scores: Mapping[int, Interval]) -> list[Interval]:
    """In the order of seeds."""
    return [scores[seed] for seed in sorted(scores)]
