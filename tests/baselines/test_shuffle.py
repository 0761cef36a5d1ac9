"""Dinucleotide shuffles against all arrangements found by trying every permutation."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy.stats import chisquare

from dnabench import SequenceSet
from dnabench_baselines.shuffle import dinucleotide_shuffle


def shuffles(sequence, n, seed=0):
    codes = SequenceSet.from_strings([sequence] * n).codes
    return Counter(SequenceSet(dinucleotide_shuffle(codes, np.random.default_rng(seed))).strings())


def dinucleotides(text):
    return Counter(pairwise(text))


def arrangements(sequence):
    """All sequences with the same ends and dinucleotide counts, by trying every order of the letters between."""
    candidates = {sequence[0] + "".join(inner) + sequence[-1] for inner in permutations(sequence[1:-1])}
    return {text for text in candidates if dinucleotides(text) == dinucleotides(sequence)}


def pairs(codes):
    """Dinucleotide counts of each sequence, shape (n, 25)."""
    both = 5 * codes[:, :-1].astype(int) + codes[:, 1:]
    return np.stack([(both == pair).sum(1) for pair in range(25)], axis=1)


def test_the_72_arrangements_are_equally_likely():
    counts = shuffles("ACCCACGATGATA", 36_000)
    assert len(counts) == 72
    assert all(dinucleotides(text) == dinucleotides("ACCCACGATGATA") for text in counts)
    assert chisquare(list(counts.values())).pvalue > 0.001


@pytest.mark.parametrize("sequence", ["AACAGACT", "CATNATCAA", "ANNANCNA", "GATTAGACA", "ACGCGCGACA"])
def test_all_arrangements_are_found_and_equally_likely(sequence):
    expected = arrangements(sequence)
    assert len(expected) > 2
    counts = shuffles(sequence, 500 * len(expected))
    assert set(counts) == expected
    assert chisquare(list(counts.values())).pvalue > 0.001


@pytest.mark.parametrize("sequence", ["ACTGACTGACTG", "AAAAAAAA", "A" * 500 + "C" * 500 + "G" * 500 + "T" * 500])
def test_a_sequence_with_one_arrangement(sequence):
    assert set(shuffles(sequence, 50)) == {sequence}


@pytest.mark.parametrize("sequence", ["A", "AC", "ACA", "NGN"])
def test_very_short_sequences_stay_as_they_are(sequence):
    assert set(shuffles(sequence, 3)) == {sequence}


@pytest.mark.parametrize("letters", [4, 5])
def test_each_sequence_keeps_its_own_counts_and_ends(letters):
    codes = np.random.default_rng(1).integers(0, letters, (5000, 40), dtype=np.uint8)
    shuffled = dinucleotide_shuffle(codes, np.random.default_rng(2))
    assert np.array_equal(pairs(shuffled), pairs(codes))
    assert np.array_equal(shuffled[:, [0, -1]], codes[:, [0, -1]])
    assert (shuffled != codes).any(axis=1).all()


def test_real_promoters_lose_their_tss_and_keep_their_counts(real_promoters):
    codes = real_promoters("dm").take(np.arange(1000)).codes
    shuffled = dinucleotide_shuffle(codes, np.random.default_rng(2))
    assert np.array_equal(pairs(shuffled), pairs(codes))

    def initiators(x):
        return (np.isin(x[:, 204], [1, 3]) & np.isin(x[:, 205], [0, 2])).mean()

    assert initiators(codes) > 0.6
    assert initiators(shuffled) < 0.35
