"""`diversity` against sums over all pairs and replicates."""

from __future__ import annotations

import edlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnabench import UserError
from dnabench_metrics.features import Z95
from dnabench_metrics.records.sequences import DiversityOptions
from dnabench_metrics.sequences.diversity import Diversity, folded_at_zero, mean_over_pairs, spread_pairs


def random_codes(n: int, length: int, seed: int, letters: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, letters, (n, length), dtype=np.uint8)


def all_pairs(codes: np.ndarray) -> float:
    """Mean edit distance over the length, over all ordered pairs of different rows."""
    rows = [row.tobytes() for row in codes]
    total = sum(edlib.align(x, y, mode="NW")["editDistance"] for x in rows for y in rows)
    return total / (len(rows) * (len(rows) - 1)) / codes.shape[1]


def test_small_sets_are_compared_over_all_pairs(scorer):
    generated, reference = random_codes(12, 30, 0, letters=3), random_codes(15, 30, 1)
    d_g, d_r = all_pairs(generated), all_pairs(reference)
    score = scorer(Diversity(DiversityOptions()))(generated, reference)
    assert score.parts["generated"].value == pytest.approx(d_g, rel=1e-12)
    assert score.parts["reference"].value == pytest.approx(d_r, rel=1e-12)
    assert score.value == pytest.approx(abs(d_g - d_r) / d_r, rel=1e-12)
    # Other way round, the same difference is over the other mean.
    back = scorer(Diversity(DiversityOptions()))(reference, generated)
    assert back.value == pytest.approx(abs(d_g - d_r) / d_g, rel=1e-12)


def test_both_directions_count(scorer):
    score = scorer(Diversity(DiversityOptions()))
    few, many = random_codes(40, 64, 0, letters=2), random_codes(40, 64, 1, letters=4)
    assert score(few, many).ci_low > 0.1
    assert score(many, few).ci_low > 0.1


def test_a_collapsed_share_takes_its_square_off(scorer):
    # Half of the sequences are one and the same: a quarter of all pairs is at distance 0.
    codes = random_codes(400, 64, 0)
    collapsed = codes.copy()
    collapsed[:200] = codes[0]
    score = scorer(Diversity(DiversityOptions(pairs=400 * 399 // 2)))(collapsed, random_codes(400, 64, 1))
    assert score.value == pytest.approx(1 / 4, abs=0.01)
    assert score.ci_low < 1 / 4 < score.ci_high


@given(n=st.integers(2, 40), most=st.integers(1, 900))
def test_pairs_are_different_and_spread_over_all(n, most):
    first, second = spread_pairs(n, most)
    assert len({frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}) == len(first)
    assert len(first) == min(most, n * (n - 1) // 2)
    assert (first != second).all()
    degrees = np.bincount(np.concatenate([first, second]), minlength=n)
    assert degrees.max() - degrees.min() <= 2
    if most <= n // 2:
        assert degrees.max() == 1


@given(n=st.integers(4, 12), most=st.integers(4, 66), seed=st.integers(0, 99))
def test_the_variance_is_the_sum_over_couples_of_pairs_that_share_an_observation(n, most, seed):
    first, second = spread_pairs(n, most)
    values = np.random.default_rng(seed).random(len(first))
    deviations = values - values.mean()
    total = sum(
        deviations[a] * deviations[b]
        for a in range(len(first))
        for b in range(len(first))
        if {first[a], second[a]} & {first[b], second[b]}
    )
    present = len(set(first.tolist()) | set(second.tolist()))
    expected = max(total, deviations @ deviations) * present / (present - 1) / len(values) ** 2
    assert mean_over_pairs(values, first, second).standard_error == pytest.approx(np.sqrt(expected), rel=1e-9)


@pytest.mark.parametrize(("n", "pairs"), [(30, 10_000), (60, 150), (300, 100)])
def test_the_standard_error_of_a_mean_over_pairs_matches_the_spread(n, pairs):
    # |x - y|^2 / 2 over pairs of normal numbers: all pairs give the sample variance.
    rng = np.random.default_rng(0)
    first, second = spread_pairs(n, pairs)
    runs = []
    for _ in range(500):
        x = rng.standard_normal(n)
        runs.append(mean_over_pairs((x[first] - x[second]) ** 2 / 2, first, second))
    values, errors = np.array(runs).T
    if pairs > n * n:
        assert values[-1] == pytest.approx(x.var(ddof=1))
        assert values.std() == pytest.approx(np.sqrt(2 / (n - 1)), rel=0.1)
    assert np.sqrt((errors**2).mean()) / values.std(ddof=1) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize(("rate", "covered"), [(0.0, (0.93, 1.0)), (0.3, (0.88, 0.99))])
def test_intervals_over_replicates(simulated_promoters, scorer, mutated, rate, covered):
    real = simulated_promoters.codes[:, 100:164]
    generated = mutated(real, rate)
    score = scorer(Diversity(DiversityOptions(pairs=500)))
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(120):
        x, y = generated[rng.integers(0, len(real), 200)], real[rng.integers(0, len(real), 150)]
        run = score(x, y)
        runs.append((run.value, run.ci_low, run.ci_high))
    values, low, high = np.array(runs).T
    share = ((low <= values.mean()) & (values.mean() <= high)).mean()
    assert covered[0] <= share <= covered[1]
    if rate:
        assert ((high - low) / (2 * Z95)).mean() / values.std(ddof=1) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.1, 0.3, (0, 0.3)), (-0.4, 0.3, (0, 0.4)), (-0.4, -0.1, (0.1, 0.4)), (1, 2, (1, 2))],
)
def test_a_signed_interval_is_folded_at_zero(low, high, expected):
    assert folded_at_zero(low, high) == expected


def test_the_order_of_the_sequences_does_not_matter(scorer):
    generated, reference = random_codes(150, 40, 0), random_codes(140, 40, 1, letters=3)
    score = scorer(Diversity(DiversityOptions(pairs=400)))
    rng = np.random.default_rng(2)
    plain, other = score(generated, reference), score(rng.permutation(generated), rng.permutation(reference))
    assert other.value == pytest.approx(plain.value, rel=1e-12)
    assert (other.ci_low, other.ci_high) == pytest.approx((plain.ci_low, plain.ci_high), rel=1e-12)
    seeded = scorer(Diversity(DiversityOptions(pairs=400, seed=1)))(generated, reference)
    assert seeded.value != plain.value


def test_it_grows_with_the_share_of_mutated_bases(real_promoters, scorer, mutated):
    human = real_promoters("hs").codes[:6000]
    score = scorer(Diversity(DiversityOptions()))
    runs = [score(mutated(human[::2], rate), human[1::2]) for rate in (0, 0.01, 0.03, 0.1, 0.3, 1)]
    assert [run.value for run in runs[2:]] == sorted(run.value for run in runs[2:])
    assert all(run.ci_low == 0 for run in runs[:3])
    assert runs[4].ci_low > 0
    assert runs[5].ci_low > runs[4].ci_high


@pytest.mark.parametrize(
    ("generated", "reference", "message"),
    [
        (random_codes(9, 20, 0), random_codes(10, 20, 1), "9 generated sequences; it needs at least 10"),
        (random_codes(10, 20, 0), random_codes(10, 21, 1), "20 bp cannot be compared with a reference of 21 bp"),
        (random_codes(10, 20, 0), np.zeros((10, 20), np.uint8), "10 reference sequences are all of equals"),
    ],
)
def test_what_is_refused(generated, reference, message, scorer):
    with pytest.raises(UserError, match=message):
        scorer(Diversity(DiversityOptions()))(generated, reference)
