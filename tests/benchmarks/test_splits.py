"""What grouping and the leak report cost in time and memory, beside sorting as many hashes as there are windows.

``tox -e bench`` prints the figures. Nothing is asserted about time or memory; results are asserted to be those planted.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench.data.leaks import leak_report
from dnabench.data.split import relatives

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


def best_of(repeats: int, function: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def peak_of(function: Callable[[], Any]) -> tuple[float, Any]:
    tracemalloc.start()
    result = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20, result


def measure(what: str, function: Callable[[], Any], *, windows: int) -> Any:
    peak, result = peak_of(function)
    hashes = np.random.default_rng(0).integers(0, 2**64, windows, dtype=np.uint64)
    ours, floor = best_of(3, function), best_of(3, lambda: np.sort(hashes))
    print(
        f"\n{what}: {ours:.2f} s, peak {peak:.0f} MiB; np.sort of {windows / 1e6:.1f} M hashes: {floor:.2f} s, "
        f"{2 * 8 * windows / 2**20:.0f} MiB with what it sorts; ratio {ours / floor:.1f}"
    )
    return result


def with_copies(n: int, copies: int) -> SequenceSet:
    """``n`` random sequences of 256 bp; each of the last ``copies`` has 250 bp of one of the first ones."""
    codes = np.random.default_rng(0).integers(0, 4, (n, 256), dtype=np.uint8)
    codes[n - copies :, :250] = codes[:copies, 6:]
    return SequenceSet(codes)


@pytest.mark.parametrize("n", [39_000, 78_000])
def test_grouping(n):
    sequences = with_copies(n, 1_000)
    groups = measure(f"groups of {n:,} x 256 bp", lambda: relatives(sequences, k=50), windows=n * 207)
    assert groups.max() + 1 == n - 1_000


@pytest.mark.parametrize("n", [39_000, 78_000])
def test_leak_report(n):
    sequences = with_copies(n, 1_000)
    train, held_out = sequences.take(np.arange(n * 9 // 10)), sequences.take(np.arange(n * 9 // 10, n))
    report = measure(
        f"leaks of {len(held_out):,} in {len(train):,} x 256 bp",
        lambda: leak_report(train=train, held_out=held_out),
        windows=n * 232,
    )
    assert (report.relatives, report.any_shared, report.duplicates) == (1_000, 1_000, 0)


def test_leak_report_of_large_families():
    rng = np.random.default_rng(0)
    modules = rng.integers(0, 4, (300, 128), dtype=np.uint8)
    codes = np.concatenate([modules[rng.integers(0, 300, 78_000)] for _ in range(2)], axis=1)
    sequences = SequenceSet(codes)
    train, held_out = sequences.take(np.arange(70_200)), sequences.take(np.arange(70_200, 78_000))
    report = measure(
        "leaks of 7,800 in 70,200, all of two of 300 modules",
        lambda: leak_report(train=train, held_out=held_out),
        windows=78_000 * 232,
    )
    assert report.any_shared == 7_800
