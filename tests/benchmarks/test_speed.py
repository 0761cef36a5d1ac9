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

from dnabench import SequenceSet
from dnabench.data.split import relatives

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


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
