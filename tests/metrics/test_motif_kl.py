"""`motif-kl`: the divergence by hand, its interval over replicates, and real promoters against shuffled ones."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_metrics.motifs.divergence import MotifKL, kl_divergence, to_cells
from dnabench_metrics.motifs.scan import ABSENT
from dnabench_metrics.options import MotifKLOptions


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


def test_influences_are_the_derivatives_by_a_sequence_s_weight():
    rng = np.random.default_rng(0)
    generated, real = rng.integers(0, 5, 4000), rng.integers(0, 4, 3000)
    result = kl_divergence(generated=generated, reference=real, cells=5, alpha=0.5)
    for cell in range(4):
        for side in ("generated", "reference"):
            sets = {"generated": generated, "reference": real}
            n = len(sets[side])
            sets[side] = np.append(sets[side], cell)
            moved = kl_divergence(**sets, cells=5, alpha=0.5).value - result.value
            influence = getattr(result, f"influence_{side}")
            mine = influence[(generated if side == "generated" else real) == cell][0]
            assert moved * n == pytest.approx(mine - influence.mean(), abs=0.01)


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


@pytest.fixture
def halves(real_promoters):
    promoters = real_promoters("gg")
    rows = np.random.default_rng(2).permutation(len(promoters))
    return promoters.take(rows[:2000]), promoters.take(rows[2000:4000])


def test_real_promoters_are_near_each_other_and_far_from_their_shifted_selves(halves, make_context):
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
    assert table["generated"].sum() == pytest.approx(1)
    assert table["reference"].sum() == pytest.approx(1)


def test_motifs_of_a_file_become_parts(halves, make_context, real_data):
    reference, other = halves
    path = real_data / "motifs" / "JASPAR2018_CORE_nematodes.meme"
    metric = MotifKL(MotifKLOptions(motifs=str(path)))
    few = metric.score(
        generated=other.take(np.arange(60)), reference=reference.take(np.arange(50)), context=make_context()
    )
    assert len(few.parts) == 26
    assert "MA0260.1" in few.parts


def test_sequences_without_any_hit_or_shorter_than_the_motifs_score_zero(make_context):
    blank = SequenceSet(np.full((5, 64), 4, np.uint8))
    short = SequenceSet(np.zeros((5, 6), np.uint8))
    metric = MotifKL(MotifKLOptions())
    assert metric.score(generated=blank, reference=blank, context=make_context()).value == 0
    assert metric.score(generated=short, reference=short, context=make_context()).value == 0


def test_sets_that_cannot_be_compared_are_refused(make_context):
    metric = MotifKL(MotifKLOptions())
    a, b = SequenceSet(np.zeros((5, 64), np.uint8)), SequenceSet(np.zeros((5, 65), np.uint8))
    with pytest.raises(UserError, match="64 bp cannot be compared with a reference of 65 bp"):
        metric.score(generated=a, reference=b, context=make_context())
    with pytest.raises(UserError, match="1 generated sequences"):
        metric.score(generated=a.take(np.array([0])), reference=a, context=make_context())
