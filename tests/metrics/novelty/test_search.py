"""The nearest training sequence, against aligning all pairs, on planted copies and on sets that are full of repeats."""

from __future__ import annotations

import edlib
import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.novelty.join import BUDGET, PLACES, find_candidates
from dnabench_metrics.novelty.search import TrainSearch


def random_codes(n: int, length: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)


def nearest(queries: np.ndarray, train: np.ndarray, *, identity: float = 0.8, kmer: int = 0) -> np.ndarray:
    sequences = SequenceSet(queries)
    search = TrainSearch(SequenceSet(train), query_length=sequences.length, identity=identity, kmer=kmer)
    return search.nearest(sequences)


def identities(found: np.ndarray) -> np.ndarray:
    return 1 - found["edits"] / found["overlap"]


@pytest.mark.parametrize(("length", "n", "recall"), [(64, 4000, 0.99), (256, 4000, 1.0), (2048, 300, 1.0)])
def test_copies_of_random_sequences_are_found_and_others_are_not(copy, length, n, recall):
    rng = np.random.default_rng(1)
    train = random_codes(n, length)
    rows = rng.choice(n, 100, replace=False)
    found = nearest(copy(train[rows], rng), train)
    assert np.mean(found["train_row"] == rows) >= recall
    assert (nearest(random_codes(100, length, seed=2), train)["train_row"] == -1).all()


@pytest.mark.parametrize("species", ["hs", "pf"])
def test_copies_of_real_promoters_are_found(species, copy, real_promoters):
    rng = np.random.default_rng(1)
    train = real_promoters(species).codes
    rows = rng.choice(len(train), 200, replace=False)
    found = nearest(copy(train[rows], rng), train)
    assert np.mean(found["train_row"] >= 0) >= 0.995
    assert np.mean(found["train_row"] == rows) >= 0.98  # the others are of its family


def test_what_is_found_is_what_aligning_all_pairs_finds(substituted, real_promoters):
    rng = np.random.default_rng(2)
    promoters = real_promoters("hs").codes
    train = promoters[rng.permutation(len(promoters))[:500]]
    queries = np.concatenate([substituted(train[:20], rate, rng) for rate in (0, 0.02, 0.1, 0.15, 0.18)])
    distances = np.array(
        [[edlib.align(query.tobytes(), other.tobytes())["editDistance"] for other in train] for query in queries]
    )
    related = distances.min(1) <= 0.2 * 256
    found = nearest(queries, train)
    assert 75 <= related.sum() < 100
    np.testing.assert_array_equal(found["train_row"] >= 0, related)
    unmoved = found["overlap"] == 256
    assert unmoved[related].mean() > 0.9
    np.testing.assert_array_equal(found["edits"][unmoved], distances.min(1)[unmoved])


def test_strand_edits_and_overlap_by_hand():
    train = random_codes(50, 200)
    queries = train[[3, 14, 15, 9, 26]].copy()
    queries[1] = 3 - queries[1, ::-1]
    queries[2, [20, 100, 180]] ^= 1  # three substitutions
    queries[3] = np.concatenate([queries[3, 30:], random_codes(1, 30, seed=7)[0]])  # 170 bases overlap
    queries[4] = 3 - np.delete(np.append(queries[4], 0), 77)[::-1]  # a base less inside, one more at the end
    found = nearest(queries, train)
    assert found["train_row"].tolist() == [3, 14, 15, 9, 26]
    assert found["strand"].tolist() == [0, 1, 0, 0, 1]
    assert found["edits"].tolist()[:4] == [0, 0, 3, 0]
    assert found["overlap"].tolist()[:4] == [200, 200, 200, 170]
    # Laid base on base at either side of the deletion: one edit if the last base overhangs, two if not.
    assert (found["edits"][4], found["overlap"][4]) in {(1, 199), (2, 200), (2, 199)}


def test_a_relative_is_one_from_the_identity_on():
    train = random_codes(20, 100)
    queries = train[[5, 5, 6]].copy()
    queries[0, :76:4] ^= 1  # 19 and 20 of 100 bases, and 21: 0.8 is reached by two
    queries[1, :80:4] ^= 1
    queries[2, :84:4] ^= 1
    assert (nearest(queries, train)["train_row"] >= 0).tolist() == [True, True, False]
    assert (nearest(queries, train, identity=0.7)["train_row"] >= 0).all()
    assert (nearest(queries, train, identity=0.81)["train_row"] >= 0).tolist() == [True, False, False]


def test_at_an_identity_of_one_only_copies_without_edits_are_relatives():
    train = random_codes(100, 80)
    queries = train[:3].copy()
    queries[1, 40] ^= 1
    queries[2] = np.roll(queries[2], -12)
    assert nearest(queries, train, identity=1.0)["train_row"].tolist() == [0, -1, 2]


def test_half_of_the_shorter_sequence_must_overlap():
    train = random_codes(30, 200)
    rest = random_codes(2, 200, seed=3)
    queries = np.array(
        [
            np.concatenate([train[4, 95:], rest[0, :95]]),  # 105 bases are copied
            np.concatenate([train[5, 110:], rest[1, :110]]),  # 90
        ]
    )
    found = nearest(queries, train)
    assert found["train_row"].tolist() == [4, -1]
    assert abs(int(found["overlap"][0]) - 105) <= 8


@pytest.mark.parametrize(("query_length", "train_length"), [(100, 300), (300, 100)])
def test_sequences_of_another_length_are_found_inside_and_around(query_length, train_length):
    train = random_codes(40, train_length)
    shorter = min(query_length, train_length)
    queries = random_codes(2, query_length, seed=4)
    queries[0, :100] = train[8, 150 : 150 + shorter] if query_length == 100 else train[8]
    found = nearest(queries, train)
    assert found["train_row"].tolist() == [8, -1]
    assert (found["edits"][0], found["overlap"][0]) == (0, 100)


def test_sequences_shorter_than_a_seed_are_only_found_when_identical():
    train = SequenceSet.from_strings(["ACGTA", "GGGGG", "NNNNN"]).codes
    queries = SequenceSet.from_strings(["ACGTA", "TACGT", "CCCCC", "ACGTT", "NNNNN"]).codes
    assert nearest(queries, train)["train_row"].tolist() == [0, 0, 1, -1, 2]
    assert nearest(random_codes(3, 12), random_codes(3, 12), kmer=16)["train_row"].tolist() == [0, 1, 2]
    assert (nearest(random_codes(3, 12), random_codes(9, 5), kmer=16)["train_row"] == -1).all()


def test_n_is_a_letter_that_equals_itself_alone():
    train = random_codes(30, 200)
    train[3, 50:90] = 4
    queries = train[[3, 3, 7]].copy()
    queries[1, 50:90] = random_codes(1, 40, seed=9)[0]  # 40 edits of 200: still a relative
    queries[2, ::8] = 4  # no seed is left, so that the 25 edits are not seen
    found = nearest(queries, train)
    assert found["train_row"].tolist() == [3, 3, -1]
    assert found["edits"].tolist()[:2] == [0, 40]


def test_poly_a_and_repeats_neither_hide_neighbours_nor_take_over(substituted):
    rng = np.random.default_rng(6)
    train = random_codes(8000, 256)
    train[:, 40:120] = 0
    train[:, 140:200] = random_codes(1, 60, seed=8)  # every sequence has it: far more places than are looked at
    assert len(train) > PLACES
    assert 60 * len(train) > BUDGET
    rows = rng.choice(len(train), 150, replace=False)
    found = nearest(substituted(train[rows], 0.05, rng), train)
    assert np.mean(found["train_row"] == rows) > 0.99


def test_sequences_that_are_all_low_complexity_have_relatives():
    rng = np.random.default_rng(7)
    at = (rng.random((3000, 256)) < 0.03).astype(np.uint8) * 3
    assert (nearest((rng.random((50, 256)) < 0.03).astype(np.uint8) * 3, at)["train_row"] >= 0).all()


@pytest.mark.parametrize("rate", [0.0, 0.04])
def test_a_large_family_does_not_hide_its_members(rate, substituted):
    rng = np.random.default_rng(8)
    member = random_codes(1, 256)
    train = np.concatenate([substituted(np.repeat(member, 6000, 0), rate, rng), random_codes(2000, 256, seed=1)])
    found = nearest(substituted(np.repeat(member, 60, 0), 0.04, rng), train)
    assert ((found["train_row"] >= 0) & (found["train_row"] < 6000)).all()
    assert np.mean(identities(found)) > 0.9


def test_candidates_come_with_their_offset():
    train = random_codes(300, 256)
    search = TrainSearch(SequenceSet(train), query_length=256, identity=0.8, kmer=12)
    rest = random_codes(1, 60, seed=5)[0]
    queries = np.array(
        [
            train[11],
            3 - train[12, ::-1],
            np.concatenate([train[13, 60:], rest]),
            np.concatenate([rest, train[14, :196]]),
        ]
    )
    candidates = find_candidates(queries, search.index, train_length=256, sketch=search.sketch)
    assert search.distinct.rows[candidates.ranks[:, 0]].tolist() == [11, 12, 13, 14]
    assert candidates.strands[:, 0].tolist() == [0, 1, 0, 0]
    assert candidates.offsets[:, 0].tolist() == [0, 0, 60, -60]


def test_a_result_depends_on_the_sequence_and_the_training_set_alone(substituted):
    rng = np.random.default_rng(9)
    train = np.concatenate([random_codes(600, 128), random_codes(20, 128)])  # the last twenty twice
    queries = np.concatenate([substituted(train[:80], 0.1, rng), random_codes(20, 128, seed=2)])
    whole = nearest(queries, train)
    np.testing.assert_array_equal(nearest(queries[40:47], train), whole[40:47])
    order = rng.permutation(len(train))
    shuffled = nearest(queries, train[order])
    for name in ("strand", "edits", "overlap"):
        np.testing.assert_array_equal(shuffled[name], whole[name])
    held = whole["train_row"] >= 0
    np.testing.assert_array_equal(train[order][shuffled["train_row"][held]], train[whole["train_row"][held]])


def test_the_other_strand_of_a_query_has_the_same_neighbour(substituted):
    rng = np.random.default_rng(10)
    train = random_codes(500, 256)
    queries = substituted(train[:100], 0.1, rng)
    one, other = nearest(queries, train), nearest(3 - queries[:, ::-1], train)
    np.testing.assert_array_equal(one["train_row"], other["train_row"])
    assert (one["strand"] == 0).all()
    assert (other["strand"] == 1).all()
    np.testing.assert_array_equal(one["edits"], other["edits"])
