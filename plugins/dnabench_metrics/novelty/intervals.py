"""95 % intervals of means of numbers from 0 to 1. None has a width of zero, at 0 and 1 either."""

from __future__ import annotations

import numpy as np

from dnabench import Score
from dnabench_metrics.features import Z95


def share(hits: np.ndarray) -> Score:
    """The share of True in ``hits``, shape ``(n,)``, with the score interval of Wilson 1927, J Am Stat Assoc 22:209."""
    n, value = len(hits), float(hits.mean())
    centre, square = value + Z95**2 / (2 * n), 1 + Z95**2 / n
    half = Z95 * np.sqrt(value * (1 - value) / n + Z95**2 / (4 * n**2))
    # At 0 and 1 an end is the value itself, up to rounding.
    low, high = min(value, (centre - half) / square), max(value, (centre + half) / square)
    return Score(value=value, ci_low=max(0.0, float(low)), ci_high=min(1.0, float(high)))


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
