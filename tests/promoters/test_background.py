"""The background tables: whole numbers, contexts, and the composition they settle at."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench_promoters.background import ONE, background_table, context_rows, stationary, whole


def table(gc=0.4, cpg_factor=1.0, seed=0):
    return background_table(np.random.PCG64(seed), gc=gc, cpg_factor=cpg_factor)


def test_whole_numbers_by_hand():
    assert whole(np.array([0.5, 0.25, 0.25])).tolist() == [32768, 16384, 16384]
    thirds = whole(np.full((2, 3), 1 / 3))
    assert thirds.sum(1).tolist() == [ONE, ONE]
    assert np.abs(thirds - ONE / 3).max() < 1


def test_context_rows_by_hand():
    # A C G T A: no context; A = 0; AC = 0*4+1; ACG = 0*16+1*4+2 = 6; CGT = 16+8+3 = 27. Rows begin at 0, 1, 5, 21.
    assert context_rows(np.array([[0], [1], [2], [3], [0]])).ravel().tolist() == [0, 1, 6, 27, 48]


@pytest.mark.parametrize("gc", [0.2, 0.4, 0.7])
@pytest.mark.parametrize("cpg_factor", [0.2, 1.0])
def test_the_chain_settles_at_the_gc_asked_for(gc, cpg_factor):
    rows = table(gc, cpg_factor)[21:] / ONE
    distribution = np.full(64, 1 / 64)
    for _ in range(200):  # power iteration, where the table solves a linear system
        moved = distribution[:, None] * rows
        distribution = moved.reshape(4, 16, 4).sum(0).ravel()
    by_base = (distribution[:, None] * rows).sum(0)
    assert by_base[1] + by_base[2] == pytest.approx(gc, abs=1e-4)
    assert distribution == pytest.approx(stationary(rows), abs=1e-9)


def test_every_row_is_a_full_distribution():
    rows = table(0.15, 0.2)
    assert rows.shape == (85, 4)
    assert (rows.sum(1) == ONE).all()
    assert rows.min() > 0


def test_the_first_rows_are_marginals_of_the_stationary_triples():
    rows = table() / ONE
    triples = stationary(rows[21:]).reshape(4, 4, 4)
    assert rows[0] == pytest.approx(triples.sum((1, 2)), abs=2 / ONE)
    assert (rows[0][:, None, None] * rows[1:5][:, :, None] * rows[5:21].reshape(4, 4, 4)) == pytest.approx(
        triples, abs=4 / ONE
    )


def test_cpg_depletion_is_of_the_size_asked_for():
    def ratio(rows):
        pairs = stationary(rows[21:] / ONE).reshape(4, 4, 4).sum(2)
        return pairs[1, 2] / (pairs.sum(1)[1] * pairs.sum(0)[2])

    depleted, full = ratio(table(0.5, 0.2)), ratio(table(0.5, 1.0))
    # 0.2 times 1/4 in a row that then sums to 0.8 is a quarter of what it was; the floor and the restored GC add to it.
    assert 0.25 < depleted / full < 0.4
    assert full > 0.8


def test_tables_differ_and_have_structure_beyond_composition():
    one, other = table(seed=1)[21:] / ONE, table(seed=2)[21:] / ONE
    assert np.abs(one - other).max() > 0.1
    weights = stationary(one)
    base = weights @ one
    bits = (weights[:, None] * one * np.log2(one / base)).sum()
    assert 0.02 < bits < 0.1
