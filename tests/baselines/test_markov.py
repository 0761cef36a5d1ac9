"""``markov`` against counts by hand and against the spectrum of its training sequences."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_baselines.markov import Markov, kmer_counts
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
