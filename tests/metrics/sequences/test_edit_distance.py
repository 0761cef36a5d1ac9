"""Edit distances of many pairs at a time against edlib and by hand."""

from __future__ import annotations

import edlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnabench import SequenceSet
from dnabench_metrics.sequences.edit_distance import LANES, edit_distances


def with_edlib(first: np.ndarray, second: np.ndarray) -> list[int]:
    pairs = zip(first, second, strict=True)
    return [edlib.align(x.tobytes(), y.tobytes(), mode="NW")["editDistance"] for x, y in pairs]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("ACGT", "ACGT", 0), ("ACGT", "CGTA", 2), ("AAAA", "TTTT", 4), ("ACGT", "AGGT", 1), ("NNNN", "NNNA", 1)],
)
def test_by_hand(first, second, expected):
    pair = SequenceSet.from_strings([first, second]).codes
    assert edit_distances(pair[:1], pair[1:]).tolist() == [expected]


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 128, 200, 256])
@pytest.mark.parametrize("pairs", [1, LANES - 1, 2 * LANES + 3])
def test_equals_edlib_at_the_ends_of_words_and_lanes(length, pairs):
    rng = np.random.default_rng(length * 1000 + pairs)
    first, second = rng.integers(0, 5, (2, pairs, length), dtype=np.uint8)
    # Near pairs too: a shift and a substitution.
    second[::2] = np.roll(first[::2], 1, axis=1)
    second[::4, length // 2] = 3
    assert edit_distances(first, second).tolist() == with_edlib(first, second)


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, 150), other=st.integers(1, 150), letters=st.integers(1, 5), seed=st.integers(0, 999))
def test_equals_edlib_for_any_lengths_and_either_way_round(length, other, letters, seed):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, letters, (3, length), dtype=np.uint8)
    second = rng.integers(0, letters, (3, other), dtype=np.uint8)
    expected = with_edlib(first, second)
    assert edit_distances(first, second).tolist() == expected
    assert edit_distances(second, first).tolist() == expected


def test_equals_edlib_at_2048_bp():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, (12, 2048), dtype=np.uint8)
    second = first[:, ::-1].copy()
    second[6:] = np.roll(first[6:], 100, axis=1)
    assert edit_distances(first, second).tolist() == with_edlib(first, second)
