"""Which metrics see nothing, as the controls show (design rule 5.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dnabench.leaderboard.scores import by_seed
from dnabench.stats.intervals import sampling_difference

if TYPE_CHECKING:
    from dnabench.leaderboard.scores import Scores
    from dnabench.suites import Controls


def missing_controls(scores: Scores, metrics: Sequence[str], seeds: set[int], controls: Controls) -> list[str]:
    """The controls that lack a score: while there are any, which metrics are blind is not known."""
    return [
        name for name in controls.names if any(scores.get((name, metric), {}).keys() != seeds for metric in metrics)
    ]


def told_controls(scores: Scores, directions: Mapping[str, str], controls: Controls) -> dict[str, dict[str, int]]:
    """Metric -> control -> 1 where it is worse than held-out real DNA beyond the interval, -1 where better, else 0.

    All controls must have every score.
    """
    found: dict[str, dict[str, int]] = {}
    for metric, direction in directions.items():
        real = by_seed(scores[controls.floor, metric])
        for control in (controls.memoriser, *controls.blank):
            _, low, high = sampling_difference(by_seed(scores[control, metric]), real)
            sign = int(low > 0) - int(high < 0)
            found.setdefault(metric, {})[control] = sign if direction == "lower" else -sign
    return found


def blind_metrics(told: Mapping[str, Mapping[str, int]], controls: Controls) -> dict[str, list[str]]:
    """Metric -> the controls that show it to be blind.

    A control that beats held-out real DNA, or one of ``controls.blank`` that cannot be told from it.
    """
    shown = {
        metric: [name for name, sign in signs.items() if sign < 0 or (sign == 0 and name in controls.blank)]
        for metric, signs in told.items()
    }
    return {metric: names for metric, names in shown.items() if names}
