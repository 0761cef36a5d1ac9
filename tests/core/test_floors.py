"""Pairs of real sets: the sizes asked for, no relatives on both sides, every sequence as often."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet
from dnabench.data.floors import real_halves, real_pairs, repartition


def families(count, size, length=60, seed=0):
    codes = np.random.default_rng(seed).integers(0, 4, (count, length), dtype=np.uint8)
    return SequenceSet(np.repeat(codes, size, axis=0))


def strings(sequences):
    return set(sequences.strings())


def test_the_first_pair_is_the_two_sets_and_the_others_have_their_sizes():
    first, second = families(30, 1), families(20, 1, seed=1)
    pairs = list(real_pairs(first, second, draws=4, k=50, rng=np.random.default_rng(0)))
    sides = [pair.sides for pair in pairs]
    assert [(len(a), len(b)) for a, b in sides] == [(30, 20)] * 4
    assert (sides[0][0].digest, sides[0][1].digest) == (first.digest, second.digest)
    assert len({a.digest for a, _ in sides}) == 4
    for a, b in sides:
        assert strings(a) | strings(b) == strings(first) | strings(second)


def test_the_sides_are_the_rows_of_their_sources():
    first, second = families(30, 2), families(20, 1, seed=1)
    for pair in real_pairs(first, second, draws=3, k=50, rng=np.random.default_rng(0)):
        codes = np.concatenate([source.codes for source in pair.sources])
        for side in pair.sides:
            sources, rows = pair.origins()[side.digest]
            assert sources == (first, second)
            np.testing.assert_array_equal(codes[rows], side.codes)


def test_relatives_stay_on_one_side():
    first, second = families(20, 3), families(30, 2, seed=1)
    for pair in real_pairs(first, second, draws=6, k=50, rng=np.random.default_rng(0)):
        a, b = pair.sides
        assert not strings(a) & strings(b)


def test_draws_of_other_sizes_are_left_out():
    """A family of 40 fits on neither side of 30: every further draw would be short of rows."""
    codes = np.random.default_rng(0).integers(0, 4, (21, 60), dtype=np.uint8)
    pool = np.concatenate([np.repeat(codes[:1], 40, axis=0), codes[1:]])
    first, second = SequenceSet(pool[:30]), SequenceSet(pool[30:])
    (only,) = real_pairs(first, second, draws=5, k=50, rng=np.random.default_rng(0))
    assert only.sides == (first, second)


def test_labels_come_along():
    first, second = (
        SequenceSet(np.full((2, 60), code, np.uint8), labels=pd.DataFrame({"species": [name] * 2}))
        for code, name in ((0, "hs"), (1, "mm"))
    )
    pair = next(real_pairs(first, second, draws=1, k=50, rng=np.random.default_rng(0)))
    assert [list(side.labels["species"]) for side in pair.sides] == [["hs", "hs"], ["mm", "mm"]]


def test_halves_share_no_family_and_the_first_is_thinned():
    real = families(50, 4)
    for pair in real_halves(real, 80, draws=3, k=50, rng=np.random.default_rng(0)):
        a, b = pair.sides
        assert (len(a), len(b)) == (80, 100)
        assert not strings(a) & strings(b)


@pytest.mark.parametrize("sizes", [[1] * 50, [5] * 4 + [1] * 30, [20] + [1] * 30, [2] * 25])
def test_every_row_is_as_often_on_either_side(sizes):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(0)
    counts = np.zeros(50)
    for _ in range(2000):
        first, second = repartition(groups, 25, 25, rng)
        assert not set(groups[first]) & set(groups[second])
        assert len(np.union1d(first, second)) == len(first) + len(second)
        counts[first] += 1
    # Binomial(2000, 1/2) has a standard deviation of 22.
    assert np.abs(counts - 1000).max() < 110


def test_unequal_sides_get_their_shares_and_a_family_goes_where_it_fits():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(91), [10, *[1] * 90])
    family_first = 0
    for _ in range(1000):
        first, second = repartition(groups, 90, 10, rng)
        assert (len(first), len(second)) == (90, 10)
        family_first += 0 in first
    # Where it fits on both sides, in proportion to their sizes: binomial(1000, .9) has a standard deviation of 9.5.
    assert abs(family_first - 900) < 48
    groups = np.concatenate([np.zeros(30, int), np.ones(20, int), np.arange(2, 52)])
    for _ in range(100):
        assert [len(side) for side in repartition(groups, 90, 10, rng)] == [90, 10]


def test_what_does_not_fit_of_a_large_group_is_left_out():
    groups = np.array([0] * 40 + list(range(1, 11)))
    sides = repartition(groups, 25, 25, np.random.default_rng(0))
    assert sorted(len(side) for side in sides) == [10, 25]
    assert sorted(set(groups[side].tolist()) == {0} for side in sides) == [False, True]
