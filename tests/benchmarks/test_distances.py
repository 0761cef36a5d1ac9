"""How long `fred`, `swd` and `mmd` take beside the usual ways of the same, in one process on one thread.

``tox -e bench`` prints the figures, and what an interval adds to its value. Nothing is asserted about time or memory;
results are asserted to agree, so that like is compared with like.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_limits

from dnabench_metrics.distances.frechet import frechet_distance, frechet_estimate, trace_of_root
from dnabench_metrics.distances.mmd import TILE, cubic_estimate, mmd_estimate, rbf_estimate, rbf_kernel
from dnabench_metrics.distances.swd import squared_swd_estimate, unit_directions

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

#: Variances of the five kernels around a median squared distance of 256.
WIDTHS = [256.0 * 2**i for i in (-2, -1, 0, 1, 2)]


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(1):
        yield


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def peak_of(function: Callable[[], Any]) -> float:
    """Peak of what NumPy had allocated meanwhile, in MB."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def report(what: str, ours: float, other: float, beside: str) -> None:
    print(f"\n{what}: {ours:.4f} s; {beside}: {other:.4f} s; {other / ours:.1f} times as fast")


def report_interval(what: str, whole: float, alone: float) -> None:
    print(f"{what}: {whole:.4f} s; the value alone: {alone:.4f} s; ratio {whole / alone:.2f}")


def clouds(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """A Gaussian with full covariance around 0.1, and a standard one: float64, shape ``(n, d)`` each."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((d, d)) / np.sqrt(d)
    return rng.standard_normal((n, d)) @ mixing + 0.1, rng.standard_normal((n, d))


def test_the_trace_of_the_root_beside_scipy():
    cov_x, cov_y = (np.cov(side, rowvar=False) for side in clouds(5_000, 512))
    ours, trace = best_of(5, lambda: trace_of_root(cov_x, cov_y))
    other, root = best_of(2, lambda: scipy.linalg.sqrtm(cov_x @ cov_y))
    assert trace == pytest.approx(np.trace(root).real, rel=1e-6)
    report("trace of the root of the product of two covariances, d = 512", ours, other, "scipy.linalg.sqrtm")


@pytest.mark.parametrize("n", [1_000, 5_000])
def test_the_frechet_distance_beside_the_usual_formula(n):
    x, y = clouds(n, 512)

    def by_the_usual_formula() -> float:
        cov_x, cov_y = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
        shift = x.mean(0) - y.mean(0)
        root = scipy.linalg.sqrtm(cov_x @ cov_y)
        return shift @ shift + np.trace(cov_x) + np.trace(cov_y) - 2 * np.trace(root).real

    def covariances() -> list[np.ndarray]:
        return [centred.T @ centred / (n - 1) for centred in (x - x.mean(0), y - y.mean(0))]

    ours, value = best_of(10, lambda: frechet_distance(generated=x, reference=y))
    whole, estimate = best_of(10, lambda: frechet_estimate(generated=x, reference=y))
    other, expected = best_of(2, by_the_usual_formula)
    assert value == pytest.approx(expected, rel=1e-6)
    assert estimate.value == pytest.approx(expected, rel=1e-6)
    what = f"Fréchet distance, {n:,} x 512"
    report(f"{what}, value", ours, other, "np.cov and scipy.linalg.sqrtm")
    report(f"{what}, with interval and bias", whole, other, "np.cov and scipy.linalg.sqrtm without")
    report_interval(f"{what}, with interval and bias", whole, ours)
    print(f"of which the two covariances, which any way needs: {best_of(3, covariances)[0]:.4f} s")


@pytest.mark.parametrize("d", [64, 256])
def test_what_the_interval_and_the_bias_of_the_frechet_distance_cost(d):
    x, y = clouds(10_000, d)
    alone, value = best_of(10, lambda: frechet_distance(generated=x, reference=y))
    whole, estimate = best_of(10, lambda: frechet_estimate(generated=x, reference=y))
    assert estimate.value == pytest.approx(value, rel=1e-9)
    report_interval(f"\nFréchet distance, 10,000 x {d}, with interval and bias", whole, alone)


def test_sliced_wasserstein_beside_pot():
    import ot

    x, y = clouds(10_000, 64)
    directions = unit_directions(1_000, 64, seed=0)

    def value_alone() -> float:
        total = 0.0
        for start in range(0, len(directions), 32):
            chunk = directions[start : start + 32].astype(np.float32)
            sides = [chunk @ side.T for side in singles]
            for side in sides:
                side.sort(axis=1)
            total += float(np.square(sides[0] - sides[1]).mean(1).sum(dtype=np.float64))
        return total / len(directions)

    singles = x.astype(np.float32), y.astype(np.float32)
    ours, estimate = best_of(3, lambda: squared_swd_estimate(generated=x, reference=y, directions=directions))
    alone, value = best_of(3, value_alone)
    other, expected = best_of(1, lambda: ot.sliced_wasserstein_distance(x, y, projections=directions.T))
    assert np.sqrt(estimate.value) == pytest.approx(expected, rel=1e-6)
    assert value == pytest.approx(estimate.value, rel=1e-5)
    what = "SWD, 10,000 x 64, 1,000 projections, with its interval"
    report(what, ours, other, "POT without")
    report_interval(what, ours, alone)


def test_mmd_beside_scikit_learn():
    x, y = mmd_sides(10_000)
    ours, estimate = best_of(3, lambda: mmd_estimate(generated=x, reference=y, kernel=rbf_kernel(256.0, len(WIDTHS))))
    alone, value = best_of(3, lambda: mmd_alone(x, y))
    other, expected = best_of(1, lambda: mmd_with_scikit_learn(x, y))
    assert estimate.value == pytest.approx(expected, rel=1e-6)
    assert value == pytest.approx(expected, rel=1e-6)
    what = "MMD of five bandwidths, 10,000 x 128, with its interval"
    report(what, ours, other, "scikit-learn without")
    report_interval(what, ours, alone)


def test_the_memory_of_mmd_beside_scikit_learn():
    for n in (5_000, 10_000):
        x, y = (side.astype(np.float64) for side in mmd_sides(n))
        ours = peak_of(lambda x=x, y=y: rbf_estimate(generated=x, reference=y, bandwidths=len(WIDTHS)))
        print(f"\nMMD of five bandwidths, {n:,} x 128: {ours:.0f} MB beside the embeddings", end="")
    x, y = mmd_sides(5_000)
    other = peak_of(lambda: mmd_with_scikit_learn(x, y))
    print(f"\nscikit-learn, one full matrix at a time, 5,000 x 128: {other:.0f} MB, and in proportion to n^2")


def test_the_cubic_mmd_beside_scikit_learn():
    from sklearn.metrics.pairwise import polynomial_kernel

    x, y = clouds(5_000, 64)

    def with_scikit_learn() -> float:
        def mean(a: np.ndarray, b: np.ndarray, *, same: bool) -> float:
            kernel = polynomial_kernel(a, b, degree=3)
            return (kernel.sum() - np.trace(kernel) * same) / (len(a) * (len(b) - same))

        return mean(x, x, same=True) + mean(y, y, same=True) - 2 * mean(x, y, same=False)

    ours, estimate = best_of(3, lambda: cubic_estimate(generated=x, reference=y))
    other, expected = best_of(2, with_scikit_learn)
    assert estimate.value == pytest.approx(expected, rel=1e-9)
    report("KID over all pairs, 5,000 x 64, with its interval", ours, other, "scikit-learn without")


def mmd_sides(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((n, 128)).astype(np.float32) for _ in range(2))
    return x + np.float32(0.25), y


def mmd_with_scikit_learn(x: np.ndarray, y: np.ndarray) -> float:
    from sklearn.metrics.pairwise import rbf_kernel as plain_kernel

    def mean(a: np.ndarray, b: np.ndarray, *, same: bool) -> float:
        kernel = sum(plain_kernel(a, b, gamma=0.5 / width) for width in WIDTHS) / len(WIDTHS)
        return (kernel.sum() - np.trace(kernel) * same) / (len(a) * (len(b) - same))

    x, y = x.astype(np.float64), y.astype(np.float64)
    return mean(x, x, same=True) + mean(y, y, same=True) - 2 * mean(x, y, same=False)


def mmd_alone(x: np.ndarray, y: np.ndarray) -> float:
    """The value from sums over the same tiles, without the sums of rows that the interval needs."""
    kernel = rbf_kernel(256.0, len(WIDTHS))
    height, width = TILE

    def across(a: np.ndarray, b: np.ndarray) -> float:
        return sum(
            float(kernel(a[top : top + height], b[start : start + width]).sum(dtype=np.float64))
            for top in range(0, len(a), height)
            for start in range(0, len(b), width)
        )

    def within(a: np.ndarray) -> float:
        total = 0.0
        for top in range(0, len(a), height):
            rows, rest = a[top : top + height], a[top + height :]
            tile = kernel(rows, rows)
            total += float(tile.sum(dtype=np.float64) - np.trace(tile)) + 2 * across(rows, rest)
        return total

    n, m = len(x), len(y)
    return within(x) / (n * (n - 1)) + within(y) / (m * (m - 1)) - 2 * across(x, y) / (n * m)
