"""The area under the ROC curve, with DeLong's standard error and what chance alone gives."""

from __future__ import annotations

import math

import numpy as np

from dnabench_metrics.features import Z95, Estimate, standard_error


def midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 on, ties at the mean of their ranks: float64, shape ``(n,)``."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def auroc_estimate(*, generated: np.ndarray, reference: np.ndarray) -> Estimate:
    """P(score of generated > score of reference) + P(equal) / 2, and its standard error.

    The standard error is that of DeLong et al. (1988), whose structural components are the shares of the
    other side that an observation beats; they come from midranks (Sun and Xu 2014, IEEE Signal Process Lett 21:1389).

    Args:
        generated: float, shape ``(n,)``, n >= 2.
        reference: float, shape ``(m,)``, m >= 2.
    """
    n, m = len(generated), len(reference)
    ranks = midranks(np.concatenate([generated, reference]))
    beats = (ranks[:n] - midranks(generated)) / m
    beaten = 1 - (ranks[n:] - midranks(reference)) / n
    return Estimate(float(beats.mean()), standard_error(beats, beaten))


def auroc_interval(estimate: Estimate) -> tuple[float, float]:
    """95 % interval, normal on the logit scale (Pepe 2003, ch. 5): inside [0, 1], and without width at either end."""
    value, error = estimate
    if value in (0.0, 1.0) or error == 0:
        return value, value
    centre, half = math.log(value / (1 - value)), Z95 * error / (value * (1 - value))
    low, high = (1 / (1 + math.exp(min(-(centre + step), 700.0))) for step in (-half, half))
    return low, high


def null_standard_error(n: int, m: int) -> float:
    """Standard deviation of the AUROC of ``n`` and ``m`` scores of one continuous law (Mann and Whitney 1947)."""
    return math.sqrt((n + m + 1) / (12 * n * m))
