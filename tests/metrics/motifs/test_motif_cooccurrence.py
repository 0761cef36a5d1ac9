"""`motif-cooccurrence`: the norm by hand and by NumPy, intervals by jackknife and replicates, what it sees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnabench import SequenceSet, UserError
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.motifs.cooccurrence import MotifCooccurrence, covariance_difference
from dnabench_metrics.motifs.scan import hit_counts
from dnabench_metrics.records.motifs import MotifCooccurrenceOptions


@pytest.fixture
def metric() -> MotifCooccurrence:
    return MotifCooccurrence(MotifCooccurrenceOptions())


def test_two_motifs_by_hand():
    # Variances 1/2 x 4 / 1 = 2 each on both sides; the motifs go together on one side and exclude each other on the
    # other: covariances 2 and -2, so D is 0 on the diagonal and 4 / 2 off it, and its mean square (0 + 0 + 4 + 4) / 4.
    together, apart = np.array([[2, 2], [0, 0]]), np.array([[2, 0], [0, 2]])
    result = covariance_difference(generated=together, reference=apart)
    np.testing.assert_allclose(result.scaled, [[0, 2], [2, 0]])
    assert result.mean_square == pytest.approx(2)


def test_the_matrices_are_motif_by_motif_and_scaled_by_both_sides():
    rng = np.random.default_rng(0)
    x, y = rng.poisson(2, (40, 5)), rng.poisson(1, (30, 5))
    result = covariance_difference(generated=x, reference=y)
    cov_x, cov_y = np.cov(x.T), np.cov(y.T)
    scale = np.sqrt((np.diag(cov_x) + np.diag(cov_y)) / 2)
    np.testing.assert_allclose(result.generated, cov_x, rtol=1e-12)
    expected = np.linalg.norm((cov_x - cov_y) / np.outer(scale, scale)) / 5
    assert np.sqrt(result.mean_square) == pytest.approx(expected, rel=1e-12)


def test_more_motifs_of_a_kind_and_motifs_that_never_vary_do_not_make_it_larger():
    rng = np.random.default_rng(1)
    x, y = rng.poisson(2, (400, 2)), rng.poisson(1, (300, 2))
    once = covariance_difference(generated=x, reference=y)
    twice = covariance_difference(generated=np.tile(x, 2), reference=np.tile(y, 2))
    assert twice.mean_square == pytest.approx(once.mean_square, rel=1e-12)
    constant = np.full((400, 1), 3)
    padded = covariance_difference(generated=np.hstack([x, constant]), reference=np.hstack([y, constant[:300]]))
    assert padded.mean_square == pytest.approx(once.mean_square * 4 / 9, rel=1e-12)
    assert not padded.scaled[2].any()


@given(seed=st.integers(0, 2**32 - 1))
def test_swapping_reordering_and_the_unit_of_a_motif_s_counts_change_nothing(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.poisson(1, (12, 3)), rng.poisson(2, (9, 3))
    value = covariance_difference(generated=x, reference=y).mean_square
    assert covariance_difference(generated=y, reference=x).mean_square == pytest.approx(value, rel=1e-12)
    mixed = covariance_difference(generated=x[rng.permutation(12)], reference=y[rng.permutation(9)])
    assert mixed.mean_square == pytest.approx(value, rel=1e-9)
    scaled = covariance_difference(generated=x * [1, 7, 2], reference=y * [1, 7, 2])
    assert scaled.mean_square == pytest.approx(value, rel=1e-9)
    # D is a correlation less another where variances are equal, and its diagonal lies in -2 to 2.
    assert 0 <= value <= 4


def test_influences_are_those_of_the_jackknife():
    rng = np.random.default_rng(2)
    base = rng.poisson(2, (250, 1))
    sides = {"generated": rng.poisson(1, (250, 4)) + base, "reference": rng.poisson(2, (200, 4))}
    result = covariance_difference(**sides)
    for side, influence in (("generated", result.influence_generated), ("reference", result.influence_reference)):
        n = len(sides[side])
        values = np.array(
            [covariance_difference(**sides | {side: np.delete(sides[side], i, axis=0)}).mean_square for i in range(n)]
        )
        left_out = (n - 1) * (values.mean() - values)
        np.testing.assert_allclose(influence - influence.mean(), left_out, atol=1e-9)


@pytest.mark.parametrize("rate", [0, 0.3])
def test_intervals_hold_over_replicates(rate, metric, replicates, coverage, mutants):
    scores = replicates(metric, mutants[rate])
    spread = np.std([score.value for score in scores], ddof=1)
    claimed = np.mean([(score.ci_high - score.ci_low) / (2 * 1.959964) for score in scores])
    assert 0.75 * spread <= claimed <= 1.9 * spread
    assert coverage(scores) >= 0.85


@pytest.mark.parametrize("n", [4, 15])
def test_intervals_hold_for_few_sequences(n):
    rng = np.random.default_rng(7)
    runs = []
    for _ in range(300):
        sides = [rng.poisson([1.0, 0.5, 0.2], (n, 3)) + common * rng.poisson(0.5, (n, 1)) for common in (1, 0)]
        found = covariance_difference(generated=sides[0], reference=sides[1])
        margin = Z95 * standard_error(found.influence_generated, found.influence_reference)
        runs.append([np.sqrt(found.mean_square + step * margin) for step in (0, 1)] + [found.mean_square - margin])
    values, high, low = np.array(runs).T
    mean = values.mean()
    assert np.mean((np.sqrt(np.maximum(0, low)) <= mean) & (mean <= high)) >= 0.86


def test_of_two_sequences_no_spread_is_known_and_the_interval_is_the_range(metric, score_codes, human):
    for sides in ((human[:2], human[2:400]), (human[2:400], human[:2])):
        score = score_codes(metric, generated=sides[0], reference=sides[1])
        assert (score.ci_low, score.ci_high) == (0, 2)
    assert score_codes(metric, generated=human[:3], reference=human[3:6]).ci_high <= 2


def test_motifs_that_lost_their_company_are_seen_and_listed_first(metric, score_codes, human):
    # Every sequence keeps its left or its right half and gets the other one from a stranger: how often each motif
    # occurs is the same, but GC-boxes, which come in GC-rich promoters, no longer come together.
    real, reference = human[2000:4000], human[:2000]
    strangers = np.concatenate([real[:, :128], np.roll(real, 1, axis=0)[:, 128:]], axis=1)
    floor = score_codes(metric, generated=real, reference=reference)
    mixed = score_codes(metric, generated=strangers, reference=reference)
    assert mixed.value > 2 * floor.value
    assert mixed.ci_low > floor.value
    assert mixed.details.loc[0, ["motif_1", "motif_2"]].tolist() == ["gc-box", "gc-box"]
    assert mixed.details["difference"].abs().is_monotonic_decreasing
    assert mixed.details.loc[0, "generated"] < mixed.details.loc[0, "reference"]


def test_the_score_is_the_root_and_its_pairs_are_numpy_s(metric, score_codes, human):
    x, y = human[:300], human[300:700]
    score = score_codes(metric, generated=x, reference=y)
    counts = [hit_counts(side, metric.motifs) for side in (x, y)]
    covariances = [np.cov(side.T) for side in counts]
    scale = np.sqrt((covariances[0].diagonal() + covariances[1].diagonal()) / 2)
    difference = (covariances[0] - covariances[1]) / np.outer(scale, scale)
    assert score.value == pytest.approx(np.linalg.norm(difference) / 4, rel=1e-12)
    assert len(score.details) == 10
    assert score.details["view"].unique().tolist() == ["Covariances of the counts of two motifs"]
    rows = score.details.set_index(["motif_1", "motif_2"])
    assert rows.loc[("tata-box", "gc-box"), "difference"] == pytest.approx(difference[0, 3])
    assert rows.loc[("ccaat-box", "gc-box"), "reference"] == pytest.approx(covariances[1][2, 3])


def test_more_mutations_score_worse_and_stand_ins_are_seen(metric, score_codes, human, mutants, stand_ins):
    values = [score_codes(metric, generated=codes, reference=human[:2000]).value for codes in mutants.values()]
    assert values == sorted(values)
    for name, codes in stand_ins.items():
        assert score_codes(metric, generated=codes, reference=human[:2000]).ci_low > 3 * values[0], name


def test_what_cannot_be_compared_is_refused(metric, score_codes, human, tmp_path):
    blank = np.full((5, 256), 4, np.uint8)
    with pytest.raises(UserError, match="in the 5 reference sequences none of the 4 motifs has a count that varies"):
        score_codes(metric, generated=human[:5], reference=blank)
    assert score_codes(metric, generated=blank, reference=human[:50]).value > 0.5
    (tmp_path / "one.pfm").write_text("9 0\n0 9\n0 0\n0 0\n")
    with pytest.raises(UserError, match=r"one\.pfm holds 1 motif; pairs need at least 2"):
        MotifCooccurrence(MotifCooccurrenceOptions(str(tmp_path / "one.pfm")))
    short = SequenceSet(np.zeros((5, 9), np.uint8))
    with pytest.raises(UserError, match="tata-box is 15 bp wide"):
        score_codes(metric, generated=short.codes, reference=short.codes)


def test_the_table_says_of_how_many_pairs_it_holds_the_most_different(score_codes, tmp_path):
    # Ten motifs of 4 bp, each of one word, have 10 * 11 / 2 pairs.
    words = ["AAAA", "CCCC", "GGGG", "TTTT", "ACAC", "GTGT", "AGAG", "CTCT", "ATAT", "CGCG"]
    counts = [
        "\n".join(" ".join("99" if base == other else "0" for base in word) for other in "ACGT") for word in words
    ]
    path = tmp_path / "words.pfm"
    path.write_text("".join(f">{word}\n{rows}\n" for word, rows in zip(words, counts, strict=True)))
    x, y = (np.random.default_rng(seed).integers(0, 4, (300, 200), dtype=np.uint8) for seed in (1, 2))
    details = score_codes(MotifCooccurrence(MotifCooccurrenceOptions(str(path))), generated=x, reference=y).details
    assert len(details) == 50
    assert details["view"].unique().tolist() == [
        "Covariances of the counts of two motifs: the 50 of 55 pairs that differ most"
    ]
