from __future__ import annotations

import tracemalloc
from itertools import combinations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench.data.kmers import window_hashes
from dnabench.data.split import group_split, random_split, relatives

FRACTIONS = (0.8, 0.1, 0.1)


def kmers(text: str, k: int) -> set[str]:
    """Every k-mer of both strands, the slow and obvious way."""
    reverse = text[::-1].translate(str.maketrans("ACGT", "TGCA"))
    both = [strand[i : i + k] for strand in (text, reverse) for i in range(len(text) - k + 1)]
    return {kmer for kmer in both if "N" not in kmer}


def partition(groups: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(groups == group).tolist()) for group in set(groups.tolist())}


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
        expected = {frozenset(g) for g in groups_by_hand(sequences.strings(), k)}
        assert partition(relatives(sequences, k=k)) == expected
        # Room for 1, 40 and 600 of up to 1,500 k-mers: as many passes as k-mers, dozens, a few.
        for memory in (1, 40 * 32, 600 * 32):
            assert partition(relatives(sequences, k=k, memory=memory)) == expected
    assert relatives(sequences, k=12)[10] == relatives(sequences, k=12)[3]
    assert relatives(sequences, k=12)[11] == relatives(sequences, k=12)[4]


def test_groups_are_numbered_by_their_first_row_whatever_the_memory():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, (400, 100), dtype=np.uint8)
    family = rng.integers(0, 300, 400)
    codes[:, 30:60] = codes[family, 30:60]
    sequences = SequenceSet(codes)
    groups = relatives(sequences, k=25)
    assert groups.dtype == np.int32
    assert list(dict.fromkeys(groups.tolist())) == list(range(groups.max() + 1))
    assert 100 < groups.max() < 350
    for memory in (1 << 14, 1 << 17):
        assert np.array_equal(relatives(sequences, k=25, memory=memory), groups)


def test_relatives_of_relatives_are_joined_from_any_passes():
    # A chain: each sequence ends as the next begins. Every link is another k-mer, and many passes find some.
    text = np.random.default_rng(6).integers(0, 4, 40 * 300 + 20, dtype=np.uint8)
    codes = np.array([text[40 * i : 40 * i + 60] for i in range(300)])
    codes[1::2] = 3 - codes[1::2, ::-1]
    order = np.random.default_rng(0).permutation(300)
    for memory in (1 << 12, None):
        assert relatives(SequenceSet(codes[order]), k=20, memory=memory).max() == 0
        broken = np.delete(order, np.flatnonzero(order == 150))
        assert sorted(np.bincount(relatives(SequenceSet(codes[broken]), k=20, memory=memory))) == [149, 150]
        assert relatives(SequenceSet(codes[order]), k=21, memory=memory).max() == 299


def test_a_kmer_that_fills_the_memory_hides_no_other():
    # The first and last 50 rows share one 20-mer each. Between them, 2,000 rows hold AAA... alone, 82,000 times.
    rng = np.random.default_rng(4)
    first, last = rng.integers(0, 4, (2, 50, 60), dtype=np.uint8)
    last[:, 30:50] = first[:, 10:30]
    last[:, [29, 50]] = (first[:, [9, 30]] + 1) % 4
    sequences = SequenceSet(np.concatenate([first, np.zeros((2000, 60), np.uint8), last]))
    expected = [*range(50), *[50] * 2000, *range(50)]
    for memory in (20_000 * 32, None):
        assert relatives(sequences, k=20, memory=memory).tolist() == expected
    assert relatives(sequences, k=21).max() == 100


def test_relatives_work_in_the_memory_given():
    rng = np.random.default_rng(8)
    different = rng.integers(0, 4, (20_000, 128), dtype=np.uint8)
    alike = np.repeat(different[:1], 20_000, axis=0)
    allowed = 8 << 20  # all 1.6 million hashes and rows alone are 18 MiB
    for codes, count in ((different, 20_000), (alike, 1), (np.zeros_like(alike), 1)):
        sequences = SequenceSet(codes)
        tracemalloc.start()
        groups = relatives(sequences, k=50, memory=allowed)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert groups.max() + 1 == count
        assert peak < 1.5 * allowed


def test_n_joins_nothing():
    sequences = SequenceSet.from_strings(["NNNNNNNNNN", "NNNNNNNNNN", "ACGTTNACGT"])
    assert len(set(relatives(sequences, k=6).tolist())) == 3
    assert relatives(SequenceSet(np.full((3, 10), 4, np.uint8)), k=6).tolist() == [0, 1, 2]


def test_sequences_shorter_than_k_are_compared_whole():
    sequences = SequenceSet.from_strings(["ACGTA", "ACGTC", "TACGT", "ACGTA"])
    assert relatives(sequences, k=50).tolist() == [0, 1, 0, 0]


def test_no_sequences_make_no_groups():
    assert relatives(SequenceSet(np.zeros((0, 60), np.uint8)), k=50).tolist() == []


def low_complexity(n: int, length: int) -> np.ndarray:
    """Tandem repeats of units of 1 to 6 bases with a few substitutions, half of them of A and T alone."""
    rng = np.random.default_rng(9)
    rows = [np.resize(rng.integers(0, 4, rng.integers(1, 7), dtype=np.uint8), length) for _ in range(n)]
    codes = np.array(rows)
    codes[rng.random(codes.shape) < 0.01] = 2
    codes[: n // 2] = np.array([0, 3, 0, 3], np.uint8)[codes[: n // 2]]
    return codes


@pytest.mark.parametrize("k", [1, 2, 7, 25, 50, 120])
def test_hashes_are_as_different_as_the_kmers_are(k):
    codes = low_complexity(500, 120)  # two blocks
    codes[300:, 60] = 4
    hashes, rows = map(np.concatenate, zip(*window_hashes(codes, k), strict=True))
    texts, expected_rows = [], []
    for row, text in enumerate(SequenceSet(codes).strings()):
        for i in range(120 - k + 1):
            window = text[i : i + k]
            if "N" not in window:
                texts.append(min(window, window[::-1].translate(str.maketrans("ACGT", "TGCA"))))
                expected_rows.append(row)
    assert rows.tolist() == expected_rows
    # One to one: as many hashes as k-mers, and as many pairs of the two.
    assert len(set(hashes.tolist())) == len(set(texts)) == len(set(zip(hashes.tolist(), texts, strict=True)))


def test_hashes_are_spread_evenly():
    hashes = np.unique(np.concatenate([hashes for hashes, _ in window_hashes(low_complexity(5_000, 120), 40)]))
    assert len(hashes) > 20_000
    counts = np.bincount((hashes >> np.uint64(60)).astype(np.int64), minlength=16)
    assert counts == pytest.approx(len(hashes) / 16, rel=0.1)


@pytest.mark.parametrize("k", [0, 11])
def test_windows_must_fit(k):
    with pytest.raises(ValueError, match=f"windows of {k} bases do not fit into sequences of 10"):
        next(window_hashes(np.zeros((1, 10), np.uint8), k))
    with pytest.raises(ValueError, match="windows of 0 bases do not fit into sequences of 10"):
        relatives(SequenceSet(np.zeros((1, 10), np.uint8)), k=0)


def test_a_random_split_is_disjoint_seeded_of_the_sizes_asked_for_and_divides_families():
    codes = np.repeat(np.random.default_rng(1).integers(0, 4, (1000, 80), dtype=np.uint8), 2, axis=0)
    sequences = SequenceSet(codes)
    split = random_split(sequences, fractions=(0.7, 0.2, 0.1), rng=np.random.default_rng(0))
    assert [len(part) for part in split] == [1400, 400, 200]
    assert np.array_equal(np.sort(np.concatenate(split)), np.arange(2000))
    assert all((np.diff(part) > 0).all() for part in split)
    again = random_split(sequences, fractions=(0.7, 0.2, 0.1), rng=np.random.default_rng(0))
    other = random_split(sequences, fractions=(0.7, 0.2, 0.1), rng=np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(split, again, strict=True))
    assert not np.array_equal(split.test, other.test)
    # The twin of a row is that beside it. Of 200 test rows 1400 / 1999 have theirs in training: 140, give or take 6.5.
    assert np.isin(split.test ^ 1, split.train).sum() == pytest.approx(140, abs=26)


def test_a_random_split_of_too_few_is_a_users_error():
    split = random_split(SequenceSet(np.zeros((6, 9), np.uint8)), fractions=FRACTIONS, rng=np.random.default_rng(0))
    assert [len(part) for part in split] == [4, 1, 1]
    for n, fractions in ((5, FRACTIONS), (0, FRACTIONS), (2, (0.2, 0.4, 0.4))):
        with pytest.raises(UserError, match=f"{n} sequences are too few to split into train, validation and test"):
            random_split(SequenceSet(np.zeros((n, 9), np.uint8)), fractions=fractions, rng=np.random.default_rng(0))


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


def test_too_few_groups_is_a_users_error():
    same = SequenceSet(np.zeros((50, 60), np.uint8))
    with pytest.raises(UserError, match="50 sequences in 1 groups of relatives .* too few to split"):
        group_split(same, fractions=FRACTIONS, k=50, rng=np.random.default_rng(0))
