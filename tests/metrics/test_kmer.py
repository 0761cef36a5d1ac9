"""The embedder `kmer`."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.kmer import KmerFrequencies, kmer_frequencies


def test_windows_overlap_and_are_ordered_from_aaaa_to_tttt(make_context):
    vectors = KmerFrequencies().embed(SequenceSet.from_strings(["AAAAAA", "TTTTTT", "ACGTAC"]), context=make_context())
    assert vectors.shape == (3, 256)
    assert vectors.dtype == np.float32
    assert vectors[0, 0] == 1
    assert vectors[1, 255] == 1
    acgt, cgta, gtac = 0b00_01_10_11, 0b01_10_11_00, 0b10_11_00_01
    np.testing.assert_allclose(vectors[2, [acgt, cgta, gtac]], 1 / 3)


def test_windows_with_an_n_are_left_out():
    codes = SequenceSet.from_strings(["ACNGT", "NNNNN"]).codes
    frequencies = kmer_frequencies(codes, 2)
    assert np.flatnonzero(frequencies[0]).tolist() == [0b00_01, 0b10_11]
    assert frequencies[0].sum() == 1
    assert frequencies[1].sum() == 0


def test_a_sequence_of_n_alone_has_zeros(make_context):
    vectors = KmerFrequencies().embed(SequenceSet.from_strings(["NNNNNN", "ACGTNA"]), context=make_context())
    assert vectors.sum(1).tolist() == [0, 1]


def test_a_sequence_shorter_than_k_is_all_zeros():
    np.testing.assert_array_equal(kmer_frequencies(np.zeros((2, 3), np.uint8), 4), np.zeros((2, 256)))


@pytest.mark.parametrize("k", [1, 3])
def test_equals_counting_by_words(k):
    codes = np.random.default_rng(0).integers(0, 5, (30, 40)).astype(np.uint8)
    frequencies = kmer_frequencies(codes, k)
    for text, row in zip(SequenceSet(codes).strings(), frequencies, strict=True):
        words = [text[i : i + k] for i in range(40 - k + 1) if "N" not in text[i : i + k]]
        expected = np.zeros(4**k)
        for word in words:
            expected[sum("ACGT".index(base) * 4 ** (k - 1 - i) for i, base in enumerate(word))] += 1 / len(words)
        np.testing.assert_allclose(row, expected)
