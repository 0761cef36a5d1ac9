"""``random``, ``composition`` and ``position`` against frequencies counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_baselines.drawing import draw_independent, edges
from dnabench_baselines.frequencies import Composition, Position
from dnabench_baselines.uniform import Random

DRAWS = 40_000
FOUR_SD = 4 * 0.5 / DRAWS**0.5  # of a frequency, at most


def frequencies(codes):
    return np.stack([(codes == base).mean(0) for base in range(4)], axis=1)


def fit(generator, sequences, make_context):
    train = SequenceSet.from_strings(sequences)
    generator.fit(train, context=make_context(length=train.length))
    return generator


def test_random_is_uniform(make_context):
    codes = Random().sample(DRAWS, context=make_context(length=3))
    assert frequencies(codes) == pytest.approx(np.full((3, 4), 0.25), abs=FOUR_SD)


def test_composition_counts_bases_of_all_positions_without_n(make_context):
    generator = fit(Composition(), ["AACN", "AAGN"], make_context)  # 4 A, 1 C, 1 G, no T
    codes = generator.sample(DRAWS, context=make_context(length=2))
    assert frequencies(codes) == pytest.approx(np.array([[4, 1, 1, 0]] * 2) / 6, abs=FOUR_SD)
    assert not (codes == 3).any()


def test_position_counts_each_position_without_n(make_context):
    generator = fit(Position(), ["ACN", "AGN", "ANN", "CTN"], make_context)
    codes = generator.sample(DRAWS, context=make_context(length=3))
    by_hand = np.array([[3 / 4, 1 / 4, 0, 0], [0, 1 / 3, 1 / 3, 1 / 3], [3 / 7, 2 / 7, 1 / 7, 1 / 7]])
    assert frequencies(codes) == pytest.approx(by_hand, abs=FOUR_SD)
    assert not frequencies(codes)[by_hand == 0].any()


def test_bases_of_neighbouring_positions_are_independent(make_context):
    codes = fit(Position(), ["AC", "CA"], make_context).sample(DRAWS, context=make_context(length=2))
    assert ((codes[:, 0] == 0) & (codes[:, 1] == 0)).mean() == pytest.approx(0.25, abs=FOUR_SD)


def test_position_finds_the_initiator_of_real_promoters(real_promoters, make_context):
    train = real_promoters("hs").take(np.arange(3000))
    generator = Position()
    generator.fit(train, context=make_context())
    codes = generator.sample(3000, context=make_context())
    real, sampled = frequencies(train.codes), frequencies(codes)
    assert np.abs(real - sampled).max() < 5 * 0.5 * (2 / 3000) ** 0.5
    assert real[205, 0] > real[150, 0] + 0.1  # A at the TSS: the statement above is not about a flat profile


@pytest.mark.parametrize("chunk", [1, 21, 100])  # of 7 bp, each chunk one sequence, three, and 14
def test_drawing_in_pieces_changes_nothing(monkeypatch, chunk):
    arguments = edges(np.random.default_rng(0).integers(0, 9, (7, 4))), np.arange(7), 50
    with monkeypatch.context() as patch:  # first, so that no freed memory holds the right bases already
        patch.setattr("dnabench_baselines.drawing.CHUNK", chunk)
        pieces = draw_independent(*arguments, np.random.default_rng(chunk))
    assert np.array_equal(draw_independent(*arguments, np.random.default_rng(chunk)), pieces)


@pytest.mark.parametrize("generator", [Composition, Position])
def test_nothing_but_n_is_the_users_error(generator, make_context):
    with pytest.raises(UserError, match="no A, C, G or T"):
        fit(generator(), ["NN"], make_context)


def test_position_refuses_another_length(make_context):
    with pytest.raises(UserError, match="--length 4"):
        Position().fit(SequenceSet.from_strings(["ACGT"]), context=make_context(length=5))
