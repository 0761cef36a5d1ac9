"""Identity of overlapping parts, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnabench import SequenceSet
from dnabench_metrics.novelty.alignment import Overlap, edit_distance, overlap_at


def codes(text: str) -> np.ndarray:
    return SequenceSet.from_strings([text]).codes[0]


@pytest.mark.parametrize(
    ("offset", "query_length", "train_length", "expected"),
    [
        (0, 10, 10, Overlap(0, 0, 10)),
        (3, 10, 10, Overlap(0, 3, 7)),  # the query starts at base 3 of the training sequence, and overhangs at the end
        (-3, 10, 10, Overlap(3, 0, 7)),
        (4, 5, 20, Overlap(0, 4, 5)),  # inside
        (-4, 20, 5, Overlap(4, 0, 5)),  # around
        (17, 5, 20, Overlap(0, 17, 3)),
    ],
)
def test_where_two_sequences_overlap(offset, query_length, train_length, expected):
    assert overlap_at(offset, query_length=query_length, train_length=train_length) == expected


@pytest.mark.parametrize(
    ("query", "train", "offset", "edits"),
    [
        ("ACGTACGTAC", "ACGTACGTAC", 0, 0),
        ("ACGTACGTAC", "ACGAACGTAC", 0, 1),  # one substitution
        ("ACGTTTGCAC", "ACGTTGCACA", 0, 2),  # a T more, an A less at the end
        ("TTGACCAGGA", "GGATTGACCA", 3, 0),  # moved by 3: seven bases overlap, and the rest overhangs
        ("TTGACCAGGA", "GGATTGAGCA", 3, 1),
        ("GGATTGACCA", "TTGACCAGGA", -3, 0),
        ("ACNTACGTAC", "ACNTACGTNC", 0, 1),  # N equals N, and nothing else
        ("TTTT", "ACGTTTTACG", 3, 0),
    ],
)
def test_edits_by_hand(query, train, offset, edits):
    overlap = overlap_at(offset, query_length=len(query), train_length=len(train))
    assert edit_distance(codes(query), codes(train), overlap, limit=5) == edits
    assert edit_distance(codes(query), codes(train), overlap, limit=edits) == edits
    if edits:
        assert edit_distance(codes(query), codes(train), overlap, limit=edits - 1) is None


@given(st.data())
def test_the_distance_is_the_one_of_the_textbook(data):
    length = data.draw(st.integers(1, 12))
    query, train = (
        np.array(data.draw(st.lists(st.integers(0, 4), min_size=length, max_size=length)), np.uint8) for _ in range(2)
    )
    offset = data.draw(st.integers(1 - length, length - 1))
    overlap = overlap_at(offset, query_length=length, train_length=length)
    a, b = query[max(0, -offset) :][: overlap.length], train[max(0, offset) :][: overlap.length]
    rows = list(range(len(b) + 1))  # Wagner and Fischer 1974
    for i, left in enumerate(a, 1):
        diagonal, rows[0] = rows[0], i
        for j, right in enumerate(b, 1):
            diagonal, rows[j] = rows[j], min(rows[j] + 1, rows[j - 1] + 1, diagonal + (left != right))
    assert edit_distance(query, train, overlap, limit=length) == rows[-1]
