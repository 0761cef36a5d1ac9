from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench.data.leaks import Leaks, duplicates, leak_report
from dnabench.data.split import group_split, random_split

FRACTIONS = (0.8, 0.1, 0.1)
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def reverse_complement(text: str) -> str:
    return text[::-1].translate(COMPLEMENT)


def kmers(text: str, k: int) -> set[str]:
    """The distinct k-mers, of a k-mer and its reverse complement the first in the alphabet."""
    windows = (text[i : i + k] for i in range(len(text) - k + 1))
    return {min(window, reverse_complement(window)) for window in windows if "N" not in window}


def leaks_by_hand(train: list[str], held_out: list[str], *, k: int, share: Fraction) -> Leaks:
    k = min(k, *map(len, train + held_out))
    rows_with = defaultdict(list)
    for row, text in enumerate(train):
        for kmer in kmers(text, k):
            rows_with[kmer].append(row)
    relatives = any_shared = 0
    for text in held_out:
        own = kmers(text, k)
        common = Counter(row for kmer in own for row in rows_with.get(kmer, ()))
        any_shared += bool(common)
        relatives += any(Fraction(count, len(own)) >= share for count in common.values())
    return Leaks(
        n=len(held_out),
        duplicates=sum(text in set(train) for text in held_out),
        reverse_complements=sum(reverse_complement(text) in set(train) for text in held_out),
        relatives=relatives,
        any_shared=any_shared,
        k=k,
        share=float(share),
    )


def related_sets(seed: int, train_length: int, held_out_length: int) -> tuple[SequenceSet, SequenceSet]:
    """60 and 40 random sequences; most held-out ones have pieces of one or two training sequences of either strand."""
    rng = np.random.default_rng(seed)
    train = rng.integers(0, 4, (60, train_length), dtype=np.uint8)
    train[10:14, 4:24] = train[10, 4:24]
    train[20] = train[21]
    train[30, 5:8] = train[31, 0] = train[32] = 4
    held_out = rng.integers(0, 4, (40, held_out_length), dtype=np.uint8)
    shorter = min(train_length, held_out_length)
    for row in range(35):
        for _ in range(rng.integers(1, 3)):
            piece = train[rng.integers(60)][: rng.integers(1, shorter + 1)]
            start = rng.integers(held_out_length - len(piece) + 1)
            held_out[row, start : start + len(piece)] = piece
        if row % 2:
            held_out[row] = np.array([3, 2, 1, 0, 4], np.uint8)[held_out[row, ::-1]]
    held_out[33:37, held_out_length // 2] = 4
    held_out[38] = 4
    held_out[39, :] = 0
    if train_length == held_out_length:
        held_out[:3] = train[[20, 30, 32]]
        held_out[3:5] = np.array([3, 2, 1, 0, 4], np.uint8)[train[[30, 2], ::-1]]
    return SequenceSet(train), SequenceSet(held_out)


@pytest.mark.parametrize("share", ["0.001", "0.2", "0.5", "0.8", "0.95", "1.0"])
@pytest.mark.parametrize(("train_length", "held_out_length"), [(40, 40), (36, 44), (44, 36), (8, 40), (40, 8), (5, 5)])
def test_the_report_is_what_sets_of_substrings_say(train_length, held_out_length, share):
    for seed, k in enumerate([4, 6, 8, 12]):
        train, held_out = related_sets(seed, train_length, held_out_length)
        expected = leaks_by_hand(train.strings(), held_out.strings(), k=k, share=Fraction(share))
        assert leak_report(train=train, held_out=held_out, k=k, share=float(share)) == expected
        assert leak_report(train=train, held_out=held_out, k=k, share=float(share), memory=1) == expected


def test_those_sets_hold_some_of_everything():
    report = leaks_by_hand(*(x.strings() for x in related_sets(0, 40, 40)), k=8, share=Fraction("0.8"))
    assert (report.duplicates, report.reverse_complements) >= (3, 2)
    assert 5 < report.relatives < report.any_shared < report.n


def sequence_and_start(windows: int, k: int, shared: int) -> tuple[SequenceSet, SequenceSet]:
    """A sequence of so many k-mers, and one of its first ``shared`` of them with nothing else in common."""
    rng = np.random.default_rng(7)
    held_out = rng.integers(0, 4, (1, windows + k - 1), dtype=np.uint8)
    train = held_out.copy()
    end = shared + k - 1
    train[0, end:] = (held_out[0, end:] + 1) % 4
    assert len(kmers(SequenceSet(held_out).strings()[0], k)) == windows
    return SequenceSet(train), SequenceSet(held_out)


@pytest.mark.parametrize(
    ("windows", "share", "needed"),
    # In binary 0.8 x 5, 0.07 x 100 and 0.14 x 50 come out above 4, 7 and 7.
    [(5, 0.8, 4), (10, 0.8, 8), (232, 0.8, 186), (100, 0.07, 7), (50, 0.14, 7), (9, 1, 9), (9, 0.01, 1), (10, 0.81, 9)],
)
def test_exactly_the_share_asked_for_is_enough(windows, share, needed):
    train, held_out = sequence_and_start(windows, 25, needed)
    assert leak_report(train=train, held_out=held_out, k=25, share=share).relatives == 1
    train, held_out = sequence_and_start(windows, 25, needed - 1)
    report = leak_report(train=train, held_out=held_out, k=25, share=share)
    assert (report.relatives, report.any_shared) == (0, int(needed > 1))


def test_the_share_is_of_distinct_kmers():
    # AAAA, AAAC, AACG, ACGG: four k-mers in 16 windows. The training sequence holds the first alone, in 14 windows.
    held_out = SequenceSet.from_strings(["A" * 16 + "CGG"])
    train = SequenceSet.from_strings(["A" * 17 + "TA"])
    assert leak_report(train=train, held_out=held_out, k=4, share=0.25).relatives == 1
    assert leak_report(train=train, held_out=held_out, k=4, share=0.26).relatives == 0


def test_two_training_sequences_do_not_make_one_relative():
    rng = np.random.default_rng(0)
    left, right, other = rng.integers(0, 4, (3, 60), dtype=np.uint8)
    train = SequenceSet(np.array([[*left, *other], [*other, *right]]))
    report = leak_report(train=train, held_out=SequenceSet(np.array([[*left, *right]])), share=0.5)
    assert (report.relatives, report.any_shared) == (0, 1)
    # 36 of 96 25-mers lie in either half, and 24 across the middle.
    assert leak_report(train=train, held_out=SequenceSet(np.array([[*left, *right]])), share=36 / 96).relatives == 1


@pytest.mark.parametrize("memory", [None, 50_000])
def test_a_module_that_thousands_carry(memory):
    rng = np.random.default_rng(3)
    train = rng.integers(0, 4, (3_000, 100), dtype=np.uint8)
    held_out = rng.integers(0, 4, (300, 100), dtype=np.uint8)
    family = rng.integers(0, 4, (4, 100), dtype=np.uint8)
    train[:, 60:] = family[rng.integers(0, 4, 3_000), 60:]
    held_out[:, 60:] = family[rng.integers(0, 4, 300), 60:]
    held_out[:40] = train[1_000:1_040]
    held_out[:40, 12] ^= 1  # loses 13 of 76 windows of 25
    held_out[40:80] = train[2_000:2_040]
    held_out[40:80, 16] ^= 1  # loses 17: 59 are left, 61 are needed
    train, held_out = SequenceSet(train), SequenceSet(held_out)
    report = leak_report(train=train, held_out=held_out, memory=memory)
    assert report == leaks_by_hand(train.strings(), held_out.strings(), k=25, share=Fraction("0.8"))
    assert (report.relatives, report.any_shared) == (40, 300)


def test_copies_on_either_strand_with_n_and_palindromes():
    train = SequenceSet.from_strings(["ACGTNA", "AATTCC", "GAATTC", "CCCCCC"])
    held_out = SequenceSet.from_strings(["ACGTNA", "TNACGT", "GGAATT", "GAATTC", "CCCCCN", "ATATAT"])
    report = leak_report(train=train, held_out=held_out, k=6)
    assert report.duplicates == 2  # ACGTNA and the palindrome GAATTC
    assert report.reverse_complements == 3  # TNACGT, GGAATT and the palindrome
    assert report.relatives == report.any_shared == 2  # of one 6-mer each; none where there is an N
    assert report.relative_share == pytest.approx(1 / 3)


def test_shorter_sequences_are_compared_whole_and_the_report_says_so():
    train = SequenceSet.from_strings(["ACGTTGCA", "GGGGCCCA"])
    held_out = SequenceSet.from_strings(["TGGGGCCC", "ACGTTGCT"])
    assert leak_report(train=train, held_out=held_out, k=25) == Leaks(
        n=2, duplicates=0, reverse_complements=0, relatives=0, any_shared=0, k=8, share=0.8
    )
    longer = SequenceSet.from_strings(["AATGCAACGTA"])  # holds the reverse complement of ACGTTGCA
    report = leak_report(train=longer, held_out=train, k=25)
    assert (report.relatives, report.any_shared, report.k) == (1, 1, 8)


def test_without_training_sequences_nothing_leaks():
    held_out = SequenceSet(np.zeros((3, 30), np.uint8))
    report = leak_report(train=SequenceSet(np.zeros((0, 30), np.uint8)), held_out=held_out)
    assert (report.n, report.relatives, report.any_shared, report.duplicates) == (3, 0, 0, 0)


def test_bad_arguments_are_named():
    sequences = SequenceSet(np.zeros((3, 30), np.uint8))
    with pytest.raises(ValueError, match="held_out holds no sequence"):
        leak_report(train=sequences, held_out=sequences.take(np.arange(0)))
    for share in (0, 1.1, -1, float("nan")):
        with pytest.raises(ValueError, match=f"share must be above 0 and at most 1, not {share}"):
            leak_report(train=sequences, held_out=sequences, share=share)
    with pytest.raises(ValueError, match="windows of 0 bases do not fit"):
        leak_report(train=sequences, held_out=sequences, k=0)


def test_duplicates_are_counted_once_each():
    texts = ["AACC", "GGTT", "AACC", "ACGT", "ACGT", "NAAA", "TTTN", "GGTT", "CCCC"]
    # Repeats: the third, the second ACGT, the second GGTT. Reverse complements: the first GGTT, TTTN; ACGT is its own.
    assert duplicates(SequenceSet.from_strings(texts)) == (3, 2)
    left = {min(text, text[::-1].translate(COMPLEMENT)) for text in texts}
    assert len(texts) - 3 - 2 == len(left)


@pytest.mark.parametrize(("species", "share"), [("sc", 0.8), ("pf", 0.2)])
def test_a_random_split_of_real_promoters_leaks_and_a_split_by_groups_does_not(real_promoters, species, share):
    sequences = real_promoters(species)
    split = random_split(sequences, fractions=FRACTIONS, rng=np.random.default_rng(0))
    train, held_out = sequences.take(split.train), sequences.take(split.test)
    chance = leak_report(train=train, held_out=held_out, share=share)
    assert chance == leaks_by_hand(train.strings(), held_out.strings(), k=25, share=Fraction(str(share)))
    assert chance.relative_share > 0.05
    assert leak_report(train=train, held_out=held_out, k=50).any_shared > 0.15 * len(held_out)

    split = group_split(sequences, fractions=FRACTIONS, k=50, rng=np.random.default_rng(0))
    train, held_out = sequences.take(split.train), sequences.take(split.test)
    groups = leak_report(train=train, held_out=held_out, share=share)
    assert groups.relatives == 0
    assert 0 < groups.any_shared < chance.any_shared
    assert leak_report(train=train, held_out=held_out, k=50).any_shared == 0
