"""Which metrics see nothing, as the controls show (design rule 5.4)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from dnabench.leaderboard.scores import by_seed
from dnabench.stats.intervals import sampling_difference

if TYPE_CHECKING:
    from dnabench.leaderboard.scores import Scores
    from dnabench.stats.intervals import Interval
    from dnabench.suites import Controls

#: Control -> 1 where a metric puts it behind held-out real DNA beyond the interval, -1 where before it, else 0; None
#: where nobody knows, for want of a score, or of an interval of a single seed.
Told = Mapping[str, int | None]


def told_controls(
    scores: Scores, directions: Mapping[str, str], seeds: Collection[int], controls: Controls
) -> dict[str, Told]:
    """What each metric tells of each control but the one that is real DNA."""
    return {
        metric: {
            name: _told(scores.get((name, metric), {}), scores.get((controls.floor, metric), {}), direction, seeds)
            for name in (controls.memoriser, *controls.blank)
        }
        for metric, direction in directions.items()
    }


def blind_metrics(told: Mapping[str, Told], controls: Controls) -> dict[str, list[str]]:
    """Metric -> the controls that show it to be blind.

    A control that beats held-out real DNA, or one of ``controls.blank`` that cannot be told from it.
    """
    shown = {
        metric: [name for name, sign in signs.items() if sign == -1 or (sign == 0 and name in controls.blank)]
        for metric, signs in told.items()
    }
    return {metric: names for metric, names in shown.items() if names}


def unchecked_metrics(told: Mapping[str, Told]) -> dict[str, list[str]]:
    """Metric -> the controls of which nobody knows what it tells, so that it may be blind to them."""
    unknown = {metric: [name for name, sign in signs.items() if sign is None] for metric, signs in told.items()}
    return {metric: names for metric, names in unknown.items() if names}


def silent_metrics(told: Mapping[str, Told]) -> list[str]:
    """The metrics that put no control behind real DNA, each of which is known."""
    return [metric for metric, signs in told.items() if all(sign is not None and sign <= 0 for sign in signs.values())]


def _told(
    of: Mapping[int, Interval], real: Mapping[int, Interval], direction: str, seeds: Collection[int]
) -> int | None:
    if of.keys() != set(seeds) or real.keys() != set(seeds):
        return None
    _, low, high = sampling_difference(by_seed(of), by_seed(real))
    if math.isnan(low):
        return None
    sign = int(low > 0) - int(high < 0)
    return sign if direction == "lower" else -sign
