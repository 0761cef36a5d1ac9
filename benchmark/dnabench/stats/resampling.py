"""How mean scores would vary if every generator were trained and sampled again: bootstrap draws, and what they bound.

Three seeds are too few for the bootstrap of Efron: resampling three normal numbers gives intervals of their mean that
miss it a third of the time. The draws here weight the seeds' residuals instead (a multiplier bootstrap): with normal
weights over the root of a chi-square, the draws of any difference of two generators' means on a metric have Student's t
distribution with as many degrees of freedom as there are seeds less one, which is exact for normal scores, however few.
The weights of a seed are the same for all generators, which pairs them by seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dnabench.seeds import derive_seed

CONFIDENCE = 0.95
DRAWS = 10_000
_NORMAL_QUANTILE = 1.959963984540054


def error_draws(
    values: np.ndarray, half_widths: np.ndarray, names: Sequence[str], metrics: Sequence[str]
) -> np.ndarray:
    """Draws of the errors of the means over seeds.

    Two levels: the spread over seeds, and within a seed that of the score itself, as its own 95 % interval tells it.
    Scores of different seeds differ by both, so the second adds only what the first does not show, such as that of a
    reference that all seeds share: the error's variance is the larger of the two.

    Args:
        values: scores, float64 (generators, metrics, seeds).
        half_widths: the mean half-width of the scores' own 95 % intervals, (generators, metrics); NaN for none.
        names: of the generators, which seed what is drawn for each alone: a generator more changes nobody's draws.
        metrics: their labels; they seed what all generators share.

    Returns:
        float64 (DRAWS, generators, metrics).
    """
    n_seeds = values.shape[2]
    residuals = values - values.mean(axis=2, keepdims=True)
    errors = np.zeros((DRAWS, *values.shape[:2]))
    standard_errors = np.zeros(values.shape[:2])
    if n_seeds > 1:
        standard_errors = np.sqrt((residuals**2).sum(axis=2) / (n_seeds * (n_seeds - 1)))
        weights = _generator("seeds", "").standard_normal((DRAWS, n_seeds)) / np.sqrt(n_seeds * (n_seeds - 1))
        for m, metric in enumerate(metrics):
            scale = np.sqrt(_generator("scale", metric).chisquare(n_seeds - 1, DRAWS) / (n_seeds - 1))
            for s in range(n_seeds):
                errors[:, :, m] += (weights[:, s] / scale)[:, None] * residuals[:, m, s]
    own = np.nan_to_num(half_widths) / _NORMAL_QUANTILE
    unseen = np.sqrt(np.maximum(own**2 - standard_errors**2, 0))
    for g, name in enumerate(names):
        for m, metric in enumerate(metrics):
            if unseen[g, m] > 0:
                errors[:, g, m] += unseen[g, m] * _generator(metric, name).standard_normal(DRAWS)
    return errors


def half_widths(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half-widths that 95 % of the draws stay within: in each metric alone, and in all metrics at once.

    The second are balanced (Beran 1988, JASA 83:679): each metric is given the same level, as strict as all of them
    together need, between 95 % where they move together and Bonferroni's where they do not.

    Args:
        errors: draws of the error of a difference, (DRAWS, metrics).

    Returns:
        Two float64 (metrics,); 0 for a metric without any spread.
    """
    order = np.abs(errors).argsort(axis=0)
    sizes = np.take_along_axis(np.abs(errors), order, axis=0)
    ranks = np.empty(errors.shape, np.int64)
    np.put_along_axis(ranks, order, np.arange(len(errors))[:, None], axis=0)
    ranks[:, sizes[-1] == 0] = 0
    at = int(np.ceil(CONFIDENCE * len(errors))) - 1
    return sizes[at], sizes[np.sort(ranks.max(axis=1))[at]]


def percentile_interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the central 95 % of draws, along their first axis."""
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return low, high


def _generator(what: str, name: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed("ranking", repeat=0, dataset=what, generator=name))
