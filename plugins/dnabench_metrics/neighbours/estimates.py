"""Precision, recall, density and coverage of two sets of embeddings, with standard errors over draws of both.

The variance of a statistic of two independent samples is that over one given the other, on average, plus that of its
mean over the first as the second varies. The first term comes from the side whose mean the statistic is. The second is
a sum over the other side's members j of the squares of e_j, what the statistic would change by without j, averaged over
the first side: the jackknife (Efron and Stein 1981, Ann Stat 9:586). With one sample of the first side at hand, e_j is
a mean of noisy terms, and the squares would count that noise, which the first term holds already, once more. The terms
are therefore summed up in folds, and only products of different folds are taken: their expectation is e_j^2.
"""

from __future__ import annotations

import numpy as np

from dnabench_metrics.compiled import compiled
from dnabench_metrics.features import Estimate
from dnabench_metrics.neighbours.tiles import Neighbours, Rows, membership, nearest_neighbours

#: Folds that one side's members are dealt into, in turn.
FOLDS = 16


def neighbours_of(centres: Rows, k: int) -> Neighbours:
    """The k nearest neighbours of every centre and, where there are enough rows, the next one."""
    return nearest_neighbours(centres, min(k + 1, len(centres) - 1))


def share_in_balls(points: Rows, centres: Rows, neighbours: Neighbours, k: int) -> Estimate:
    """Share of points in the union of the closed balls around the centres that reach their k-th nearest neighbours.

    Kynkäänniemi et al. 2019, eq. 1 and 2. Without centre j, points that only its ball holds are lost, and those are won
    that balls around its neighbours reach when they take in one neighbour more.
    """
    found = membership(points, centres, neighbours, k=k, closed=True, folds=FOLDS)
    n = len(points)
    share = float((found.hits > 0).mean())
    effects = np.zeros((len(centres), FOLDS))
    _share_effects(found.hits, found.ball, found.shells, neighbours.index[:, :k], effects)
    # Leaving out one centre says nothing of a place in several balls; of few places that repeat, each is in or out.
    spread = share * (1 - share)
    variance = max(spread / n + _variance_between(effects / n), spread / effective_count(points))
    return Estimate(share, float(np.sqrt(variance)))


def effective_count(points: Rows) -> float:
    """Of how many different rows a mean has the variance: n^2 over the sum of squared multiplicities (Kish 1965)."""
    rows = np.ascontiguousarray(points.exact + 0.0)  # -0 is 0, in other bytes
    counts = np.unique(rows.view(f"V{rows.itemsize * rows.shape[1]}"), return_counts=True)[1]
    return float(len(rows) ** 2 / np.square(counts).sum())


def density_estimate(points: Rows, centres: Rows, neighbours: Neighbours, k: int) -> Estimate:
    """Mean over points of the number of balls that hold them, over k (Naeem et al. 2020, section 3).

    Without centre j its ball's points are lost, and balls that have it among their k neighbours take in one more.
    """
    found = membership(points, centres, neighbours, k=k, closed=False, folds=FOLDS)
    n = len(points)
    effects = -found.inside.astype(np.float64)
    np.add.at(effects, neighbours.index[:, :k], found.near[:, None, :])
    # The balls that grow have spread of their own, which is in their own terms.
    between = _variance_between(effects / n) - k * _squared_means(found.near / n)
    return Estimate(float(found.hits.mean()) / k, float(np.sqrt(found.hits.var(ddof=1) / n + max(0.0, between))) / k)


def coverage_estimate(points: Rows, centres: Rows, neighbours: Neighbours, k: int) -> Estimate:
    """Share of balls that hold a point (Naeem et al. 2020, section 3).

    It is a mean over the centres, so they give the first term of the variance and the points the second: without a
    point, the balls that hold no other are lost.
    """
    found = membership(points, centres, neighbours, k=k, closed=False, folds=FOLDS)
    m = len(centres)
    counts = found.inside.sum(1)
    covered = counts > 0
    share = float(covered.mean())

    # What a centre's own ball adds counts with all its spread. What the balls of others win without it depends on their
    # places too, and the spread from there is in their own terms: without it, one for each win.
    won = np.zeros(m)
    reached = ~covered & (found.near.sum(1) > 0)
    np.add.at(won, neighbours.index[reached, :k], 1.0)
    change = won - covered
    within = max(0.0, float(np.square(change - change.mean()).sum() - won.sum())) / (m * (m - 1))

    alone = np.flatnonzero(counts == 1)
    effects = np.zeros((len(points), FOLDS))
    np.add.at(effects, (found.point[alone], alone % FOLDS), -1.0 / m)
    return Estimate(share, float(np.sqrt(within + _variance_between(effects))))


def _variance_between(effects: np.ndarray) -> float:
    """Sum over members of the squared effect of each; ``effects`` are its parts, shape ``(members, folds)``."""
    members = len(effects)
    return max(0.0, _squared_means(effects - effects.mean(0)) * (members - 1) / members)


def _squared_means(parts: np.ndarray) -> float:
    """Sum over rows of the square of what a row's independent parts, shape ``(rows, folds)``, add up to on average."""
    folds: int = parts.shape[1]
    squares = float(np.square(parts.sum(1)).sum() - np.square(parts).sum())
    return squares * (folds / (folds - 1))


@compiled
def _share_effects(
    hits: np.ndarray, ball: np.ndarray, shells: np.ndarray, neighbours: np.ndarray, effects: np.ndarray
) -> None:
    """Add to ``effects``, shape ``(balls, folds)``, how many points the union wins or loses without each centre."""
    balls, folds = effects.shape
    seen = np.full(balls, -1)
    for i in range(len(hits)):
        if hits[i] > 1:
            continue
        for shell in shells[i]:
            if shell < 0:
                break
            for j in neighbours[shell]:
                if seen[j] != i:
                    seen[j] = i
                    if hits[i] == 0:
                        effects[j, i % folds] += 1
        if hits[i] == 1 and seen[ball[i]] != i:
            effects[ball[i], i % folds] -= 1
