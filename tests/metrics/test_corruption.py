"""The damage that FReD's encoder is trained on: what it does to a sequence, and how much it says that was."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench_metrics.ae.corruption import HIGHEST_RATE, KINDS, Corruption
from dnabench_metrics.ae.train import masked

LENGTH = 128


@pytest.fixture(scope="module")
def corrupted():
    """A large batch, the originals by content, and the corruption: sequences of two groups that share no base."""
    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.integers(0, 2, (300, LENGTH)), rng.integers(2, 4, (300, LENGTH))]).astype(np.uint8)
    groups = np.repeat(["low", "high"], 300)
    corruption = Corruption(codes, groups, rng)
    return codes, corruption.batch(6000, rng)


def only(batch, kind):
    column = KINDS.index(kind)
    others = np.delete(batch.amounts, [column, 0, 1], axis=1)
    return (batch.amounts[:, column] > 0) & (others == 0).all(axis=1)


def test_structural_damage_keeps_to_the_group(corrupted):
    _, batch = corrupted
    assert ((batch.target < 2).all(axis=1) | (batch.target >= 2).all(axis=1)).all()


def test_an_intact_target_is_one_of_the_originals_and_a_damaged_one_is_not(corrupted):
    codes, batch = corrupted
    known = {row.tobytes() for row in codes}
    structural = batch.amounts[:, 2:].any(axis=1)
    found = np.array([row.tobytes() in known for row in batch.target])
    assert found[~structural].all()
    assert found[structural].mean() < 0.01
    assert structural.mean() == pytest.approx(0.6, abs=0.03)


def test_swaps_and_rotations_keep_the_bases_of_the_sequence(corrupted):
    codes, batch = corrupted
    counts = {tuple(np.bincount(row, minlength=4)) for row in codes}
    for kind in ("swapped-windows", "rotation"):
        for row in batch.target[only(batch, kind)][:200]:
            assert tuple(np.bincount(row, minlength=4)) in counts


def test_a_rotation_is_by_as_much_as_it_says(corrupted):
    codes, batch = corrupted
    known = {row.tobytes(): row for row in codes}
    rows = np.flatnonzero(only(batch, "rotation"))[:50]
    for row in rows:
        by = round(float(batch.amounts[row, KINDS.index("rotation")]) * 64)
        assert any(np.roll(batch.target[row], shift).tobytes() in known for shift in (by, -by))


def test_substitutions_are_as_frequent_as_they_say(corrupted):
    _, batch = corrupted
    changed = (batch.seen != batch.target).mean(axis=1)
    uniform = batch.amounts[:, 0] * HIGHEST_RATE
    internal = batch.amounts[:, 1] * HIGHEST_RATE
    assert (changed[(uniform == 0) & (internal == 0)] == 0).all()
    # A uniform base is the old one in a quarter of the cases, one of the same sequence (two letters) in a half.
    assert changed[uniform > 0].mean() == pytest.approx(0.75 * uniform[uniform > 0].mean(), rel=0.05)
    assert changed[internal > 0].mean() == pytest.approx(0.5 * internal[internal > 0].mean(), rel=0.05)


def test_half_of_the_sequences_are_masked_in_spans():
    codes = np.random.default_rng(6).integers(0, 4, (3000, 256), dtype=np.uint8)
    one_hot = masked(codes, np.random.default_rng(0)).numpy()
    hidden = (one_hot == 0.25).all(axis=1)
    np.testing.assert_array_equal(one_hot.argmax(axis=1)[~hidden], codes[~hidden])
    some = hidden.any(axis=1)
    assert some.mean() == pytest.approx(0.5, abs=0.03)
    # Spans of 4 started at rate .025 leave a base alone with probability .975^4.
    assert hidden[some].mean() == pytest.approx(1 - 0.975**4, abs=0.005)
