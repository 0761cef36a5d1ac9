"""Intervals over seeds, and differences between two generators that are not trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """An estimate and the ends of its 95 % interval; the ends are NaN where nothing is known of its spread."""

    value: float
    low: float
    high: float


def mean_interval(values: Sequence[float]) -> Interval:
    """The mean of independent values with Student's t interval: mean ± t(n-1) sd / sqrt(n)."""
    array = np.asarray(values, np.float64)
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, float("nan"), float("nan"))
    margin = float(stdtrit(len(array) - 1, (1 + CONFIDENCE) / 2) * array.std(ddof=1) / np.sqrt(len(array)))
    return Interval(mean, mean - margin, mean + margin)


def score_interval(scores: Sequence[Interval]) -> Interval:
    """The mean over seeds with the wider of two intervals: Student's t over seeds, and the scores' own."""
    return _widened(mean_interval([score.value for score in scores]), _half_width(scores))


def sampling_difference(first: Sequence[Interval], second: Sequence[Interval]) -> Interval:
    """The mean difference first - second with the scores' own intervals in quadrature, for what is not trained.

    Student's t over two or three seeds would be needlessly wide: the own intervals cover all that varies. It takes
    their place where the scores have none.
    """
    over_seeds = mean_interval([a.value - b.value for a, b in zip(first, second, strict=True)])
    margin = float(np.hypot(_half_width(first), _half_width(second)))
    if np.isnan(margin):
        return over_seeds
    return Interval(over_seeds.value, over_seeds.value - margin, over_seeds.value + margin)


def _half_width(scores: Sequence[Interval]) -> float:
    """Mean half-width of the scores' own intervals; NaN where they have none."""
    return float(np.mean([(score.high - score.low) / 2 for score in scores]))


def _widened(interval: Interval, margin: float) -> Interval:
    """``interval`` with at least ``margin`` to either side; a margin that is NaN says nothing."""
    margin = float(np.fmax(margin, interval.high - interval.value))
    return Interval(interval.value, interval.value - margin, interval.value + margin)
