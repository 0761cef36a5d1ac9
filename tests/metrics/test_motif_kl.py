"""`motif-kl`: the divergence and the score by hand, intervals over replicates, promoters against moved ones."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.motifs.divergence import MotifKL, kl_divergence, to_cells
from dnabench_metrics.motifs.matrices import load_motifs
from dnabench_metrics.motifs.scan import ABSENT, best_hit_positions
from dnabench_metrics.records.motifs import MotifKLOptions


def test_the_divergence_of_tiny_counts_by_hand():
    # Real counts 3, 1, 0 and generated counts 1, 1, 2, each with 1/2 added: shares of 5.5.
    real, generated = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2])
    expected = (3.5 * np.log(3.5 / 1.5) + 1.5 * np.log(1.5 / 1.5) + 0.5 * np.log(0.5 / 2.5)) / 5.5
    result = kl_divergence(generated=generated, reference=real, cells=3, alpha=0.5)
    assert result.value == pytest.approx(expected, rel=1e-12)
    # The other way round it is another number: it is KL(real || generated).
    back = kl_divergence(generated=real, reference=generated, cells=3, alpha=0.5)
    assert back.value == pytest.approx((1.5 * np.log(1.5 / 3.5) + 2.5 * np.log(2.5 / 0.5)) / 5.5, rel=1e-12)


def test_equal_sets_are_at_zero_and_disjoint_ones_finite():
    cells = np.array([0, 1, 1, 2])
    assert kl_divergence(generated=cells, reference=cells, cells=4, alpha=0.5).value == 0
    far = kl_divergence(generated=np.zeros(9, int), reference=np.full(9, 3), cells=4, alpha=1e-6)
    assert np.isfinite(far.value)
    assert far.value > 10


def test_influences_are_what_the_divergence_loses_without_a_sequence():
    rng = np.random.default_rng(0)
    sets = {"generated": rng.integers(0, 5, 40), "reference": rng.integers(0, 4, 30)}
    whole = kl_divergence(**sets, cells=5, alpha=0.5)
    for side, cells in sets.items():
        n = len(cells)
        without = [kl_divergence(**sets | {side: np.delete(cells, i)}, cells=5, alpha=0.5).value for i in range(n)]
        expected = (n - 1) * (whole.value - np.array(without))
        np.testing.assert_allclose(getattr(whole, f"influence_{side}"), expected, atol=1e-12)


def test_intervals_hold_where_many_cells_hold_few_sequences():
    # A motif at one place in many real sequences, and anywhere in a few generated ones.
    rng = np.random.default_rng(2)
    p, q = (np.append(peak * np.exp(-0.5 * ((np.arange(32) - 25) / 6) ** 2) + 0.02, 0.1) for peak in (1, 0))
    runs = []
    for _ in range(300):
        generated, real = (rng.choice(33, n, p=x / x.sum()) for n, x in ((60, q), (5000, p)))
        result = kl_divergence(generated=generated, reference=real, cells=33, alpha=0.5)
        runs.append([result.value, standard_error(result.influence_generated, result.influence_reference)])
    values, errors = np.array(runs).T
    assert np.mean(np.abs(values - values.mean()) <= Z95 * errors) >= 0.92


def test_positions_fall_into_bins_and_the_rest_is_absent():
    assert to_cells(np.array([0, 7, 8, 63, ABSENT]), 8, 9).tolist() == [0, 0, 1, 7, 8]


@pytest.mark.parametrize("same", [True, False])
def test_the_standard_error_matches_the_spread_over_replicates(same):
    rng = np.random.default_rng(1)
    p = np.array([0.3, 0.2, 0.1, 0.1, 0.3])
    q = p if same else np.array([0.1, 0.2, 0.2, 0.2, 0.3])
    values, errors = [], []
    for _ in range(300):
        generated, real = rng.choice(5, 700, p=q), rng.choice(5, 500, p=p)
        result = kl_divergence(generated=generated, reference=real, cells=5, alpha=0.5)
        values.append(result.value)
        errors.append(np.sqrt(result.influence_generated.var() / 700 + result.influence_reference.var() / 500))
    assert 0.8 * np.std(values) <= np.mean(errors) <= 1.7 * np.std(values)


MEME = """MEME version 4
ALPHABET= ACGT
strands: +
MOTIF one
letter-probability matrix: w= 2 nsites= 20
1 0 0 0
0 1 0 0
MOTIF two
letter-probability matrix: w= 3 nsites= 20
0 0 1 0
0 0 1 0
0 0 0 1
"""

# At p = 1/2 a hit of AC has one of its bases (7 words in 16; both: 1) and a hit of GGT two (10 in 64). A position is
# that of the second base. Cells: positions 0-3, 4-7, 8-11, absent; beside each sequence those of AC and of GGT.
REFERENCE = {
    "ACTTTTTTTTTT": (0, 3),
    "TTTTTACTTTTT": (1, 3),
    "TTTTATTTTTTT": (1, 3),
    "GGTTTTTTTTTT": (3, 0),
    "TTTTTTTTTGGT": (3, 2),
    "TTTTTTGTTTTT": (3, 1),
}
GENERATED = {
    "TTTTTTTTTTAC": (2, 3),
    "TTTTTACTTGGT": (1, 2),
    "TTTTTTTTCTTT": (2, 3),
    "TTTTTTTTTTTT": (3, 3),
    "ACTTGGTTTTTT": (0, 1),
    "ACTTTTTTTTTT": (0, 3),
    "TTTTTTTTAGGT": (2, 2),
}
COPIES = 10


@pytest.fixture
def meme_file(tmp_path):
    path = tmp_path / "two.meme"
    path.write_text(MEME)
    return path


def plain_divergence(generated: list[float], reference: list[float], alpha: float) -> float:
    """KL(real || generated) of the sums of weights in each cell."""
    p, q = np.array(reference) + alpha, np.array(generated) + alpha
    p, q = p / p.sum(), q / q.sum()
    return sum(a * (np.log(a) - np.log(b)) for a, b in zip(p, q, strict=True))


def loss(motif: int, side: dict, cell: int, alpha: float) -> float:
    """What the divergence of a motif loses without a sequence of ``side`` in ``cell``."""
    values = []
    for fewer in (0, 1):
        counts = {}
        for name, cells in (("generated", GENERATED), ("reference", REFERENCE)):
            counts[name] = COPIES * np.bincount([c[motif] for c in cells.values()], minlength=4).astype(float)
            counts[name][cell] -= fewer * (cells is side)
        values.append(plain_divergence(counts["generated"], counts["reference"], alpha))
    return values[0] - values[1]


def test_the_score_by_hand(meme_file, make_context):
    generated, reference = (SequenceSet.from_strings([*side] * COPIES) for side in (GENERATED, REFERENCE))
    options = MotifKLOptions(motifs=str(meme_file), p_value=0.5, pseudocount=2.0, bin_width=4)
    score = MotifKL(options).score(generated=generated, reference=reference, context=make_context(length=12))

    parts = [plain_divergence([20, 10, 30, 10], [10, 20, 0, 30], 2.0)]
    parts.append(plain_divergence([0, 10, 20, 40], [10, 10, 10, 30], 2.0))
    assert list(score.parts) == ["one", "two"]
    assert [part.value for part in score.parts.values()] == pytest.approx(parts, rel=1e-12)
    assert score.value == pytest.approx(np.mean(parts), rel=1e-12)

    # Variance of a side, by the jackknife.
    variances = np.zeros(3)
    for side in (GENERATED, REFERENCE):
        n = COPIES * len(side)
        slopes = (n - 1) * np.array([[loss(i, side, c[i], 2.0) for i in (0, 1)] for c in side.values()] * COPIES)
        variances += np.var([*slopes.T, slopes.mean(1)], axis=1, ddof=1) / n
    for part, variance in zip((*score.parts.values(), score), variances, strict=True):
        half = 1.959964 * np.sqrt(variance)
        assert part.ci_high == pytest.approx(part.value + half, rel=1e-6)
        assert part.ci_low == pytest.approx(max(0, part.value - half), rel=1e-5)
    assert score.ci_low > 0

    assert score.details.to_dict("list") == {
        "quantity": ["share of the sequences"] * 8,
        "motif": ["one"] * 4 + ["two"] * 4,
        "position": pytest.approx([0, 4, 8, np.nan] * 2, nan_ok=True),
        "bin": ["0-3", "4-7", "8-11", "absent"] * 2,
        "generated": pytest.approx([2 / 7, 1 / 7, 3 / 7, 1 / 7, 0, 1 / 7, 2 / 7, 4 / 7]),
        "reference": pytest.approx([1 / 6, 2 / 6, 0, 3 / 6, 1 / 6, 1 / 6, 1 / 6, 3 / 6]),
    }


def test_the_digest_tells_matrices_and_cut_offs_apart(meme_file, tmp_path):
    def digest(text: str, **options) -> str:
        path = tmp_path / "other.meme"
        path.write_text(text)
        return MotifKL(MotifKLOptions(motifs=str(path), **options)).digest()

    known = MotifKL(MotifKLOptions(motifs=str(meme_file))).digest()
    assert digest(MEME) == known
    assert digest(MEME, p_value=0.5) != known
    # The best score, and with it the cut-off, is the same in both.
    assert digest(MEME.replace("0 1 0 0", "0 .9 .1 0")) != digest(MEME.replace("0 1 0 0", "0 .9 0 .1"))
    assert digest(MEME.replace("strands: +", "strands: + -")) != known
    assert digest(MEME.replace("MOTIF one", "MOTIF uno")) != known


@pytest.fixture
def halves(promoters):
    return promoters.take(np.arange(2000)), promoters.take(np.arange(2000, 4000))


def test_promoters_are_near_each_other_and_far_from_their_shifted_selves(halves, make_context):
    reference, other = halves
    metric = MotifKL(MotifKLOptions())
    floor = metric.score(generated=other, reference=reference, context=make_context())
    shifted = SequenceSet(np.roll(other.codes, 30, axis=1))
    moved = metric.score(generated=shifted, reference=reference, context=make_context())
    assert set(floor.parts) == {"tata-box", "initiator", "ccaat-box", "gc-box"}
    # 32 bins and `absent`: 16 (1/2000 + 1/2000) nats in expectation for equal distributions.
    assert floor.value < 2 * 0.016
    assert moved.ci_low > floor.ci_high
    assert moved.parts["initiator"].ci_low > floor.parts["initiator"].ci_high
    assert floor.value == pytest.approx(np.mean([part.value for part in floor.parts.values()]))
    for score in (floor, moved, *floor.parts.values(), *moved.parts.values()):
        assert 0 <= score.ci_low <= score.value <= score.ci_high


def test_details_hold_the_shares_of_both_sides(halves, make_context):
    reference, other = halves
    score = MotifKL(MotifKLOptions(bin_width=50)).score(generated=other, reference=reference, context=make_context())
    table = score.details[score.details["motif"] == "initiator"]
    assert table["bin"].tolist() == ["0-49", "50-99", "100-149", "150-199", "200-249", "250-255", "absent"]
    initiator = load_motifs("epd", p_value=1e-4)[1]
    for side, sequences in (("generated", other), ("reference", reference)):
        positions = best_hit_positions(sequences.codes, initiator)
        counts = np.histogram(positions, bins=[ABSENT, 0, 50, 100, 150, 200, 250, 256])[0]
        assert table[side].tolist() == pytest.approx([*counts[1:] / 2000, counts[0] / 2000])


def test_motifs_of_a_file_become_parts(simulated_promoters, make_context, real_data):
    reference, other = simulated_promoters.take(np.arange(100)), simulated_promoters.take(np.arange(100, 200))
    path = real_data / "motifs" / "JASPAR2018_CORE_nematodes.meme"
    metric = MotifKL(MotifKLOptions(motifs=str(path)))
    few = metric.score(
        generated=other.take(np.arange(60)), reference=reference.take(np.arange(50)), context=make_context()
    )
    assert len(few.parts) == 26
    assert "MA0260.1" in few.parts


def test_bins_wider_than_any_sequence_hold_it_whole(halves, make_context):
    generated, reference = (half.take(np.arange(50)) for half in halves)
    wide, whole = (
        MotifKL(MotifKLOptions(bin_width=width)).score(generated=generated, reference=reference, context=make_context())
        for width in (10**30, 256)
    )
    assert (wide.value, wide.ci_high) == (whole.value, whole.ci_high)
    assert wide.details["bin"].tolist() == ["0-255", "absent"] * 4


def test_sequences_without_any_hit_score_zero_against_each_other(make_context):
    metric = MotifKL(MotifKLOptions())
    blank, poly_a = SequenceSet(np.full((5, 64), 4, np.uint8)), SequenceSet(np.zeros((5, 64), np.uint8))
    assert metric.score(generated=blank, reference=poly_a, context=make_context()).value == 0
    with_box = SequenceSet.from_strings(["C" * 20 + "GTATAAAAGGCGGGG" + "C" * 29] * 5)
    assert metric.score(generated=blank, reference=with_box, context=make_context()).parts["tata-box"].value > 1


def test_sets_that_cannot_be_compared_are_refused(make_context):
    metric = MotifKL(MotifKLOptions())
    a, b = SequenceSet(np.zeros((5, 64), np.uint8)), SequenceSet(np.zeros((5, 65), np.uint8))
    with pytest.raises(UserError, match="64 bp cannot be compared with a reference of 65 bp"):
        metric.score(generated=a, reference=b, context=make_context())
    with pytest.raises(UserError, match="1 generated sequences"):
        metric.score(generated=a.take(np.array([0])), reference=a, context=make_context())
    short = SequenceSet(np.zeros((5, 14), np.uint8))
    with pytest.raises(UserError, match="motif tata-box is 15 bp wide and cannot be looked for in sequences of 14 bp"):
        metric.score(generated=short, reference=short, context=make_context())
