"""What a tile of rounded inner products says: loops over its pairs, compiled.

A lower bound of the squared distance of a pair is ``least_x + least_y - 2 x . y`` (see `tiles`). Where that does not
rule the pair out, its distance is summed up from the differences of the coordinates, always in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench_metrics.compiled import compiled

if TYPE_CHECKING:
    import numpy as np


@compiled
def _squared_distance(x: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for dimension in range(len(x)):
        difference = x[dimension] - y[dimension]
        total += difference * difference
    return total


@compiled
def _insert(squared: np.ndarray, index: np.ndarray, distance: float, other: int) -> None:
    """Put ``other`` into one row's list, sorted by distance and then by number, and drop the list's last."""
    place = len(squared) - 1
    if distance > squared[place] or (distance == squared[place] and other > index[place]):
        return
    while place > 0 and (
        distance < squared[place - 1] or (distance == squared[place - 1] and other < index[place - 1])
    ):
        squared[place], index[place] = squared[place - 1], index[place - 1]
        place -= 1
    squared[place], index[place] = distance, other


@compiled
def keep_nearest(
    products: np.ndarray,
    top: int,
    start: int,
    exact: np.ndarray,
    least: np.ndarray,
    squared: np.ndarray,
    index: np.ndarray,
    reach: np.ndarray,
) -> None:
    """Enter the pairs of a tile on or above the diagonal into the lists of both their rows.

    ``reach`` is the last column of ``squared``, kept apart because all of a tile's pairs are compared with it.
    """
    last = squared.shape[1] - 1
    least_b = least[start : start + products.shape[1]]
    # Reaches only shrink, so those from before the tile miss nothing.
    gap = least_b - reach[start : start + products.shape[1]]
    for a in range(products.shape[0]):
        i = top + a
        row, gap_a = products[a], least[i] - reach[i]
        near = 0  # counting first: a loop without branches runs on vectors
        for b in range(len(row)):
            near += (gap_a + least_b[b] <= 2 * row[b]) | (least[i] + gap[b] <= 2 * row[b])
        if near == 0:
            continue
        for b in range(products.shape[1]):
            j = start + b
            low = least[i] + least[j] - 2 * products[a, b]
            if j > i and (low <= reach[i] or low <= reach[j]):
                # Copies of more than `count` rows fill the lists with zeros, and no later row is nearer than that.
                if reach[i] == 0 and reach[j] == 0 and index[i, last] < j and index[j, last] < i:
                    continue
                distance = _squared_distance(exact[i], exact[j])
                _insert(squared[i], index[i], distance, j)
                _insert(squared[j], index[j], distance, i)
                reach[i], reach[j] = squared[i, last], squared[j, last]


@compiled
def keep_nearest_across(
    products: np.ndarray,
    top: int,
    start: int,
    points: np.ndarray,
    others: np.ndarray,
    least_p: np.ndarray,
    least_o: np.ndarray,
    itself: np.ndarray,
    squared: np.ndarray,
    index: np.ndarray,
) -> None:
    """Enter the pairs of a tile into the lists of its rows."""
    least_b = least_o[start : start + products.shape[1]]
    for a in range(products.shape[0]):
        i = top + a
        row, gap_a = products[a], least_p[i] - squared[i, 0]
        near = 0
        for b in range(len(row)):
            near += gap_a + least_b[b] <= 2 * row[b]
        if near == 0:
            continue
        for b in range(products.shape[1]):
            j = start + b
            low = least_p[i] + least_o[j] - 2 * products[a, b]
            if low <= squared[i, 0] and squared[i, 0] > 0 and j != itself[i]:
                _insert(squared[i], index[i], _squared_distance(points[i], others[j]), j)


@compiled
def find_members(
    products: np.ndarray,
    top: int,
    start: int,
    points: np.ndarray,
    centres: np.ndarray,
    least_p: np.ndarray,
    least_c: np.ndarray,
    slack_p: np.ndarray,
    slack_c: np.ndarray,
    radii: np.ndarray,
    wider: np.ndarray,
    closed: bool,
    hits: np.ndarray,
    ball: np.ndarray,
    shells: np.ndarray,
    inside: np.ndarray,
    near: np.ndarray,
    point: np.ndarray,
) -> None:
    """Enter what a tile says of its points (rows) and balls (columns)."""
    folds = inside.shape[1]
    gap = least_c[start : start + products.shape[1]] - wider[start : start + products.shape[1]]
    for a in range(products.shape[0]):
        i = top + a
        row, fold = products[a], i % folds
        close = 0
        for b in range(len(row)):
            close += least_p[i] + gap[b] <= 2 * row[b]
        if close == 0:
            continue
        shelled = 0
        while shelled < shells.shape[1] and shells[i, shelled] >= 0:
            shelled += 1
        for b in range(products.shape[1]):
            j = start + b
            low = least_p[i] + least_c[j] - 2 * products[a, b]
            if low > wider[j]:
                continue
            slack = slack_p[i] + slack_c[j]
            distance = low + slack
            if abs(distance - radii[j]) <= slack or abs(distance - wider[j]) <= slack:
                distance = _squared_distance(points[i], centres[j])
            if distance < radii[j] or (distance == radii[j] and (closed or distance == 0)):
                hits[i] += 1
                ball[i] = j
                inside[j, fold] += 1
                point[j] = i
            elif distance < wider[j] or (closed and distance == wider[j]):
                near[j, fold] += 1
                if shelled < shells.shape[1]:
                    shells[i, shelled] = j
                    shelled += 1
