"""The command behind the README's tables: what stands in for generators, and one small run of it all."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet, UserError
from dnabench_metrics import calibration


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def words(codes: np.ndarray, k: int) -> np.ndarray:
    """Counts of the overlapping k-mers of all rows together."""
    windows = np.lib.stride_tricks.sliding_window_view(codes, k, axis=1).reshape(-1, k)
    return np.bincount(windows @ 4 ** np.arange(k - 1, -1, -1), minlength=4**k)


def test_mutation_replaces_bases_by_others_at_its_rate(rng):
    codes = rng.integers(0, 4, (500, 200)).astype(np.uint8)
    changed = calibration.mutated(codes, 0.2, rng)
    assert (changed != codes).mean() == pytest.approx(0.2, abs=0.005)
    steps = np.bincount((changed[changed != codes].astype(int) - codes[changed != codes]) % 4, minlength=4)
    np.testing.assert_allclose(steps[1:] / steps.sum(), 1 / 3, atol=0.02)
    assert changed.max() == 3


@pytest.mark.parametrize("order", [0, 2])
def test_the_chain_has_the_words_of_what_it_was_fitted_on(order, rng):
    fitted = np.minimum(rng.integers(0, 5, (400, 100)), 3).astype(np.uint8)
    fitted[:, 1::2] = 3 - fitted[:, ::2]
    drawn = calibration.markov(fitted, order, (2000, 100), rng)
    assert drawn.shape == (2000, 100)
    for k in range(1, order + 2):
        share = words(fitted, k) / words(fitted, k).sum()
        np.testing.assert_allclose(words(drawn, k) / words(drawn, k).sum(), share, atol=0.01)
    np.testing.assert_allclose(words(drawn[:, : order + 1], order + 1) / 2000, share, atol=0.05)


def test_every_position_gets_its_own_frequencies(rng):
    fitted = np.tile(np.array([0, 1, 2, 3], np.uint8), (8, 1))
    fitted[:2, 1] = 3
    drawn = calibration.per_position(fitted, (4000, 4), rng)
    assert [set(column.tolist()) for column in drawn.T] == [{0}, {1, 3}, {2}, {3}]
    assert (drawn[:, 1] == 3).mean() == pytest.approx(0.25, abs=0.03)


def test_a_shuffle_keeps_dinucleotides_and_reaches_every_order_of_them(rng):
    for row in rng.integers(0, 4, (50, 40)).astype(np.uint8):
        shuffled = calibration.dinucleotide_shuffle(row, rng)
        assert (shuffled[0], shuffled[-1]) == (row[0], row[-1])
        np.testing.assert_array_equal(words(shuffled[None], 2), words(row[None], 2))
    # ACAGA has two Eulerian orders, ACAGA and AGACA, and AAAA one.
    orders = [calibration.dinucleotide_shuffle(np.array([0, 1, 0, 2, 0], np.uint8), rng)[1] for _ in range(400)]
    assert np.mean(np.array(orders) == 1) == pytest.approx(0.5, abs=0.1)
    assert calibration.dinucleotide_shuffle(np.zeros(4, np.uint8), rng).tolist() == [0, 0, 0, 0]


@pytest.fixture
def corpus(simulated_promoters, tmp_path):
    species = np.where(np.arange(4000) < 400, "hs", "mm")
    labelled = SequenceSet(simulated_promoters.codes, labels=pd.DataFrame({"species": species}))
    labelled.to_fasta(tmp_path / "data" / "all.fa.gz")
    return tmp_path / "data"


def test_every_table_is_printed(corpus, monkeypatch, capsys):
    small = {"HUMAN": 150, "MIXED": 150, "POOL": 300, "FLOOR_SIZES": (70, 150, 151), "FLOOR_DRAWS": 2}
    for name, value in {**small, "REPLICATE_SIZES": (100,), "REPLICATES": 3}.items():
        monkeypatch.setattr(calibration, name, value)
    with warnings.catch_warnings():
        # `fred` says, rightly, that 150 sequences are few.
        warnings.simplefilter("ignore", UserWarning)
        calibration.main(["--data", str(corpus)])
    printed = capsys.readouterr().out
    sights_hs, sights_mixed, floor, errors, seconds = printed.split("\n\n")[1::2]
    assert "nan" not in printed
    for table in (sights_hs, sights_mixed):
        rows = [line.split("|")[1:-1] for line in table.splitlines()[2:]]
        swd = {row[0].strip(): float(row[2].split()[0]) for row in rows}
        assert len(swd) == 9
        assert swd["held-out real"] < swd["composition"]
    assert floor.splitlines()[0] == "|  | 70 | 150 |"
    assert (len(floor.splitlines()), len(errors.splitlines()), len(seconds.splitlines())) == (6, 5, 4)


def test_a_corpus_without_enough_of_a_species_is_refused(corpus):
    with pytest.raises(UserError, match="data: 400 sequences in species hs; more than 3400 are needed"):
        calibration.main(["--data", str(corpus)])
