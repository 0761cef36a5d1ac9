"""How long the metrics on neighbours take beside prdc and scikit-learn, in one process on one thread, and as n grows.

Nothing is asserted about time; values are asserted to agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from dnabench_metrics.neighbours.authenticity import authentic
from dnabench_metrics.neighbours.estimates import coverage_estimate, density_estimate, neighbours_of, share_in_balls
from dnabench_metrics.neighbours.tiles import comparable, membership, nearest_neighbours

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

K = 5


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def clouds(n: int, dimension: int = 128) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    # Spectrum of real embeddings: a few wide directions and many narrow ones.
    scale = 1 / np.arange(1, dimension + 1)
    return 1.1 * scale * rng.standard_normal((n, dimension)), scale * rng.standard_normal((n, dimension))


def precision(x: np.ndarray, y: np.ndarray):
    points, centres = comparable(x, y)
    return share_in_balls(points, centres, neighbours_of(centres, K), K)


def recall(x: np.ndarray, y: np.ndarray):
    return precision(y, x)


def density(x: np.ndarray, y: np.ndarray):
    points, centres = comparable(x, y)
    return density_estimate(points, centres, neighbours_of(centres, K), K)


def coverage(x: np.ndarray, y: np.ndarray):
    points, centres = comparable(x, y)
    return coverage_estimate(points, centres, neighbours_of(centres, K), K)


METRICS = {"precision": precision, "recall": recall, "density": density, "coverage": coverage}


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    for metric in METRICS.values():
        metric(*clouds(50))


def test_beside_prdc(monkeypatch):
    prdc = pytest.importorskip("prdc.prdc")
    from sklearn.metrics import pairwise_distances

    # It asks for 8 threads; all is on one here.
    monkeypatch.setattr(prdc, "compute_pairwise_distance", lambda x, y=None: pairwise_distances(x, y))
    x, y = clouds(10_000)
    other, expected = timed(lambda: prdc.compute_prdc(real_features=y, fake_features=x, nearest_k=K))
    total = 0.0
    print()
    for name, metric in METRICS.items():
        seconds, estimate = min(timed(lambda metric=metric: metric(x, y)) for _ in range(2))
        assert estimate.value == pytest.approx(expected[name], abs=1e-12)
        total += seconds
        print(f"{name} with its interval, 10,000 x 128: {seconds:.2f} s; value {estimate.value:.6f}")
    print(f"each for itself, all four: {total:.2f} s; prdc, all four at once, without: {other:.2f} s; ", end="")
    print(f"ratio {total / other:.2f}")


def test_authenticity_beside_scikit_learn():
    from sklearn.neighbors import NearestNeighbors

    x, y = clouds(10_000)

    def with_scikit_learn() -> np.ndarray:
        index = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(y)
        distance, nearest = index.kneighbors(x)
        return distance[:, 0] > index.kneighbors()[0][nearest[:, 0], 0]

    ours, flags = min((timed(lambda: authentic(*comparable(x, y))) for _ in range(2)), key=lambda run: run[0])
    other, expected = timed(with_scikit_learn)
    np.testing.assert_array_equal(flags, expected)
    print(f"\nauthenticity, 10,000 x 128: {ours:.2f} s; scikit-learn: {other:.2f} s; ratio {ours / other:.2f}")


def test_what_the_interval_costs():
    x, y = clouds(10_000)

    def value_alone() -> float:
        points, centres = comparable(x, y)
        found = membership(points, centres, nearest_neighbours(centres, K), k=K, closed=True, folds=1)
        return float((found.hits > 0).mean())

    alone, value = min(timed(value_alone) for _ in range(3))
    both, estimate = min(timed(lambda: precision(x, y)) for _ in range(3))
    assert estimate.value == value
    print(f"\nprecision with its interval: {both:.2f} s; the value alone: {alone:.2f} s; ratio {both / alone:.2f}")


def test_growth_with_n():
    print()
    for n in (2_500, 5_000, 10_000, 20_000):
        seconds, estimate = timed(lambda n=n: precision(*clouds(n)))
        assert 0 < estimate.value < 1
        print(f"precision with its interval, {n:,} x 128: {seconds:.2f} s")
