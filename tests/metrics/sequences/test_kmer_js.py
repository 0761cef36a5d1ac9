"""`kmer-js` against SciPy, closed forms, random deals and replicates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from dnabench import SequenceSet, UserError
from dnabench_metrics.features import Z95
from dnabench_metrics.kmers import kmer_spectrum
from dnabench_metrics.records.sequences import KmerJSOptions
from dnabench_metrics.sequences.floor import expected_js_distance, js_terms
from dnabench_metrics.sequences.kmer_js import KmerJS


def distance(generated: np.ndarray, reference: np.ndarray, k: int) -> float:
    return float(jensenshannon(kmer_spectrum(generated, k).counts, kmer_spectrum(reference, k).counts, base=2))


def random_codes(n: int, length: int, seed: int, letters: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, letters, (n, length), dtype=np.uint8)


def test_by_hand(scorer):
    # A, C: 3/4, 1/4 against 1/4, 3/4. D^2 = log2(3/4 : 1/2) 3/4 + log2(1/4 : 1/2) 1/4.
    score = scorer(KmerJS(KmerJSOptions(k=1)))(
        SequenceSet.from_strings(["AAN", "CAN"]), SequenceSet.from_strings(["CA", "CC"])
    )
    assert score.value == pytest.approx(np.sqrt(0.75 * np.log2(1.5) - 0.25), rel=1e-12)
    assert score.details.to_dict("list") == {
        "view": ["1-mers"] * 2,
        "quantity": ["share of the k-mers"] * 2,
        "kmer": ["A", "C"],
        "generated": [0.75, 0.25],
        "reference": [0.25, 0.75],
        "contribution": pytest.approx([0.5, 0.5]),
    }


def test_disjoint_supports_are_at_one_and_equal_sets_at_zero(scorer):
    score = scorer(KmerJS(KmerJSOptions(k=2)))
    poly_a, poly_c = SequenceSet.from_strings(["AAAA"] * 3), SequenceSet.from_strings(["CCCC"] * 4)
    apart, same = score(poly_a, poly_c), score(poly_a, poly_a)
    assert (apart.value, apart.ci_low, apart.ci_high) == (1, 1, 1)
    assert (same.value, same.ci_low, same.ci_high) == (0, 0, 0)
    assert same.parts["expected-floor"].value == 0


@given(seed=st.integers(0, 999), k=st.integers(1, 4))
def test_terms_add_up_to_scipys_divergence(seed, k):
    generated, reference = random_codes(4, 30, seed, letters=3), random_codes(3, 20, seed + 1)
    p, q = (kmer_spectrum(side, k).counts / kmer_spectrum(side, k).counts.sum() for side in (generated, reference))
    expected = jensenshannon(p, q, base=2)
    assert np.sqrt(js_terms(p, q).sum()) == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(js_terms(p, q), js_terms(q, p), atol=1e-15)


@pytest.mark.parametrize("k", [1, 6, 10])
def test_equals_scipy_on_real_promoters_and_does_not_depend_on_sides_or_order(real_promoters, scorer, k):
    human, plasmodium = (real_promoters(species).codes[:500] for species in ("hs", "pf"))
    score = scorer(KmerJS(KmerJSOptions(k=k)))
    plain, swapped = score(human, plasmodium), score(plasmodium, human)
    shuffled = score(np.random.default_rng(0).permutation(human), plasmodium)
    assert plain.value == pytest.approx(distance(human, plasmodium, k), rel=1e-9)
    for other in (swapped, shuffled):
        for of in (
            lambda s: s.value,
            lambda s: s.ci_low,
            lambda s: s.ci_high,
            lambda s: s.parts["expected-floor"].value,
        ):
            assert of(other) == pytest.approx(of(plain), rel=1e-9)


def test_the_table_names_the_words_that_differ_most(scorer):
    reference = random_codes(400, 100, 0)
    generated = random_codes(400, 100, 1)
    generated[:, 40:46] = (3, 0, 3, 0, 0, 0)
    details = scorer(KmerJS(KmerJSOptions()))(generated, reference).details
    assert len(details) == 100
    assert details["view"].unique().tolist() == ["6-mers: the 100 of 4,096 that add most to the distance"]
    assert details["kmer"][0] == "TATAAA"
    assert details["generated"][0] > 400 / (400 * 95)
    assert details["contribution"].is_monotonic_decreasing


def test_it_grows_with_the_share_of_mutated_bases(real_promoters, scorer, mutated):
    human = real_promoters("hs").codes
    score = scorer(KmerJS(KmerJSOptions()))
    runs = [score(mutated(human[::2], rate), human[1::2]) for rate in (0, 0.01, 0.03, 0.1, 0.3, 1)]
    assert all(low.value < high.value for low, high in pairwise(runs))
    assert runs[0].ci_low < runs[0].parts["expected-floor"].value < runs[0].ci_high
    assert all(run.ci_low > run.parts["expected-floor"].value for run in runs[2:])


# The floor.


@pytest.mark.parametrize(("n", "m"), [(1000, 1000), (2000, 500)])
def test_the_floor_of_uniform_sequences_is_the_known_formula(n, m):
    # In bits and for any sizes: sqrt((4^k - 1) (1/M + 1/M') / (8 ln 2)), second order in 1/M.
    generated, reference = random_codes(n, 256, 0), random_codes(m, 256, 1)
    expected = np.sqrt((4**4 - 1) * (1 / (n * 253) + 1 / (m * 253)) / (8 * np.log(2)))
    found = expected_js_distance(kmer_spectrum(generated, 4), kmer_spectrum(reference, 4))
    assert found == pytest.approx(expected, rel=0.02)


def deals(codes: np.ndarray, n: int, k: int, draws: int) -> np.ndarray:
    """The distance when all sequences are dealt at random to sides of ``n`` and the rest."""
    rng = np.random.default_rng(5)
    orders = [rng.permutation(len(codes)) for _ in range(draws)]
    return np.array([distance(codes[order[:n]], codes[order[n:]], k) for order in orders])


def draws(codes: np.ndarray, n: int, k: int, times: int) -> np.ndarray:
    """What `deals` gives, for a small ``n``: the k-mers of the rest are those of all less those of the drawn."""
    rng = np.random.default_rng(5)
    whole, distances = kmer_spectrum(codes, k).counts, []
    for _ in range(times):
        drawn = kmer_spectrum(codes[rng.choice(len(codes), n, replace=False)], k).counts
        distances.append(jensenshannon(drawn, whole - drawn, base=2))
    return np.array(distances)


@pytest.mark.parametrize(
    ("what", "k", "n"),
    [
        ("one window a sequence, rare words", 5, 300),
        ("one window a sequence, unequal sides", 4, 60),
        ("runs of one base", 1, 200),
        ("some windows lost to N", 2, 150),
        ("half of the sequences alike", 4, 200),
    ],
)
def test_the_floor_is_the_mean_over_random_deals(what, k, n):
    rng = np.random.default_rng(0)
    codes = {
        "one window a sequence, rare words": random_codes(600, 5, 0),
        "one window a sequence, unequal sides": random_codes(900, 4, 1, letters=3),
        "runs of one base": np.repeat(rng.integers(0, 4, (500, 1), dtype=np.uint8), 40, axis=1),
        "some windows lost to N": np.where(rng.random((400, 60)) < 0.1, 4, random_codes(400, 60, 2)).astype(np.uint8),
        "half of the sequences alike": np.concatenate(
            [random_codes(250, 80, 3), np.tile(random_codes(1, 80, 4), (250, 1))]
        ),
    }[what]
    found = expected_js_distance(kmer_spectrum(codes[:n], k), kmer_spectrum(codes[n:], k))
    dealt = deals(codes, n, k, 600)
    assert found == pytest.approx(np.sqrt((dealt**2).mean()), rel=0.05)


@pytest.mark.parametrize(("k", "n"), [(4, 20), (4, 100), (3, 20), (5, 100)])
def test_the_floor_of_few_sequences_against_many(k, n):
    # Of the 20 to 100 sequences no k-mer has many occurrences, though it has thousands among both sides.
    codes = random_codes(10_000 + n, 60, 7)
    found = expected_js_distance(kmer_spectrum(codes[:n], k), kmer_spectrum(codes[n:], k))
    drawn = draws(codes, n, k, 100)
    expected = np.sqrt((drawn**2).mean())
    assert found == pytest.approx(expected, abs=0.01 * expected + 3 * drawn.std() / 10)


@pytest.mark.parametrize(("k", "n"), [(4, 20), (6, 20), (6, 100), (8, 100)])
def test_the_floor_of_few_real_promoters_against_many(real_promoters, k, n):
    human = real_promoters("hs").codes
    codes = human[np.random.default_rng(n).permutation(len(human))[: 10_000 + n]]
    found = expected_js_distance(kmer_spectrum(codes[:n], k), kmer_spectrum(codes[n:], k))
    drawn = draws(codes, n, k, 64)
    expected = np.sqrt((drawn**2).mean())
    assert found == pytest.approx(expected, abs=0.02 * expected + 3 * drawn.std() / 8)


@pytest.mark.parametrize("species", ["hs", "pf"])
@pytest.mark.parametrize(
    ("k", "n", "m"), [(6, 500, 500), (6, 1500, 1000), (6, 100, 2000), (8, 1000, 1000), (10, 500, 500)]
)
def test_the_floor_of_real_promoters_is_the_measured_one(real_promoters, scorer, species, k, n, m):
    codes = real_promoters(species).codes
    measured = deals(codes[np.random.default_rng(k).permutation(len(codes))[: n + m]], n, k, 6)
    halves = np.random.default_rng(0).permutation(len(codes))
    score = scorer(KmerJS(KmerJSOptions(k=k)))(codes[halves[:n]], codes[halves[n : n + m]])
    assert score.parts["expected-floor"].value == pytest.approx(measured.mean(), rel=0.03)


# The interval.


@pytest.mark.parametrize(
    ("k", "rate", "ratio"),
    [
        (3, 0.0, (1.0, 1.7)),
        (3, 0.3, (0.85, 1.2)),
        (6, 0.0, (1.2, 1.9)),
        (6, 1.0, (0.85, 1.2)),
        (8, 0.3, (0.9, 1.5)),
    ],
)
def test_intervals_over_replicates(simulated_promoters, scorer, mutated, k, rate, ratio):
    real = simulated_promoters.codes
    generated = mutated(real, rate)
    score = scorer(KmerJS(KmerJSOptions(k=k)))
    rng = np.random.default_rng(0)
    runs = []
    for _ in range(80):
        x, y = generated[rng.integers(0, len(real), 300)], real[rng.integers(0, len(real), 200)]
        run = score(x, y)
        runs.append((run.value, run.ci_low, run.ci_high))
    values, low, high = np.array(runs).T
    errors = (high - values) / Z95
    assert ratio[0] < np.sqrt((errors**2).mean()) / values.std(ddof=1) < ratio[1]
    assert ((low <= values.mean()) & (values.mean() <= high)).mean() > 0.92


def test_the_sequence_is_the_unit_of_the_interval(scorer):
    # Every window repeated ten times in a row of its own sequence: ten times the windows, the same evidence.
    generated, reference = random_codes(300, 20, 0, letters=3), random_codes(300, 20, 1)
    score = scorer(KmerJS(KmerJSOptions(k=1)))
    once, often = score(generated, reference), score(np.tile(generated, 10), np.tile(reference, 10))
    assert often.value == pytest.approx(once.value, rel=1e-12)
    # Up to what a window's weight changes when it is one of many more.
    assert (often.ci_low, often.ci_high) == pytest.approx((once.ci_low, once.ci_high), rel=1e-4)


@pytest.mark.parametrize(
    ("texts", "k", "message"),
    [
        (["ACGTA", "ACGTA"], 6, "no generated sequence of the 2 of 5 bp has a window of k = 6"),
        (["ACGNACG", "NACGNAC"], 4, "no generated sequence of the 2 of 7 bp"),
        (["ACGTACGT"], 2, "1 generated sequences; it needs at least 2"),
    ],
)
def test_what_is_refused(texts, k, message, scorer):
    with pytest.raises(UserError, match=message):
        scorer(KmerJS(KmerJSOptions(k=k)))(SequenceSet.from_strings(texts), random_codes(5, 20, 0))
