"""How long the hot operations take beside another way of doing the same, in one process on one thread.

``tox -e bench`` prints the figures. Nothing is asserted about time; results are asserted to agree, so that like is
compared with like.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from dnabench import SequenceSet
from dnabench.data.split import relatives

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def report(what: str, ours: float, other: float, beside: str) -> None:
    print(f"\n{what}: {ours:.3f} s; {beside}: {other:.3f} s; ratio {ours / other:.2f}")


def test_grouping_relatives_beside_a_dictionary_of_kmers():
    codes = np.random.default_rng(0).integers(0, 4, (4_000, 256), dtype=np.uint8)
    codes[2000:2100, :100] = codes[:100, 100:200]
    sequences = SequenceSet(codes)
    complement = bytes.maketrans(bytes(range(4)), bytes([3, 2, 1, 0]))

    def with_a_dictionary() -> int:
        parent = list(range(len(codes)))

        def root(i: int) -> int:
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            return i

        first: dict[bytes, int] = {}
        for i, row in enumerate(codes):
            for text in (row.tobytes(), row.tobytes()[::-1].translate(complement)):
                for j in range(256 - 50 + 1):
                    parent[root(i)] = root(first.setdefault(text[j : j + 50], i))
        return len({root(i) for i in range(len(codes))})

    ours, groups = best_of(3, lambda: relatives(sequences, k=50))
    other, count = best_of(1, with_a_dictionary)
    assert len(set(groups.tolist())) == count == 3_900
    report("groups of shared 50-mers, 4,000 x 256 bp", ours, other, "dictionary and union-find in Python")


def test_sliced_wasserstein_beside_pot():
    import ot

    from dnabench_metrics.distances.swd import squared_swd_estimate, unit_directions

    rng = np.random.default_rng(0)
    generated, reference = rng.normal(size=(2_000, 128)), rng.normal(size=(2_000, 128)) + 0.1
    directions = unit_directions(500, 128, seed=0)
    ours, estimate = best_of(
        3, lambda: squared_swd_estimate(generated=generated, reference=reference, directions=directions)
    )
    other, oracle = best_of(3, lambda: ot.sliced_wasserstein_distance(generated, reference, projections=directions.T))
    assert np.sqrt(estimate[0]) == pytest.approx(oracle, rel=1e-6)
    report("SWD with its interval, 2,000 x 128, 500 projections", ours, other, "POT without")


def test_mmd_beside_scikit_learn():
    from sklearn.metrics.pairwise import rbf_kernel as plain_kernel

    from dnabench_metrics.distances.mmd import mmd_estimate, rbf_kernel

    rng = np.random.default_rng(0)
    generated, reference = (rng.normal(size=(4_000, 128)).astype(np.float32) + shift for shift in (0.1, 0))
    widths = [256.0 * 2**i for i in (-2, -1, 0, 1, 2)]

    def with_scikit_learn() -> float:
        def mean(x, y, *, same: bool) -> float:
            kernel = sum(plain_kernel(x, y, gamma=0.5 / width) for width in widths) / len(widths)
            return (kernel.sum() - np.trace(kernel) * same) / (len(x) * (len(y) - same))

        within = mean(generated, generated, same=True) + mean(reference, reference, same=True)
        return within - 2 * mean(generated, reference, same=False)

    kernel = rbf_kernel(256.0, len(widths))
    ours, estimate = best_of(3, lambda: mmd_estimate(generated=generated, reference=reference, kernel=kernel))
    other, oracle = best_of(1, with_scikit_learn)
    assert estimate[0] == pytest.approx(oracle, rel=1e-3)
    report("MMD of five bandwidths with its interval, 4,000 x 128", ours, other, "scikit-learn without")
