"""Word counts and places against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.classifier import words
from dnabench_metrics.classifier.words import place_names, places, separation, word_counts, word_names


def random_sequences(n: int, length: int) -> SequenceSet:
    return SequenceSet(np.random.default_rng(3).integers(0, 5, (n, length), dtype=np.uint8))


def overlapping(text: str, word: str, starts: range) -> int:
    return sum(text[start : start + len(word)] == word for start in starts)


def test_word_counts_by_hand():
    counts = word_counts(SequenceSet.from_strings(["AAAAC", "ACGTN"]).codes)
    names = word_names()
    assert {name: int(count) for name, count in zip(names, counts[0], strict=True) if count} == {
        "A": 4,
        "C": 1,
        "AA": 3,
        "AC": 1,
        "AAA": 2,
        "AAC": 1,
        "AAAA": 1,
        "AAAC": 1,
    }
    assert counts.sum(1).tolist() == [5 + 4 + 3 + 2, 4 + 3 + 2 + 1]


@pytest.mark.parametrize("length", [3, 20, 64])
def test_all_counts_beside_searching_the_text(length, monkeypatch):
    monkeypatch.setattr(words, "ROWS", 4)
    sequences = random_sequences(9, length)
    counts = word_counts(sequences.codes)
    for row, text in enumerate(sequences.strings()):
        expected = [overlapping(text, word, range(length)) for word in word_names()]
        assert counts[row].tolist() == expected


@pytest.mark.parametrize("length", [1, 7, 50, 256])
def test_places_say_what_their_names_say(length):
    sequences = random_sequences(4, length)
    table, names = places(sequences.codes), place_names(length)
    assert table.shape == (4, len(names))
    for row, text in enumerate(sequences.strings()):
        for column, name in enumerate(names):
            word, kind, where = name.split()
            start, end = map(int, where.split("-")) if kind == "in" else (int(where), int(where))
            assert table[row, column] == overlapping(text, word, range(start, end + 1)), name


def test_stretches_cover_all_dinucleotides_once():
    sequences = SequenceSet(np.random.default_rng(3).integers(0, 4, (5, 250), dtype=np.uint8))
    table = places(sequences.codes)[:, 4 * 250 :]
    pooled = word_counts(sequences.codes)[:, 4:20]
    np.testing.assert_array_equal(table.reshape(5, -1, 16).sum(1), pooled)


def test_separation_in_standard_deviations():
    values = np.array([[0, 5, 0], [2, 5, 0], [4, 5, 1], [6, 5, 1]])
    found = separation(values, np.array([False, False, True, True]))
    assert found[0] == pytest.approx(4)
    assert found[1] == 0
    assert found[2] > 1000
