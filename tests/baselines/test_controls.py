"""``holdout``, ``bootstrap`` and ``dinucleotide-shuffle``: which sequences come back, with which labels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, UserError
from dnabench_baselines.controls import Bootstrap, DinucleotideShuffle, Holdout


def distinct(first, n=50, length=32):
    """Random sequences labelled with their own text, so that a label tells where a sequence came from."""
    codes = np.random.default_rng(first).integers(0, 4, (n, length), dtype=np.uint8)
    return SequenceSet(codes, labels=pd.DataFrame({"origin": SequenceSet(codes).strings()}))


TRAIN, HELD_OUT = distinct(1), distinct(2)


def fit(generator, make_context):
    generator.fit(TRAIN, context=make_context(length=32, held_out=HELD_OUT))
    return generator


def test_holdout_gives_held_out_sequences_once(make_context):
    sample = fit(Holdout(), make_context).sample(50, context=make_context(length=32))
    assert sorted(sample.strings()) == sorted(HELD_OUT.strings())
    assert sample.strings() != HELD_OUT.strings()
    assert sample.labels["origin"].tolist() == sample.strings()


def test_holdout_says_how_many_there_are(make_context):
    with pytest.raises(UserError, match="asked for 51 sequences, and only 50"):
        fit(Holdout(), make_context).sample(51, context=make_context(length=32))


def test_holdout_without_held_out_sequences_is_the_users_error(make_context):
    with pytest.raises(UserError, match="this run has none"):
        Holdout().fit(TRAIN, context=make_context(length=32))


def test_bootstrap_draws_training_sequences_with_replacement(make_context):
    sample = fit(Bootstrap(), make_context).sample(2000, context=make_context(length=32))
    counts = pd.Series(sample.strings()).value_counts()
    assert set(counts.index) == set(TRAIN.strings())
    # Counts of a multinomial: variance 2000 / 50 * (1 - 1 / 50) = 39.2; drawing evenly would give 0.
    assert 20 < counts.var() < 65
    assert sample.labels["origin"].tolist() == sample.strings()


def test_shuffles_carry_the_labels_of_their_origin(make_context):
    sample = fit(DinucleotideShuffle(), make_context).sample(100, context=make_context(length=32))
    origin = SequenceSet.from_strings(sample.labels["origin"])
    assert set(origin.strings()) <= set(TRAIN.strings())
    assert np.array_equal(np.sort(sample.codes, axis=1), np.sort(origin.codes, axis=1))
    assert (sample.codes != origin.codes).any(axis=1).all()


@pytest.mark.parametrize("generator", [Holdout, Bootstrap, DinucleotideShuffle])
def test_another_length_is_the_users_error(generator, make_context):
    with pytest.raises(UserError, match="32 bp, but 40 bp"):
        generator().fit(TRAIN, context=make_context(length=40, held_out=HELD_OUT))


@pytest.mark.parametrize("generator", [Holdout, Bootstrap, DinucleotideShuffle])
def test_no_sequences_are_the_users_error(generator, make_context):
    empty = SequenceSet(np.empty((0, 32), np.uint8))
    with pytest.raises(UserError, match="no real sequences"):
        generator().fit(empty, context=make_context(length=32, held_out=empty))
