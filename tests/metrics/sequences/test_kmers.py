"""The k-mer kernels against counting words in Python."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dnabench import SequenceSet
from dnabench_metrics.kmers import kmer_counts_by_sequence, kmer_spectrum, sums_over_windows

CODES = hnp.arrays(
    np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 25)), elements=st.integers(0, 4), fill=st.nothing()
)


def words(text: str, k: int) -> Counter[str]:
    return Counter(text[i : i + k] for i in range(len(text) - k + 1) if "N" not in text[i : i + k])


def number(word: str) -> int:
    return sum("ACGT".index(base) * 4**place for place, base in enumerate(reversed(word)))


def test_windows_overlap():
    assert kmer_spectrum(SequenceSet.from_strings(["AAAA"]).codes, 2).counts.tolist() == [3] + [0] * 15


@settings(deadline=None)  # the first call compiles
@given(codes=CODES, k=st.integers(1, 5))
def test_counts_and_their_moments_are_those_of_the_words(codes, k):
    found = [words(text, k) for text in SequenceSet(codes).strings()]
    spectrum = kmer_spectrum(codes, k)
    by_sequence = np.zeros((len(codes), 4**k), int)
    for row, of_row in zip(by_sequence, found, strict=True):
        for word, count in of_row.items():
            row[number(word)] = count
    windows = by_sequence.sum(1)
    np.testing.assert_array_equal(kmer_counts_by_sequence(codes, k), by_sequence)
    np.testing.assert_array_equal(kmer_spectrum(codes, k).counts, by_sequence.sum(0))
    np.testing.assert_array_equal(spectrum.counts, by_sequence.sum(0))
    np.testing.assert_array_equal(spectrum.squares, (by_sequence**2).sum(0))
    np.testing.assert_array_equal(spectrum.weighted, windows @ by_sequence)
    np.testing.assert_array_equal(spectrum.windows, windows)


@settings(deadline=None)
@given(codes=CODES, k=st.integers(1, 4))
def test_sums_over_windows_are_those_over_the_counts(codes, k):
    weights = np.random.default_rng(0).standard_normal(4**k)
    sums, windows = sums_over_windows(codes, k, weights)
    counts = kmer_counts_by_sequence(codes, k)
    np.testing.assert_allclose(sums, counts @ weights, atol=1e-12)
    np.testing.assert_array_equal(windows, counts.sum(1))


@pytest.mark.parametrize("k", [6, 10])
def test_long_words_of_real_promoters(real_promoters, k):
    some = real_promoters("pf").take(np.arange(50))
    counts = kmer_spectrum(some.codes, k).counts
    expected = sum((words(text, k) for text in some.strings()), Counter())
    assert counts.sum() == 50 * (256 - k + 1)
    assert {int(i): int(counts[i]) for i in np.flatnonzero(counts)} == {number(w): c for w, c in expected.items()}
