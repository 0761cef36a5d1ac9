"""The area under the ROC curve, its 95 % interval and what chance alone gives."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq

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


def auroc_interval(estimate: Estimate, n: int, m: int) -> tuple[float, float]:
    """95 % interval of the AUROC of ``n`` and ``m`` scores: the wider of two at either end.

    DeLong's standard error, normal on the logit scale (Pepe 2003, The Statistical Evaluation of Medical Tests, ch. 5),
    fits every shape of the two laws but has no width at complete separation. Newcombe's (`newcombe_interval`) has, and
    supposes laws of a certain shape. At 0 and 1 the inner end is also at least where ``0.025 ** (1 / min(n, m))`` puts
    it: a share of one side that lies beyond all of the other stays unseen with that chance.
    """
    value, error = estimate
    low, high = newcombe_interval(value, n, m)
    if 0 < value < 1:
        logit, half = math.log(value / (1 - value)), Z95 * error / (value * (1 - value))
        ends = [1 / (1 + math.exp(min(-(logit + step), 700.0))) for step in (-half, half)]
        return min(low, ends[0]), max(high, ends[1])
    unseen = 1 - 0.025 ** (1 / min(n, m))
    return (min(low, 1 - unseen), 1.0) if value else (0.0, max(high, unseen))


def newcombe_interval(value: float, n: int, m: int) -> tuple[float, float]:
    """Newcombe's 95 % interval of an AUROC: the areas t with ``|value - t| <= z sqrt(V(t))``.

    ``V(t) = t (1 - t) (1 + (N - 1) ((1 - t) / (2 - t) + t / (1 + t))) / (n m)`` with ``N = (n + m) / 2``: Hanley and
    McNeil's variance, made symmetric in the sides, at the area that is asked about, not at the one that was found
    (Newcombe 2006, Stat Med 25:559, method 5).
    """
    if value < 0.5:
        low, high = newcombe_interval(1 - value, n, m)
        return 1 - high, 1 - low

    def excess(t: float) -> float:
        """Squared distance over t (1 - t), less what is allowed: falls to its root below the value."""
        distance = (1 - t) / t if value == 1 else (value - t) ** 2 / (t * (1 - t))
        return distance - Z95**2 * (1 + ((n + m) / 2 - 1) * ((1 - t) / (2 - t) + t / (1 + t))) / (n * m)

    edge = 1e-12
    low = float(brentq(excess, edge, value))
    # So close to 1 that the root lies within the edge.
    return low, float(brentq(excess, value, 1 - edge)) if value < 1 - edge and excess(1 - edge) > 0 else 1.0


def null_standard_error(n: int, m: int) -> float:
    """Standard deviation of the AUROC of ``n`` and ``m`` scores of one continuous law (Mann and Whitney 1947)."""
    return math.sqrt((n + m + 1) / (12 * n * m))
