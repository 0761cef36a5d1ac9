"""The command behind the README's tables: what stands in for generators, and one small run of it all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import dnabench_metrics
from dnabench import SequenceSet, UserError
from dnabench_metrics.calibration.__main__ import Sizes, main
from dnabench_metrics.calibration.bench import Bench
from dnabench_metrics.calibration.populations import MODES, stand_ins, with_tata_region_moved
from dnabench_metrics.calibration.sights import Band, band, cell, families
from dnabench_metrics.calibration.tables import decimals
from dnabench_metrics.kmer import KmerFrequencies
from dnabench_metrics.stand_ins import dinucleotide_shuffle, markov, mutated, per_position

SMALL = Sizes(
    side=100, draws=2, fitted=200, pool=300, floors=(70, 150, 151), replicates=3, replicated=(100,), timed=(150, 151)
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def words(codes: np.ndarray, k: int) -> np.ndarray:
    """Counts of the overlapping k-mers of all rows together."""
    windows = np.lib.stride_tricks.sliding_window_view(codes, k, axis=1).reshape(-1, k)
    return np.bincount(windows @ 4 ** np.arange(k - 1, -1, -1), minlength=4**k)


def test_mutation_replaces_bases_by_others_at_its_rate(rng):
    codes = rng.integers(0, 4, (500, 200)).astype(np.uint8)
    changed = mutated(codes, 0.2, rng)
    assert (changed != codes).mean() == pytest.approx(0.2, abs=0.005)
    steps = np.bincount((changed[changed != codes].astype(int) - codes[changed != codes]) % 4, minlength=4)
    np.testing.assert_allclose(steps[1:] / steps.sum(), 1 / 3, atol=0.02)
    assert changed.max() == 3


@pytest.mark.parametrize("order", [0, 2])
def test_the_chain_has_the_words_of_what_it_was_fitted_on(order, rng):
    fitted = np.minimum(rng.integers(0, 5, (400, 100)), 3).astype(np.uint8)
    fitted[:, 1::2] = 3 - fitted[:, ::2]
    drawn = markov(fitted, order, (2000, 100), rng)
    assert drawn.shape == (2000, 100)
    for k in range(1, order + 2):
        share = words(fitted, k) / words(fitted, k).sum()
        np.testing.assert_allclose(words(drawn, k) / words(drawn, k).sum(), share, atol=0.01)
    np.testing.assert_allclose(words(drawn[:, : order + 1], order + 1) / 2000, share, atol=0.05)


def test_every_position_gets_its_own_frequencies(rng):
    fitted = np.tile(np.array([0, 1, 2, 3], np.uint8), (8, 1))
    fitted[:2, 1] = 3
    drawn = per_position(fitted, (4000, 4), rng)
    assert [set(column.tolist()) for column in drawn.T] == [{0}, {1, 3}, {2}, {3}]
    assert (drawn[:, 1] == 3).mean() == pytest.approx(0.25, abs=0.03)


def test_a_shuffle_keeps_dinucleotides_and_reaches_every_order_of_them(rng):
    for row in rng.integers(0, 4, (50, 40)).astype(np.uint8):
        shuffled = dinucleotide_shuffle(row, rng)
        assert (shuffled[0], shuffled[-1]) == (row[0], row[-1])
        np.testing.assert_array_equal(words(shuffled[None], 2), words(row[None], 2))
    # ACAGA has two Eulerian orders, ACAGA and AGACA, and AAAA one.
    orders = [dinucleotide_shuffle(np.array([0, 1, 0, 2, 0], np.uint8), rng)[1] for _ in range(400)]
    assert np.mean(np.array(orders) == 1) == pytest.approx(0.5, abs=0.1)
    assert dinucleotide_shuffle(np.zeros(4, np.uint8), rng).tolist() == [0, 0, 0, 0]


def test_the_tata_region_changes_places_with_another():
    places = np.arange(256, dtype=np.uint8)[None]
    moved = with_tata_region_moved(places)[0].tolist()
    # Start site at 205: -40 to -16 are 165 to 189, -110 to -86 are 95 to 119.
    assert moved == [*range(95), *range(165, 190), *range(120, 165), *range(95, 120), *range(190, 256)]


def test_stand_ins_are_as_many_as_the_real_ones_and_are_what_they_are_called(rng):
    real, train = (rng.integers(0, 4, (n, 256)).astype(np.uint8) for n in (60, 100))
    made = stand_ins(real, train, rng)
    assert {(codes.shape, codes.dtype.name) for codes in made.values()} == {((60, 256), "uint8")}
    assert (made["real"] == real).all()
    assert len(np.unique(made[f"{MODES} real sequences, repeated"], axis=0)) == MODES
    copies, changed = (made[f"training sequences again{end}"] for end in ("", ", 5 % of bases substituted"))
    known = {row.tobytes() for row in train}
    assert {row.tobytes() for row in copies} <= known
    assert len({row.tobytes() for row in copies}) == 60
    assert (copies != changed).mean() == pytest.approx(0.05, abs=0.01)


def test_a_band_holds_the_next_value_in_95_of_100(rng):
    draws = rng.normal(3, 2, (4000, 9))
    bands = [band(row[:8]) for row in draws]
    inside = [abs(b.height(value)) < 1 for b, value in zip(bands, draws[:, 8], strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)
    # Two values 0 and 2: t of one degree of freedom, 12.706, times sqrt 2, times sqrt 3/2.
    assert band(np.array([0.0, 2.0])) == pytest.approx((1, 2**0.5, 12.7062 * 3**0.5), rel=1e-4)
    assert band(np.ones(3)).height(1) == 0
    assert band(np.ones(3)).height(0.999) < -1


@pytest.mark.parametrize(
    ("value", "direction", "shown"),
    [(1.5, "lower", "**1.50**"), (0.5, "lower", "*0.50*"), (0.5, "higher", "**0.50**"), (1.1, "higher", "1.10")],
)
def test_a_cell_says_on_which_side_of_the_band_it_is(value, direction, shown):
    assert cell(value, Band(1.0, 0.1, 0.2), direction) == shown


@pytest.mark.parametrize(("spread", "digits"), [(37.0, 1), (0.9, 2), (0.012, 3), (0.00006, 5), (0.0, 2)])
def test_a_spread_is_shown_with_two_digits(spread, digits):
    assert decimals(spread) == digits


@pytest.fixture(scope="module")
def bench(simulated_promoters) -> Bench:
    return Bench(simulated_promoters.take(np.arange(2000, 2200)))


def test_every_metric_takes_part_that_needs_no_weights(bench):
    names = {record.name: record for record in dnabench_metrics.dnabench_metrics()}
    assert set(bench.metrics) == set(names) - {"oracle"}
    trained = {name for name, record in names.items() if record.needs_train}
    assert set(Bench().metrics) == set(bench.metrics) - trained
    shown = [name for family in families(bench.metrics).values() for name in family]
    assert sorted(shown) == sorted(bench.metrics)


def test_what_is_worked_out_of_a_sequence_is_worked_out_once(bench, simulated_promoters, make_context):
    asked = []

    def frequencies(sequences):
        asked.append(len(sequences))
        return KmerFrequencies().embed(sequences, context=make_context())

    rows = np.array([5, 3, 5, 8])
    for wanted, new in ((rows, [3]), (rows[::-1], [3]), (np.array([1, 3]), [3, 1])):
        sequences = simulated_promoters.take(wanted)
        expected = KmerFrequencies().embed(sequences, context=make_context())
        np.testing.assert_array_equal(bench.remember("words", sequences, frequencies), expected)
        assert asked == new


@pytest.mark.parametrize("metric", ["fred", "novelty", "motif-kl"])
def test_a_remembered_score_is_the_score(metric, bench, simulated_promoters, make_context):
    sides = [simulated_promoters.take(np.arange(start, start + 700)) for start in (0, 700)]
    context = make_context(train=bench.train, embedder=bench.metrics[metric].embedder, embed_with=bench.embed)
    plain = bench.made[metric].score(generated=sides[0], reference=sides[1], context=context)
    for _ in range(2):
        score = bench.score(metric, generated=sides[0], reference=sides[1])
        assert (score.value, score.ci_low, score.ci_high) == (plain.value, plain.ci_low, plain.ci_high)


@pytest.fixture
def corpus(simulated_promoters, tmp_path):
    species = np.where(np.arange(4000) < 400, "hs", "mm")
    labelled = SequenceSet(simulated_promoters.codes, labels=pd.DataFrame({"species": species}))
    labelled.to_fasta(tmp_path / "data" / "all.fa.gz")
    return tmp_path / "data"


@pytest.mark.slow  # every metric, some 60 times
def test_every_table_is_printed(corpus, capsys):
    main(["--data", str(corpus)], SMALL)
    printed = capsys.readouterr().out
    assert "nan" not in printed
    tables = [block.splitlines() for block in printed.split("\n\n")[1::2]]
    *sights, floor, errors, seconds = tables
    assert len(sights) == 8  # four families, human and mixed
    for table in sights:
        assert len(table) == 2 + 1 + 15
        assert len({line.count("|") for line in table}) == 1
    swd = {row[0].strip(): float(row[2].strip(" *").split()[0]) for row in (t.split("|")[1:] for t in sights[0][2:])}
    assert swd["real"] < swd["composition"]
    assert floor[0] == "|  | 70 | 150 |"
    assert (len(floor), len(errors), len(seconds)) == (2 + 8, 2 + 3, 2 + 1 + 19)


def test_a_corpus_without_enough_of_a_species_is_refused(corpus):
    with pytest.raises(UserError, match="400 sequences in hs; 6000 are needed"):
        main(["--data", str(corpus)])


def test_promoters_of_another_length_are_refused(tmp_path):
    SequenceSet(np.zeros((3, 64), np.uint8)).to_fasta(tmp_path / "short.fa")
    with pytest.raises(UserError, match="sequences of 64 bp; promoters of 256 bp are needed"):
        main(["--data", str(tmp_path)])
