"""How long the distances between predictions take beside scipy's, in one process on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dnabench_metrics.oracles.agreement import ks_distances

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def test_distances_of_many_tracks_beside_ks_2samp():
    rng = np.random.default_rng(0)
    x, y = rng.random((2000, 500), np.float32), rng.random((2000, 500), np.float32)
    ks_distances(generated=x[:, :1], reference=y[:, :1])  # compiled
    ours, distances = best_of(3, lambda: ks_distances(generated=x, reference=y))
    other, expected = best_of(
        1, lambda: [stats.ks_2samp(x[:, i], y[:, i], method="asymp").statistic for i in range(x.shape[1])]
    )
    np.testing.assert_allclose(distances.by_track, expected, atol=1e-12)
    print(
        f"\nKS of 500 tracks, 2,000 a side, with influences: {ours:.3f} s; scipy, distance alone: {other:.3f} s; "
        f"ratio {ours / other:.2f}"
    )
