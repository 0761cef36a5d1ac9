"""95 % intervals of means of numbers from 0 to 1. None has a width of zero, at 0 and 1 either."""

from __future__ import annotations

import numpy as np

from dnabench import Score
from dnabench_metrics.features import Z95, wilson_ends


def share(hits: np.ndarray) -> Score:
    """The share of True in ``hits``, shape ``(n,)``, with Wilson's interval."""
    value = float(hits.mean())
    low, high = wilson_ends(value, len(hits))
    return Score(value=value, ci_low=low, ci_high=high)


def difference(first: Score, second: Score) -> Score:
    """The first share minus the second, of independent samples, from the ends of their Wilson intervals.

    Newcombe 1998, Stat Med 17:873, method 10.
    """
    value = first.value - second.value
    down = np.hypot(first.value - _low(first), _high(second) - second.value)
    up = np.hypot(_high(first) - first.value, second.value - _low(second))
    return Score(value=value, ci_low=float(value - down), ci_high=float(value + up))


def mean(numbers: np.ndarray) -> Score:
    """The mean of ``numbers`` from 0 to 1, shape ``(n,)``.

    A normal interval after two 0 and two 1 are added, as Agresti and Coull 1998, Am Stat 52:119, do for shares.
    """
    added = np.concatenate([numbers, [0.0, 0.0, 1.0, 1.0]])
    centre, half = added.mean(), Z95 * added.std() / np.sqrt(len(added))
    value = float(numbers.mean())
    return Score(value=value, ci_low=max(0.0, float(centre - half)), ci_high=min(1.0, float(centre + half)))


def _low(score: Score) -> float:
    assert score.ci_low is not None
    return score.ci_low


def _high(score: Score) -> float:
    assert score.ci_high is not None
    return score.ci_high
