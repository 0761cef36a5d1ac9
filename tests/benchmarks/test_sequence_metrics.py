"""How long the sequence metrics take beside other ways of the same, in one process on one thread.

``tox -e bench`` prints the figures. Nothing is asserted about time; results are asserted to agree, so that like is
compared with like.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import edlib
import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.kmer import kmer_frequencies
from dnabench_metrics.kmers import kmer_spectrum
from dnabench_metrics.records.sequences import DiversityOptions, KmerJSOptions
from dnabench_metrics.sequences.diversity import Diversity
from dnabench_metrics.sequences.edit_distance import edit_distances
from dnabench_metrics.sequences.gc import GCContent
from dnabench_metrics.sequences.kmer_js import KmerJS
from dnabench_metrics.sequences.uniqueness import Uniqueness

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def report(what: str, ours: float, other: float, beside: str) -> None:
    print(f"\n{what}: {ours:.4f} s; {beside}: {other:.3f} s; {other / ours:.1f} times as fast")


def random_codes(n: int, length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (n, length), dtype=np.uint8)


# 5 to 10 M bases, a thirtieth of the 150,000 x 2,048 bp that a full set has.
@pytest.mark.parametrize(("n", "length"), [(20_000, 256), (5_000, 2_048)])
@pytest.mark.parametrize("k", [4, 6, 8])
def test_a_spectrum_beside_scikit_learn(n, length, k):
    from sklearn.feature_extraction.text import CountVectorizer

    codes = random_codes(n, length)
    texts = SequenceSet(codes).strings()
    kmer_spectrum(codes[:1], k)
    ours, spectrum = best_of(5, lambda: kmer_spectrum(codes, k))
    vectorizer = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False)
    other, matrix = best_of(1, lambda: vectorizer.fit_transform(texts))
    words = SequenceSet(((np.arange(4**k)[:, None] >> (2 * np.arange(k - 1, -1, -1))) & 3).astype(np.uint8)).strings()
    sums = dict(zip(vectorizer.get_feature_names_out(), np.asarray(matrix.sum(0)).ravel(), strict=True))
    assert spectrum.counts.tolist() == [sums.get(word, 0) for word in words]
    report(f"{k}-mer spectrum with its second moments, {n:,} x {length:,} bp", ours, other, "CountVectorizer")


def test_the_kmer_embedding_beside_numpy():
    codes = random_codes(10_000, 256)

    def with_numpy() -> np.ndarray:
        kmers = sum(codes[:, i : 256 - 3 + i].astype(np.int64) * 4 ** (3 - i) for i in range(4))
        cells = kmers + np.arange(len(codes))[:, None] * 256
        return np.bincount(cells.ravel(), minlength=len(codes) * 256).reshape(-1, 256) / 253

    kmer_frequencies(codes[:1], 4)
    ours, frequencies = best_of(3, lambda: kmer_frequencies(codes, 4))
    other, expected = best_of(3, with_numpy)
    np.testing.assert_array_equal(frequencies, expected)
    report("4-mers of each sequence, 10,000 x 256 bp", ours, other, "NumPy")


@pytest.mark.parametrize(("pairs", "length"), [(2_000, 256), (200, 2_048)])
def test_edit_distances_beside_edlib(pairs, length):
    first, second = random_codes(2 * pairs, length).reshape(2, pairs, length)
    edit_distances(first[:1], second[:1])

    def with_edlib() -> list[int]:
        both = zip(first, second, strict=True)
        return [edlib.align(x.tobytes(), y.tobytes(), mode="NW", task="distance")["editDistance"] for x, y in both]

    ours, distances = best_of(3, lambda: edit_distances(first, second))
    other, expected = best_of(2, with_edlib)
    assert distances.tolist() == expected
    report(f"edit distances of {pairs} pairs, {length:,} bp", ours, other, "edlib")


@pytest.mark.parametrize("length", [256, 2_048])
def test_whole_scores(make_context, length):
    sides = SequenceSet(random_codes(20_000, length))
    halves = sides.take(np.arange(10_000)), sides.take(np.arange(10_000, 20_000))
    metrics = {
        "kmer-js": KmerJS(KmerJSOptions()),
        "gc": GCContent(),
        "diversity": Diversity(DiversityOptions()),
        "uniqueness": Uniqueness(),
    }
    for name, metric in metrics.items():
        seconds, score = best_of(
            2,
            lambda metric=metric: metric.score(generated=halves[0], reference=halves[1], context=make_context()),
        )
        assert score.ci_low <= score.value <= score.ci_high
        print(f"\n{name}, 10,000 a side of {length:,} bp: {seconds:.3f} s")
