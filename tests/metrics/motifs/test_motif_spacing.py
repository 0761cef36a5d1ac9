"""`motif-spacing`: distances and divergence by hand, intervals by jackknife and replicates, what it sees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import t as student

from dnabench import Context, SequenceSet, UserError
from dnabench_metrics.motifs.spacing import MotifSpacing, most_frequent, spacing_divergence
from dnabench_metrics.records.motifs import MotifSpacingOptions
from dnabench_promoters.options import BrokenOptions, SimulatorOptions
from dnabench_promoters.simulator import PromoterSimulator
from dnabench_promoters.truth import BrokenTruth

MOTIFS = """MEME version 4
ALPHABET= ACGT
strands: +
MOTIF ac
letter-probability matrix: w= 2 nsites= 20
1 0 0 0
0 1 0 0
MOTIF ggt
letter-probability matrix: w= 3 nsites= 20
0 0 1 0
0 0 1 0
0 0 0 1
"""


@pytest.fixture
def metric() -> MotifSpacing:
    return MotifSpacing(MotifSpacingOptions())


@pytest.fixture
def toy(tmp_path):
    """Looks for AC and GGT alone, named by the place of their second base."""

    def make(**options) -> MotifSpacing:
        path = tmp_path / "two.meme"
        path.write_text(MOTIFS)
        return MotifSpacing(MotifSpacingOptions(**{"motifs": str(path), "p_value": 1e-9, "minimum": 1} | options))

    return make


def test_distances_and_their_divergence_by_hand(toy, make_context):
    # AC at 1 (its C), GGT at 4 (its second G): 3; GGT first: negative; two AC and a GGT: two distances.
    generated = ["ACTGGTTTTTTT", "GGTTTACTTTTT", "TTTTTTTTTTTT"]  # 3; 1 - 6 = -5
    reference = ["ACTACGGTTTTT", "ACTTTTTTTGGT"]  # 6 - 1 = 5, 6 - 4 = 2; 10 - 1 = 9, beyond reach
    score = toy(reach=5, bin_width=2).score(
        generated=SequenceSet.from_strings(generated),
        reference=SequenceSet.from_strings(reference),
        context=make_context(length=12),
    )
    # Bins begin at -5, -3, -1, 1, 3, 5.
    assert score.details["distance"].tolist() == [-5, -3, -1, 1, 3, 5]
    assert score.details["generated"].tolist() == [0.5, 0, 0, 0, 0.5, 0]
    assert score.details["reference"].tolist() == [0, 0, 0, 0.5, 0, 0.5]
    assert score.value == 1
    near = toy(reach=5, bin_width=4).score(
        generated=SequenceSet.from_strings(generated),
        reference=SequenceSet.from_strings(reference),
        context=make_context(length=12),
    )
    # Bins -5 to -2, -1 to 2, 3 to 6: (1/2, 0, 1/2) and (0, 1/2, 1/2): half of either side's mass is shared.
    assert near.value == pytest.approx(0.5)
    assert near.parts["ac+ggt"].value == near.value


def test_the_divergence_is_scipy_s():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 9, 30), rng.integers(0, 5, 30)
    expected = jensenshannon(x / x.sum(), y / y.sum(), base=2) ** 2
    assert spacing_divergence(generated=x, reference=y).value == pytest.approx(expected, rel=1e-12)
    assert spacing_divergence(generated=x, reference=3 * x).value == pytest.approx(0, abs=1e-15)


def test_slopes_are_the_derivatives_by_the_counts():
    rng = np.random.default_rng(1)
    x, y = rng.integers(1, 90, 8).astype(float), rng.integers(1, 50, 8).astype(float)
    result = spacing_divergence(generated=x, reference=y)
    for k in range(8):
        step = 1e-4 * np.eye(8)[k]
        moved = [spacing_divergence(generated=x + s * step, reference=y).value for s in (1, -1)]
        assert result.slopes_generated[k] == pytest.approx((moved[0] - moved[1]) / 2e-4, abs=1e-8)
        moved = [spacing_divergence(generated=x, reference=y + s * step).value for s in (1, -1)]
        assert result.slopes_reference[k] == pytest.approx((moved[0] - moved[1]) / 2e-4, abs=1e-8)


def test_pairs_of_directed_motifs_are_taken_and_weigh_as_the_reference_has_them(metric, real_data, score_codes, human):
    assert [motif.name for motif in metric.paired] == ["tata-box", "initiator"]
    many = MotifSpacing(MotifSpacingOptions(str(real_data / "motifs" / "JASPAR2018_CORE_nematodes.meme"), most=4))
    assert len(many.paired) == 26
    score = score_codes(many, generated=human[:2000], reference=human[2000:4000])
    shares = score.details.groupby(["motif_1", "motif_2"], sort=False)[["generated", "reference"]].sum()
    assert 1 <= len(shares) == len(score.parts) <= 6
    np.testing.assert_allclose(shares, 1)
    values = [part.value for part in score.parts.values()]
    assert min(values) <= score.value <= max(values)


def test_of_a_larger_set_the_motifs_of_most_sequences_are_taken():
    counts = np.array([[9, 0, 1, 1], [0, 0, 1, 1], [0, 1, 1, 0]])
    assert most_frequent(list("abcd"), counts, 2) == ["c", "d"]
    assert most_frequent(list("abcd"), counts, 3) == ["a", "c", "d"]


def test_without_distances_it_is_one_for_generated_and_refused_for_real_sequences(metric, score_codes, human):
    blank = np.full((20, 256), 4, np.uint8)
    score = score_codes(metric, generated=blank, reference=human[:500])
    assert (score.value, score.ci_low, score.ci_high) == (1, 1, 1)
    with pytest.raises(UserError, match="no pair of motifs has more than 0 distances up to 50 bp in the 20 reference"):
        score_codes(metric, generated=human[:500], reference=blank)
    with pytest.raises(UserError, match="it needs at least 50"):
        score_codes(metric, generated=human[:500], reference=human[:4])


def test_swapping_the_sides_and_reordering_them_change_nothing(metric, score_codes, human):
    x, y = human[:700], human[700:1500]
    score, swapped = score_codes(metric, generated=x, reference=y), score_codes(metric, generated=y, reference=x)
    mixed = score_codes(metric, generated=x[::-1].copy(), reference=y)
    for other in (swapped, mixed):
        assert other.value == pytest.approx(score.value, rel=1e-12)
        assert other.ci_high == pytest.approx(score.ci_high, rel=1e-9)
    assert score_codes(metric, generated=x, reference=x).value == pytest.approx(0, abs=1e-15)


def test_intervals_are_those_of_the_jackknife(toy, jackknife):
    # Several pairs, of which the weights are the reference's as well.
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 4, (90, 60)).astype(np.uint8), rng.integers(0, 4, (80, 60)).astype(np.uint8)
    x[:60, 10:14], y[:50, 20:22] = (0, 1, 2, 2), (0, 1)
    metric = toy(reach=20, bin_width=8, p_value=0.07)

    def score(generated, reference):
        return metric.score(
            generated=SequenceSet(generated), reference=SequenceSet(reference), context=Context(length=60, scratch=None)
        )

    whole = score(x, y)
    errors = jackknife(metric, generated=x, reference=y, of=lambda score: (score.value,))
    assert (whole.ci_high - whole.value) / 1.959964 == pytest.approx(errors[0], rel=0.1)


@pytest.mark.parametrize("rate", [0, 0.3])
def test_intervals_hold_over_replicates(rate, metric, replicates, coverage, mutants):
    scores = replicates(metric, mutants[rate])
    spread = np.std([score.value for score in scores], ddof=1)
    claimed = np.mean([(score.ci_high - score.value) / 1.959964 for score in scores])
    assert 0.75 * spread <= claimed <= 1.9 * spread
    assert coverage(scores) >= 0.85


def test_stand_ins_are_above_real_promoters_and_so_are_more_mutations(metric, score_codes, human, mutants, stand_ins):
    rng = np.random.default_rng(5)
    highest = 0.0
    for _ in range(6):
        order = rng.permutation(len(human))
        score = score_codes(metric, generated=human[order[:2000]], reference=human[order[2000:4000]])
        highest = max(highest, score.value)
    for name, codes in stand_ins.items():
        assert score_codes(metric, generated=codes, reference=human[:2000]).value > highest, name
    # At 100 % there is no spacing left to be wrong, and the divergence from real spacing stays where it is.
    values = [
        score_codes(metric, generated=mutants[rate], reference=human[:2000]).value for rate in (0, 0.03, 0.1, 0.3)
    ]
    assert values == sorted(values)
    assert values[-1] > highest


@pytest.mark.parametrize("fault", ["tata-shift", "spacing"])
def test_it_sees_a_tata_box_in_the_wrong_place(fault, metric, tmp_path):
    def context(seed: int = 0) -> Context:
        return Context(length=256, scratch=tmp_path, seed=seed)

    def real(seed: int) -> SequenceSet:
        return PromoterSimulator(SimulatorOptions(n=2000, seed=seed)).load(context=context())

    references = [real(seed) for seed in range(8)]
    floor = np.array(
        [
            metric.score(generated=real(100 + i), reference=reference, context=context()).value
            for i, reference in enumerate(references)
        ]
    )
    broken = BrokenTruth(BrokenOptions(fault))
    values = np.array(
        [
            metric.score(
                generated=broken.sample(2000, context=context(i)), reference=references[i], context=context()
            ).value
            for i in range(3)
        ]
    )
    error = floor.std(ddof=1) * (1 / 3 + 1 / 8) ** 0.5
    assert (values.mean() - floor.mean()) / (error * student.ppf(0.995, 7)) > 1
