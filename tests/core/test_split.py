from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench.data.split import group_split, halves, relatives

FRACTIONS = (0.8, 0.1, 0.1)


def kmers(text: str, k: int) -> set[str]:
    """Every k-mer of both strands, the slow and obvious way."""
    reverse = text[::-1].translate(str.maketrans("ACGT", "TGCA"))
    both = [strand[i : i + k] for strand in (text, reverse) for i in range(len(text) - k + 1)]
    return {kmer for kmer in both if "N" not in kmer}


def groups_by_hand(strings: list[str], k: int) -> list[set[int]]:
    found = [kmers(text, k) for text in strings]
    groups = [{i} for i in range(len(strings))]
    for i, j in combinations(range(len(strings)), 2):
        if found[i] & found[j]:
            a = next(g for g in groups if i in g)
            b = next(g for g in groups if j in g)
            if a is not b:
                groups.remove(b)
                a |= b
    return groups


def test_relatives_are_those_a_plain_comparison_of_kmers_joins():
    rng = np.random.default_rng(0)
    # 30-mers over a small alphabet of chance: many pairs share a 6-mer, many do not.
    codes = rng.integers(0, 4, (60, 30), dtype=np.uint8)
    codes[10, 5:17] = codes[3, 8:20]
    codes[11, 2:14] = 3 - codes[4, 10:22][::-1]
    codes[12, 15] = 4
    sequences = SequenceSet(codes)
    for k in (6, 8, 12):
        groups = relatives(sequences, k=k)
        found = {frozenset(np.flatnonzero(groups == g).tolist()) for g in set(groups.tolist())}
        assert found == {frozenset(g) for g in groups_by_hand(sequences.strings(), k)}
    assert relatives(sequences, k=12)[10] == relatives(sequences, k=12)[3]
    assert relatives(sequences, k=12)[11] == relatives(sequences, k=12)[4]


def test_n_joins_nothing():
    sequences = SequenceSet.from_strings(["NNNNNNNNNN", "NNNNNNNNNN", "ACGTTNACGT"])
    assert len(set(relatives(sequences, k=6).tolist())) == 3


def test_parts_are_disjoint_whole_seeded_and_of_the_sizes_asked_for():
    codes = np.random.default_rng(1).integers(0, 4, (1000, 80), dtype=np.uint8)
    sequences = SequenceSet(codes)
    split = group_split(sequences, fractions=FRACTIONS, k=50, rng=np.random.default_rng(0))
    assert [len(part) for part in split] == [800, 100, 100]
    assert np.array_equal(np.sort(np.concatenate(split)), np.arange(1000))
    again = group_split(sequences, fractions=FRACTIONS, k=50, rng=np.random.default_rng(0))
    other = group_split(sequences, fractions=FRACTIONS, k=50, rng=np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(split, again, strict=True))
    assert not np.array_equal(split.test, other.test)


def test_no_50mer_of_real_test_promoters_is_in_training(real_promoters):
    sequences = real_promoters("pf")
    split = group_split(sequences, fractions=FRACTIONS, k=50, rng=np.random.default_rng(0))
    strings = sequences.strings()
    parts = [set().union(*(kmers(strings[i], 50) for i in rows)) for rows in split]
    assert all(not a & b for a, b in combinations(parts, 2))
    sizes = np.bincount(relatives(sequences, k=50))
    assert sizes.max() > 600  # the family that the data's README tells of
    assert [len(part) for part in split] == [len(sequences) - 2 * 487, 487, 487]
    # Held-out parts are samples of the whole: relatives are as frequent there, though the largest family fits in none.
    in_family = sizes[relatives(sequences, k=50)] > 1
    assert in_family.mean() == pytest.approx(0.315, abs=0.002)
    assert all(in_family[rows].mean() == pytest.approx(in_family.mean(), abs=0.01) for rows in split)


def test_families_that_overdraw_training_leave_validation_and_test_alike():
    rng = np.random.default_rng(0)
    families = [np.repeat(rng.integers(0, 4, (1, 60), dtype=np.uint8), 240, axis=0) for _ in range(3)]
    sequences = SequenceSet(np.concatenate([*families, rng.integers(0, 4, (60, 60), dtype=np.uint8)]))
    split = group_split(sequences, fractions=FRACTIONS, k=50, rng=rng)
    assert [len(part) for part in split] == [720, 30, 30]


def test_halves_share_no_family():
    rng = np.random.default_rng(0)
    codes = np.repeat(rng.integers(0, 4, (50, 60), dtype=np.uint8), 4, axis=0)
    sequences = SequenceSet(rng.permutation(codes))
    first, second = halves(sequences, k=50, rng=rng)
    assert (len(first), len(second)) == (100, 100)
    assert np.array_equal(np.sort(np.concatenate([first, second])), np.arange(200))
    texts = np.array(sequences.strings())
    assert not set(texts[first]) & set(texts[second])


def test_too_few_groups_is_a_users_error():
    same = SequenceSet(np.zeros((50, 60), np.uint8))
    with pytest.raises(UserError, match="50 sequences in 1 groups of relatives .* too few to split"):
        group_split(same, fractions=FRACTIONS, k=50, rng=np.random.default_rng(0))
