"""How long the metrics that seqme 0.5 has as well take beside it, in one process on one thread; where it is installed.

Ours come with their intervals, which seqme's have not. Nothing is asserted about time; values are asserted to agree.
What seqme works out of the reference in its constructor is counted, as we work it out too; embedding is not.

Not here, as the definitions differ: ClippedDensity and ClippedCoverage (clipped and normed; density and coverage are
not) and KLDivergence (of kernel density estimates of one property; `gc` compares the values themselves). Our `novelty`
looks for relatives; what seqme calls novelty is one less its part `exact`, on one strand. Our `mmd` is unbiased, with
five bandwidths around the median distance; seqme's default is biased, with one of 10 whatever the embedder, times
1,000. Its unbiased estimate with one bandwidth is compared with our estimate with that kernel.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from dnabench import SequenceSet
from dnabench_metrics.distances.frechet import frechet_distance, frechet_estimate
from dnabench_metrics.distances.mmd import cubic_estimate, mmd_estimate, rbf_estimate, rbf_kernel
from dnabench_metrics.neighbours.authenticity import authentic
from dnabench_metrics.neighbours.estimates import effective_count, neighbours_of, share_in_balls
from dnabench_metrics.neighbours.intervals import share_score
from dnabench_metrics.neighbours.tiles import comparable
from dnabench_metrics.novelty.identical import distinct, find_identical
from dnabench_metrics.novelty.intervals import share
from dnabench_metrics.sequences.diversity import mean_over_pairs, spread_pairs
from dnabench_metrics.sequences.edit_distance import edit_distances
from dnabench_metrics.sequences.uniqueness import distinct_share, multiplicities

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

peer = pytest.importorskip("seqme").metrics
torch = pytest.importorskip("torch")

K = 5


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


def best_of(repeats: int, function: Callable[[], Any]) -> tuple[float, Any]:
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def report(what: str, ours: float, other: float) -> None:
    print(f"\n{what}, with its interval: {ours:.4f} s; seqme without: {other:.4f} s; {other / ours:.1f} times as fast")


def clouds(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Float64, shape ``(n, d)`` each; a spectrum as of real embeddings, a few wide directions and many narrow ones."""
    rng = np.random.default_rng(0)
    scale = 10 / np.arange(1, d + 1)
    return 1.1 * scale * rng.standard_normal((n, d)) + 0.1, scale * rng.standard_normal((n, d))


def seqme_value(metric: Callable[..., Any], generated: np.ndarray, reference: np.ndarray) -> float:
    """What a metric of seqme says of two feature matrices; ``metric`` takes reference texts and an embedder."""
    features = {"generated": generated, "reference": reference}
    whole = metric(["reference"] * len(reference), lambda texts: features[texts[0]])
    return whole(["generated"] * len(generated)).value


def random_codes(n: int, length: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (n, length), dtype=np.uint8)


def best_on_new_strings(repeats: int, sets: list[SequenceSet], function: Callable[..., float]) -> tuple[float, float]:
    """Best time of ``function`` on the sets as strings. Making them is not counted; they are new every time.

    Python remembers a string's hash.
    """
    seconds, value = [], np.nan
    for _ in range(repeats):
        texts = [sequences.strings() for sequences in sets]
        start = time.perf_counter()
        value = function(*texts)
        seconds.append(time.perf_counter() - start)
    return min(seconds), value


@pytest.mark.parametrize(("n", "d"), [(10_000, 64), (5_000, 512)])
def test_fbd(n, d):
    x, y = clouds(n, d)
    alone, value = best_of(10, lambda: frechet_distance(generated=x, reference=y))
    ours, estimate = best_of(10, lambda: frechet_estimate(generated=x, reference=y))
    other, expected = best_of(5, lambda: seqme_value(peer.FBD, x, y))
    assert value == pytest.approx(expected, rel=1e-6)
    assert estimate.value == pytest.approx(expected, rel=1e-6)
    report(f"fred and FBD, {n:,} x {d}", ours, other)
    print(f"the value alone: {alone:.4f} s; {other / alone:.1f} times as fast")


def test_kid():
    x, y = clouds(5_000, 64)
    ours, estimate = best_of(3, lambda: cubic_estimate(generated=x, reference=y))
    other, expected = best_of(
        2, lambda: seqme_value(lambda texts, embed: peer.KID(texts, embed, estimate="unbiased"), x, y)
    )
    assert estimate.value == pytest.approx(expected, rel=1e-9)
    report("mmd with the cubic kernel and KID, unbiased, 5,000 x 64", ours, other)


def test_mmd():
    x, y = clouds(5_000, 64)

    def of_one_bandwidth():
        singles = x.astype(np.float32), y.astype(np.float32)
        return mmd_estimate(generated=singles[0], reference=singles[1], kernel=rbf_kernel(10.0**2, 1))

    ours, estimate = best_of(3, of_one_bandwidth)
    five, _ = best_of(3, lambda: rbf_estimate(generated=x, reference=y, bandwidths=5))
    other, expected = best_of(
        2, lambda: seqme_value(lambda texts, embed: peer.MMD(texts, embed, estimate="unbiased", scale=1), x, y)
    )
    assert estimate.value == pytest.approx(expected, rel=1e-5)
    report("mmd and MMD, unbiased, one bandwidth of 10, 5,000 x 64", ours, other)
    print(f"mmd of five bandwidths and the median that they are made from: {five:.4f} s")


@pytest.mark.parametrize("d", [64, 128])
def test_precision_and_recall(d):
    x, y = clouds(5_000, d)

    def ours_of(points: np.ndarray, centres: np.ndarray):
        points, centres = comparable(points, centres)
        return share_score(share_in_balls(points, centres, neighbours_of(centres, K), K), effective_count(points))

    ours_of(x[:50], y[:50])
    for name, sides in (("Precision", (x, y)), ("Recall", (y, x))):
        ours, score = best_of(3, lambda sides=sides: ours_of(*sides))
        other, expected = best_of(
            2, lambda name=name: seqme_value(lambda texts, embed: getattr(peer, name)(K, texts, embed), x, y)
        )
        assert score.value == expected
        report(f"{name.lower()}, 5,000 x {d}", ours, other)


def test_authenticity():
    x, train = clouds(5_000, 64)
    x[:500] = train[:500] + 1e-3
    authentic(*comparable(x[:50], train[:50]))
    ours, score = best_of(3, lambda: share(authentic(*comparable(x, train))))
    other, expected = best_of(2, lambda: seqme_value(peer.AuthPct, x, train))
    assert score.value == expected
    report("authenticity and AuthPct, 5,000 against 5,000 x 64", ours, other)


@pytest.mark.parametrize("length", [256, 1_024])
def test_diversity(length):
    codes = random_codes(150, length)
    first, second = spread_pairs(len(codes), 10**6)
    texts = SequenceSet(codes).strings()
    edit_distances(codes[:1], codes[1:2])
    ours, estimate = best_of(
        3, lambda: mean_over_pairs(edit_distances(codes[first], codes[second]) / length, first, second)
    )
    other, expected = best_of(2, lambda: peer.Diversity()(texts).value)
    assert estimate.value == pytest.approx(expected, rel=1e-12)
    report(f"diversity of 150 x {length:,} bp over all pairs", ours, other)


@pytest.mark.parametrize("length", [256, 2_048])
def test_uniqueness(length):
    codes = random_codes(10_000, length)
    codes[9_000:] = codes[:1_000]
    sequences = SequenceSet(codes)
    multiplicities(sequences.take(np.arange(10)))
    ours, estimate = best_of(5, lambda: distinct_share(multiplicities(sequences)))
    other, expected = best_on_new_strings(5, [sequences], lambda texts: peer.Uniqueness()(texts).value)
    assert estimate[0] == expected == 0.9
    report(f"uniqueness of 10,000 x {length:,} bp", ours, other)


@pytest.mark.parametrize("length", [256, 2_048])
def test_exact_copies(length):
    """The part `exact` of `novelty`; seqme gets the training sequences' reverse complements to look for as well."""
    train, codes = random_codes(20_000, length), random_codes(10_000, length)
    codes[1_000:] = (codes[1_000:] + np.arange(9_000)[:, None] % 3 + 1) % 4
    codes[500:1_000] = 3 - train[500:1_000, ::-1]
    distinct(codes[:10])
    ours, score = best_of(5, lambda: share(find_identical(codes, distinct(train)) >= 0))
    sets = [SequenceSet(codes), SequenceSet(train), SequenceSet(3 - train[:, ::-1])]
    other, expected = best_on_new_strings(
        5, sets, lambda texts, forward, backward: peer.Novelty(forward + backward)(texts).value
    )
    assert score.value == pytest.approx(1 - expected, abs=1e-12)
    assert score.value == pytest.approx(0.1, abs=1e-12)
    report(f"exact copies, 10,000 against 20,000 x {length:,} bp, both strands", ours, other)
