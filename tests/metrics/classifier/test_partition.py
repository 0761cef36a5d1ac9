"""Who is trained on and who is held out: copies, sizes, order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnabench_metrics.classifier.partition import partition

# Six bases in two letters: 64 sequences, so that copies are the rule.
sides = st.lists(st.integers(0, 63), min_size=4, max_size=60).map(
    lambda numbers: (np.array(numbers)[:, None] >> np.arange(6) & 1).astype(np.uint8)
)


def copies(rows: np.ndarray) -> dict[bytes, int]:
    texts, counts = np.unique(rows.view("V6").ravel(), return_counts=True)
    return {text.tobytes(): int(count) for text, count in zip(texts, counts, strict=True)}


@given(sides, sides, st.data())
def test_every_row_is_in_one_part_and_the_training_parts_are_equally_large(generated, reference, data):
    size = data.draw(st.integers(1, min(len(generated), len(reference)) // 2))
    for side, codes in zip(partition(generated, reference, training=size, seed=0), (generated, reference), strict=True):
        assert len(side.training) == size
        assert sorted([*side.training, *side.held_out]) == list(range(len(codes)))


@given(sides, sides, st.integers(0, 3))
def test_the_order_of_the_rows_and_of_the_sides_does_not_matter(generated, reference, seed):
    size = min(len(generated), len(reference)) // 2
    rng = np.random.default_rng(1)
    moved = generated[rng.permutation(len(generated))], reference[rng.permutation(len(reference))]
    plain = partition(generated, reference, training=size, seed=seed)
    other = partition(moved[1], moved[0], training=size, seed=seed)[::-1]
    for before, after, old, new in zip(plain, other, (generated, reference), moved, strict=True):
        np.testing.assert_array_equal(old[before.training], new[after.training])
        np.testing.assert_array_equal(old[before.held_out], new[after.held_out])


@given(sides, sides)
def test_as_many_copies_as_both_sides_hold_stay_together(generated, reference):
    size = min(len(generated), len(reference)) // 2
    g, r = partition(generated, reference, training=size, seed=0)
    shared = {
        text: min(count, copies(reference)[text])
        for text, count in copies(generated).items()
        if text in copies(reference)
    }
    parts = [(copies(generated[a]), copies(reference[b])) for a, b in ((g[0], r[0]), (g[1], r[1]))]
    for text, count in shared.items():
        # What the two sides share within each part adds up to what they share at all: no pair is torn apart.
        assert sum(min(one.get(text, 0), other.get(text, 0)) for one, other in parts) == count


def test_a_copy_of_the_reference_is_divided_exactly_as_the_reference():
    reference = np.random.default_rng(0).integers(0, 4, (31, 9), dtype=np.uint8)
    g, r = partition(reference[::-1], reference, training=15, seed=0)
    np.testing.assert_array_equal(reference[::-1][g.training], reference[r.training])
    np.testing.assert_array_equal(reference[::-1][g.held_out], reference[r.held_out])


def test_what_a_generator_repeats_is_trained_on_and_held_out():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 4, (200, 9), dtype=np.uint8)
    g, _ = partition(np.tile(reference[:2], (100, 1)), reference, training=100, seed=0)
    for part in g:
        assert 30 < (part % 2).sum() < 70


def test_another_seed_is_another_draw():
    codes = np.random.default_rng(0).integers(0, 4, (60, 12), dtype=np.uint8)
    one, other = (partition(codes[:30], codes[30:], training=15, seed=seed)[0].training for seed in (0, 1))
    assert set(one.tolist()) != set(other.tolist())
    assert len(set(one.tolist()) & set(other.tolist())) == pytest.approx(7.5, abs=6)
