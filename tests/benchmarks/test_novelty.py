"""How long the search for training relatives takes, how it grows, and what it finds of planted copies.

``tox -e bench`` prints the figures: processor time, as all runs on one thread. Nothing is asserted about time or
memory; the planted copies must be found.
"""

from __future__ import annotations

import resource
import time

import edlib
import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.novelty.search import TrainSearch

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

KINDS = ("exact", "reverse complement", "substituted", "shifted", "indels")


def substituted(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    copies = codes.copy()
    hit = rng.random(copies.shape) < 0.05
    copies[hit] = (copies[hit] + rng.integers(1, 4, hit.sum())) % 4
    return copies


def with_indels(row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """2 % of the bases deleted, a base inserted after another 2 %, filled up at the end."""
    kept = np.delete(row, np.flatnonzero(rng.random(len(row)) < 0.02))
    places = np.flatnonzero(rng.random(len(kept)) < 0.02)
    longer = np.insert(kept, places, rng.integers(0, 4, len(places)))
    return np.concatenate([longer, rng.integers(0, 4, len(row))])[: len(row)].astype(np.uint8)


def planted(train: np.ndarray, n: int, rng: np.random.Generator) -> tuple[SequenceSet, np.ndarray]:
    """``n`` queries, half of them copies of five kinds in equal parts, and the training rows of those."""
    length = train.shape[1]
    rows = rng.choice(len(train), n // 2, replace=False)
    exact, reverse, substitutions, shifts, indels = np.array_split(rows, 5)
    moved = length // 8
    queries = [
        train[exact],
        substituted(3 - train[reverse][:, ::-1], rng),
        substituted(train[substitutions], rng),
        np.concatenate([train[shifts][:, moved:], rng.integers(0, 4, (len(shifts), moved), dtype=np.uint8)], axis=1),
        np.array([with_indels(train[row], rng) for row in indels]),
        rng.integers(0, 4, (n - n // 2, length), dtype=np.uint8),
    ]
    return SequenceSet(np.concatenate(queries), copy=False), rows


def search(train: SequenceSet, queries: SequenceSet) -> tuple[np.ndarray, float, float]:
    """The neighbours, and the seconds of processor time that the index and the queries took."""
    start = time.process_time()
    index = TrainSearch(train, query_length=queries.length, identity=0.8, kmer=0)
    assert len(index.index.keys)
    middle = time.process_time()
    neighbours = index.nearest(queries)
    return neighbours, middle - start, time.process_time() - middle


def measure(n_train: int, n: int, length: int) -> None:
    rng = np.random.default_rng(0)
    train = rng.integers(0, 4, (n_train, length), dtype=np.uint8)
    search(SequenceSet(train[:100]), SequenceSet(substituted(train[:100], rng)))  # compiles
    queries, rows = planted(train, n, rng)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    neighbours, index, rest = search(SequenceSet(train, copy=False), queries)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = neighbours["train_row"][: len(rows)] == rows
    recall = ", ".join(f"{kind} {part.mean():.4f}" for kind, part in zip(KINDS, np.array_split(found, 5), strict=True))
    print(
        f"\n{n:,} against {n_train:,} x {length:,} bp: {index + rest:.2f} s of one core (index {index:.2f}, "
        f"queries {rest:.2f}); peak of the process {peak / 2**20:.2f} GiB, {before / 2**20:.2f} before; "
        f"found: {recall}; of the random ones {(neighbours['train_row'][len(rows) :] >= 0).mean():.4f}"
    )
    assert found.mean() > 0.999
    assert (neighbours["train_row"][len(rows) :] >= 0).mean() < 0.001


@pytest.mark.parametrize("n", [10_000, 20_000, 40_000, 80_000])
def test_growth_with_the_queries(n):
    measure(60_000, n, 256)


def test_short_sequences():
    measure(60_000, 20_000, 64)


def test_long_sequences():
    measure(150_000, 10_000, 2_048)


def test_beside_aligning_all_pairs():
    rng = np.random.default_rng(0)
    train = rng.integers(0, 4, (2_000, 256), dtype=np.uint8)
    queries = np.concatenate([substituted(train[:20], rng), rng.integers(0, 4, (20, 256), dtype=np.uint8)])
    search(SequenceSet(train[:100]), SequenceSet(queries))  # compiles
    neighbours, index, rest = search(SequenceSet(train), SequenceSet(queries))
    start = time.process_time()
    nearest = np.full(len(queries), -1)
    for i, query in enumerate(queries):
        for strand in (query, 3 - query[::-1]):
            for row, other in enumerate(train):
                if edlib.align(strand.tobytes(), other.tobytes(), k=51)["editDistance"] >= 0:
                    nearest[i] = row
    other = time.process_time() - start
    np.testing.assert_array_equal(neighbours["train_row"], nearest)
    print(
        f"\n40 against 2,000 x 256 bp: {index + rest:.3f} s of one core; edlib on all pairs, unshifted: {other:.3f} s; "
        f"ratio {(index + rest) / other:.3f}"
    )
