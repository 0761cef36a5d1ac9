"""Pearson correlations of two vectors of means, with the influence of every sequence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dnabench_metrics.features import Z95


class Correlation(NamedTuple):
    """A correlation and how much of it the data tell.

    Attributes:
        value: r.
        slopes_generated, slopes_reference: its derivatives by the entries of the two vectors, shape ``(k,)``.
        unknown: how far r may be from ``value`` besides its noise: 1 where it is 0 for want of data, else 0.
    """

    value: float
    slopes_generated: np.ndarray
    slopes_reference: np.ndarray
    unknown: float


def pearson(*, generated: np.ndarray, reference: np.ndarray) -> Correlation:
    """The correlation a . b / (|a| |b|), a and b the centred vectors; 0, without slopes, where either is constant.

    The derivative by the entries of the first vector is ``b / (|a| |b|) - r a / |a|^2``, and the other way round.

    Args:
        generated, reference: float64, shape ``(k,)``.
    """
    none = np.zeros(len(generated))
    if np.ptp(generated) == 0 or np.ptp(reference) == 0:
        return Correlation(0.0, none, none, 1.0)
    a, b = generated - generated.mean(), reference - reference.mean()
    size_a, size_b = np.linalg.norm(a), np.linalg.norm(b)
    a, b = a / size_a, b / size_b
    value = float(np.clip(a @ b, -1, 1))
    return Correlation(value, (b - value * a) / size_a, (a - value * b) / size_b, 0.0)


def interval(value: float, error: float, unknown: float) -> tuple[float, float]:
    """The normal 95 % interval of a correlation with standard error ``error``, cut off at -1 and 1.

    ``unknown`` is added on both sides: see `Correlation`.

    Not in Fisher's artanh r, which is for correlations over independent pairs. Here the sequences are what is drawn,
    and r near 1 is a squared distance near 0: artanh would stretch its noise without bound.
    """
    margin = Z95 * error + unknown
    return max(-1.0, value - margin), min(1.0, value + margin)
