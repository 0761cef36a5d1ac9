"""Draws that do not depend on the order of the sequences."""

from __future__ import annotations

import numpy as np

from dnabench import SequenceSet
from dnabench_metrics.sampling import canonical_order, shuffled, thinned


def sequences(n=500, length=20, seed=0):
    return SequenceSet(np.random.default_rng(seed).integers(0, 5, (n, length), dtype=np.uint8))


def test_the_canonical_order_is_the_lexicographic_one():
    some = sequences()
    assert some.codes[canonical_order(some)].tolist() == sorted(some.codes.tolist())


def test_the_same_sequences_are_drawn_whatever_their_order():
    some = sequences()
    other = some.take(np.random.default_rng(1).permutation(len(some)))
    drawn, again = (x.codes[thinned(x, 50, seed=3, side="generated")] for x in (some, other))
    assert sorted(drawn.tolist()) == sorted(again.tolist())
    assert (
        some.codes[shuffled(some, seed=3, side="x")].tolist() == other.codes[shuffled(other, seed=3, side="x")].tolist()
    )


def test_seed_and_side_decide_the_draw_and_small_sets_stay_whole():
    some = sequences()
    draws = {
        thinned(some, 50, seed=seed, side=side).tobytes() for seed in (0, 1) for side in ("generated", "reference")
    }
    assert len(draws) == 4
    assert thinned(some, 500, seed=0, side="generated").tolist() == list(range(500))


def test_every_sequence_is_drawn_equally_often():
    some = sequences(n=40)
    counts = np.bincount(np.concatenate([thinned(some, 10, seed=seed, side="x") for seed in range(2000)]), minlength=40)
    # Binomial(2000, 1/4): mean 500, sd 19.4; five sd hold for 40 draws together but for one time in 40,000.
    assert np.abs(counts - 500).max() < 97
