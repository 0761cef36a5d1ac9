"""``markov`` against counts by hand and against the spectrum of its training sequences."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_baselines.markov import Markov, best_order, kmer_counts, log_likelihood
from dnabench_baselines.options import MarkovOptions


def fit(train, make_context, **options):
    generator = Markov(MarkovOptions(**options))
    generator.fit(train, context=make_context(length=train.length))
    return generator


def spectrum(codes, k):
    counts = kmer_counts(codes, k)
    return counts / counts.sum()


def distance(one, other, k):
    return np.abs(spectrum(one, k) - spectrum(other, k)).sum()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_kmer_counts_agree_with_counting_words(k):
    sequences = ["ACGTNACGTA", "TTTTTTTTTN", "NNNNNNNNNN", "GATTACAGAT"]
    words = Counter(text[i : i + k] for text in sequences for i in range(10 - k + 1))
    expected = [words["".join(word)] for word in product("ACGT", repeat=k)]
    assert kmer_counts(SequenceSet.from_strings(sequences).codes, k).tolist() == expected


def test_counting_in_pieces_changes_nothing(monkeypatch):
    codes = np.random.default_rng(0).integers(0, 5, (50, 30), dtype=np.uint8)
    whole = kmer_counts(codes, 3)
    monkeypatch.setattr("dnabench_baselines.markov.CHUNK", 100)
    assert np.array_equal(kmer_counts(codes, 3), whole)


def test_the_chain_knows_only_what_it_saw(make_context):
    generator = fit(SequenceSet.from_strings(["ACGACGACGA"]), make_context, order=1, pseudocount=0.0)
    samples = SequenceSet(generator.sample(300, context=make_context(length=12)))
    assert set(samples.strings()) == {"ACGACGACGACG", "CGACGACGACGA", "GACGACGACGAC"}


def test_starts_are_as_frequent_as_the_kmers(make_context):
    # Dinucleotides of the training sequence: AA 3, AC 1, CC 1.
    generator = fit(SequenceSet.from_strings(["AAAACC"]), make_context, order=2, pseudocount=0.0)
    codes = generator.sample(20_000, context=make_context(length=2))
    starts = Counter(SequenceSet(codes).strings())
    assert set(starts) == {"AA", "AC", "CC"}
    assert starts["AA"] / 20_000 == pytest.approx(3 / 5, abs=4 * 0.5 / 20_000**0.5)


def test_pseudocount_by_hand(make_context):
    # After A: C twice; with a pseudocount of 1, C has 3 of 6 and the others 1 of 6.
    generator = fit(SequenceSet.from_strings(["ACN", "ACN"]), make_context, order=1, pseudocount=1.0)
    codes = generator.sample(60_000, context=make_context(length=2))
    after_a = codes[codes[:, 0] == 0, 1]
    frequencies = np.bincount(after_a, minlength=4) / len(after_a)
    assert frequencies == pytest.approx([1 / 6, 1 / 2, 1 / 6, 1 / 6], abs=4 * 0.5 / len(after_a) ** 0.5)


def test_a_kmer_without_successor_continues_with_the_composition(make_context):
    # T ends the sequence; (k + 1)-mers AA AC CT end in A, C and T once each, and never in G.
    generator = fit(SequenceSet.from_strings(["AACT"]), make_context, order=1, pseudocount=0.0)
    codes = generator.sample(20_000, context=make_context(length=2))
    after_t = codes[codes[:, 0] == 3, 1]
    frequencies = np.bincount(after_t, minlength=4) / len(after_t)
    assert frequencies == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=4 * 0.5 / len(after_t) ** 0.5)
    assert frequencies[2] == 0


def test_order_0_is_the_composition(make_context):
    generator = fit(SequenceSet.from_strings(["AACNN", "AAGNN"]), make_context, order=0, pseudocount=0.0)
    codes = generator.sample(20_000, context=make_context(length=4))
    expected = np.outer(np.array([4, 1, 1, 0]) / 6, np.array([4, 1, 1, 0]) / 6).ravel()
    assert spectrum(codes, 2) == pytest.approx(expected, abs=4 * 0.5 / 60_000**0.5)


@pytest.mark.parametrize("order", [1, 3, 5])
def test_spectrum_equals_the_training_spectrum_up_to_the_floor(real_promoters, make_context, order):
    train = real_promoters("hs").take(np.arange(2000))
    generator = fit(train, make_context, order=order, pseudocount=0.0)
    samples = [generator.sample(2000, context=make_context(seed=seed)) for seed in (1, 2, 3)]
    # Two samples differ by the noise of both, a sample and what it was fitted on by that of one: 0.71 of it.
    floor = np.mean([distance(one, other, order + 1) for one, other in combinations(samples, 2)])
    assert np.mean([distance(one, train.codes, order + 1) for one in samples]) < floor
    lower = fit(train, make_context, order=order - 1).sample(2000, context=make_context(seed=1))
    assert distance(lower, train.codes, order + 1) > 1.2 * floor


def test_sequences_shorter_than_the_order(make_context):
    generator = fit(SequenceSet.from_strings(["ACGTACGTACGT"]), make_context, order=8)
    assert generator.sample(5, context=make_context(length=3)).shape == (5, 3)


def test_too_few_bases_in_a_row_are_the_users_error(make_context):
    with pytest.raises(UserError, match="order 3 needs 4 bases"):
        fit(SequenceSet.from_strings(["ACGNACG"]), make_context, order=3)


def chain_of_order_2(n, length, seed=0):
    """Sequences whose next base is, in 29 cases of a hundred, the sum of the two before it."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (n, length), dtype=np.uint8)
    for position in range(2, length):
        kept = rng.random(n) < 0.05
        follows = (codes[:, position - 2] + codes[:, position - 1]) % 4
        codes[:, position] = np.where(kept, follows, codes[:, position])
    return codes


def test_the_order_of_a_known_chain_is_found_with_enough_data_and_a_lower_one_with_little():
    def chosen(seed, n, length):
        codes = chain_of_order_2(n, length, seed)
        return best_order(codes, 0.1, np.random.default_rng(seed))

    assert [chosen(seed, 4_000, 100) for seed in range(5)] == [2] * 5
    # Order 2 gains 0.005 nats per base; estimated from 3,240 bases its 48 probabilities cost 0.007.
    assert np.mean([chosen(seed, 300, 20) for seed in range(20)]) < 1.5


def test_more_real_promoters_allow_larger_orders(real_promoters):
    codes = np.random.default_rng(0).permutation(real_promoters("hs").codes)
    few, some, many = (best_order(codes[:n], 0.1, np.random.default_rng(0)) for n in (50, 1_000, 12_000))
    assert few < some < many


def test_a_chain_of_the_chosen_order_is_fitted_to_all_sequences(make_context):
    train = SequenceSet(chain_of_order_2(3_000, 60))
    chosen = fit(train, make_context, order="auto").sample(50, context=make_context(seed=3, length=60))
    given = fit(train, make_context, order=2).sample(50, context=make_context(seed=3, length=60))
    assert np.array_equal(chosen, given)


def test_log_likelihood_by_hand():
    # Seen: A after A 3 times, C after A once; predicted: AA once, AC twice, GT once, where G was never seen.
    seen, predicted = np.zeros(16, int), np.zeros(16, int)
    seen[[0, 1]] = 3, 1
    predicted[[0, 1, 11]] = 1, 2, 1
    expected = (np.log(4 / 8) + 2 * np.log(2 / 8) + np.log(1 / 4)) / 4
    assert log_likelihood(predicted, seen, 1.0) == pytest.approx(expected, rel=1e-12)
    # Without a pseudocount bases follow G as they do other words: three A and one C, never T.
    assert log_likelihood(predicted, seen, 0.0) == -np.inf


def test_all_orders_are_compared_on_the_same_bases():
    # After ten bases without N only the last two have eight before them; order 0 predicts those two alone.
    codes = SequenceSet.from_strings(["NNACGTACGTCC", "NNACGTACGTCC"]).codes
    words = kmer_counts(codes[:1], 9)
    assert words.sum() == 2
    assert np.flatnonzero(words.reshape(-1, 4).sum(0)).tolist() == [1]
    assert best_order(codes, 0.1, np.random.default_rng(0)) == 0  # CC in one, CC in the other: order 0 suffices


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        (["ACGTACGTACGT"], "cannot choose its order on 1 training sequences"),
        (["ACGTANCGTACGT"] * 5, "needs 9 bases without N in a row"),
    ],
)
def test_an_order_that_cannot_be_chosen_is_the_users_error(make_context, sequences, message):
    with pytest.raises(UserError, match=message):
        fit(SequenceSet.from_strings(sequences), make_context, order="auto")


def test_orders_given_and_chosen_are_compared_in_one_run(dnabench, promoters):
    ended = dnabench(
        "run", "--dataset", promoters, "--generator", "markov=5,markov=auto", "--seeds", "0", "--metrics", "kmer-js",
        "--no-controls", "--format", "csv", "--out", "run",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "markov=5" in ended.out
    assert "markov=auto" in ended.out
