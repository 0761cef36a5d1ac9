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
        float64 (generators, metrics, DRAWS).
    """
    n_seeds = values.shape[2]
    residuals = values - values.mean(axis=2, keepdims=True)
    errors = np.zeros((*values.shape[:2], DRAWS))
    standard_errors = np.zeros(values.shape[:2])
    if n_seeds > 1:
        standard_errors = np.sqrt((residuals**2).sum(axis=2) / (n_seeds * (n_seeds - 1)))
        weights = _generator("seeds", "").standard_normal((DRAWS, n_seeds)) / np.sqrt(n_seeds * (n_seeds - 1))
        for m, metric in enumerate(metrics):
            scale = np.sqrt(_generator("scale", metric).chisquare(n_seeds - 1, DRAWS) / (n_seeds - 1))
            for s in range(n_seeds):
                errors[:, m] += residuals[:, m, s, None] * (weights[:, s] / scale)
    own = np.nan_to_num(half_widths) / _NORMAL_QUANTILE
    unseen = np.sqrt(np.maximum(own**2 - standard_errors**2, 0))
    for g, name in enumerate(names):
        for m, metric in enumerate(metrics):
            if unseen[g, m] > 0:
                errors[g, m] += unseen[g, m] * _generator(metric, name).standard_normal(DRAWS)
    return errors


def half_widths(errors: np.ndarray) -> np.ndarray:
    """Half-widths that 95 % of the draws stay within, in each metric by itself.

    Args:
        errors: draws of the error of a difference, (metrics, DRAWS).

    Returns:
        float64 (metrics,); 0 for a metric without any spread.
    """
    widths: np.ndarray = np.partition(np.abs(errors), _last_inside(errors), axis=1)[:, _last_inside(errors)]
    return widths


def joint_half_widths(errors: np.ndarray) -> np.ndarray:
    """Half-widths that 95 % of the draws stay within in all metrics at once; shapes as of :func:`half_widths`.

    They are balanced (Beran 1988, JASA 83:679): each metric is given the same level, as strict as all of them together
    need, between 95 % where they move together and Bonferroni's where they do not.
    """
    at = _last_inside(errors)
    sizes = np.abs(errors)
    # A draw whose rank is at most `at` in every metric is inside, however strict the level: only the largest matter.
    top = np.argpartition(sizes, at, axis=1)[:, at:]
    order = np.argsort(np.take_along_axis(sizes, top, axis=1), axis=1)
    top = np.take_along_axis(top, order, axis=1)
    highest = np.zeros(errors.shape[1], np.int64)
    for m in np.flatnonzero(sizes.max(axis=1) > 0):
        highest[top[m]] = np.maximum(highest[top[m]], np.arange(top.shape[1]))
    level = np.partition(highest, at)[at]
    widths: np.ndarray = np.take_along_axis(sizes, top[:, [level]], axis=1)[:, 0]
    return widths


def percentile_interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the central 95 % of draws, along their last axis."""
    low = np.quantile(draws, (1 - CONFIDENCE) / 2, axis=-1, method="higher")
    high = np.quantile(draws, (1 + CONFIDENCE) / 2, axis=-1, method="lower")
    return low, high


def _last_inside(errors: np.ndarray) -> int:
    """The index, by size, of the last draw that the interval holds."""
    return int(np.ceil(CONFIDENCE * errors.shape[1])) - 1


def _generator(what: str, name: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed("ranking", repeat=0, dataset=what, generator=name))
