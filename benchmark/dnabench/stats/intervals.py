"""Intervals over seeds, and paired differences between two generators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """An estimate and the ends of its 95 % interval; the ends are NaN where one value says nothing about spread."""

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


def paired_difference(first: Sequence[Interval], second: Sequence[Interval]) -> Interval:
    """First - second over seeds they share, in order: Student's t over the differences.

    With a single seed the two scores' own intervals are combined in quadrature, as if the scores were independent.
    """
    differences = [a.value - b.value for a, b in zip(first, second, strict=True)]
    if len(differences) > 1:
        return mean_interval(differences)
    a, b = first[0], second[0]
    margin = float(np.hypot(a.high - a.low, b.high - b.low) / 2)
    return Interval(differences[0], differences[0] - margin, differences[0] + margin)
