"""`motif-profile`: curves and correlation by hand, intervals by jackknife and replicates, promoters and stand-ins."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_metrics.motifs.correlation import pearson
from dnabench_metrics.motifs.matrices import load_motifs
from dnabench_metrics.motifs.profile import MotifProfile, complete_bins
from dnabench_metrics.records.motifs import MotifProfileOptions

MOTIF = """MEME version 4
ALPHABET= ACGT
strands: +
MOTIF one
letter-probability matrix: w= 2 nsites= 20
1 0 0 0
0 1 0 0
"""


@pytest.fixture
def metric() -> MotifProfile:
    return MotifProfile(MotifProfileOptions())


@pytest.fixture
def toy(tmp_path) -> MotifProfile:
    """Looks for AC, at p = 1/16 its only hit, named by the place of its C; bins of 3 bp."""
    path = tmp_path / "one.meme"
    path.write_text(MOTIF)
    return MotifProfile(MotifProfileOptions(motifs=str(path), p_value=1 / 16, bin_width=3))


def test_curves_correlation_and_mean_squared_difference_by_hand(toy, make_context):
    # A C can be at 1 to 13, so bins 0 (0-2) and 4 (12-14) are not complete: 1, 2, 3 count. All hits do, once a bin.
    generated = ["TTTACTTTTTTTTT", "TTTACACTTTTTTT", "TTTTTTTTTTTTAC", "ACTTTTTTTACTTT"]
    reference = ["TTTACTTTTTTTTT", "TTTTTTTACTTTTT"]
    score = toy.score(
        generated=SequenceSet.from_strings(generated),
        reference=SequenceSet.from_strings(reference),
        context=make_context(length=14),
    )
    curve_g, curve_r = [50, 25, 25], [50, 50, 0]
    assert score.details["position"].tolist() == [3, 6, 9]
    assert score.details["generated"].tolist() == curve_g
    assert score.details["reference"].tolist() == curve_r
    # Centred: (50, -25, -25) / 3 and (50, 50, -100) / 3.
    assert score.value == pytest.approx(3750 / np.sqrt(3750 * 15_000), rel=1e-12)
    assert score.value == pytest.approx(np.corrcoef(curve_g, curve_r)[0, 1])
    assert score.parts["one"].value == score.value
    assert score.parts["one-mse"].value == pytest.approx((0 + 25**2 + 25**2) / 3)


def test_the_slopes_of_a_correlation_are_its_derivatives():
    rng = np.random.default_rng(0)
    x, y = rng.random(7), rng.random(7)
    result = pearson(generated=x, reference=y)
    assert result.value == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-12)
    for k in range(7):
        step = 1e-6 * np.eye(7)[k]
        moved = (np.corrcoef(x + step, y)[0, 1] - np.corrcoef(x - step, y)[0, 1]) / 2e-6
        assert result.slopes_generated[k] == pytest.approx(moved, abs=1e-7)
        moved = (np.corrcoef(x, y + step)[0, 1] - np.corrcoef(x, y - step)[0, 1]) / 2e-6
        assert result.slopes_reference[k] == pytest.approx(moved, abs=1e-7)


def test_the_bins_are_those_an_anchor_can_fill_on_either_strand():
    tata, initiator, ccaat, gc = load_motifs("epd", p_value=1e-4)
    # Of 256 positions an anchor can be at: 3 to 244; 2 to 250; on both strands 7 to 248, and 7 to 248.
    assert complete_bins(tata, 1, 256) == slice(3, 245)
    assert complete_bins(initiator, 1, 256) == slice(2, 251)
    assert complete_bins(ccaat, 1, 256) == slice(7, 249)
    assert complete_bins(gc, 1, 256) == slice(7, 249)
    assert complete_bins(tata, 8, 256) == slice(1, 30)
    assert complete_bins(gc, 8, 256) == slice(1, 31)


def test_a_side_without_hits_is_at_zero_and_never_nan(metric, score_codes, human):
    blank = np.full((20, 256), 4, np.uint8)
    for generated, reference in ((blank, human[:500]), (human[:500], blank), (blank, blank)):
        score = score_codes(metric, generated=generated, reference=reference)
        # Nothing is known of the correlation, with any motif or with all.
        for found in (score, *(score.parts[name] for name in ("tata", "initiator", "ccaat", "gc-box"))):
            assert (found.value, found.ci_low, found.ci_high) == (0, -1, 1)
    # One of 20 sequences with a hit would put 5 % into one of the bins 1 to 29.
    assert (score.parts["tata-mse"].value, score.parts["tata-mse"].ci_low) == (0, 0)
    assert score.parts["tata-mse"].ci_high == pytest.approx(5**2 / 29)


def test_a_motif_without_hits_leaves_its_share_of_the_mean_open(metric, score_codes, human):
    strong = np.array([2, 1, 2, 1], np.uint8)[human[:500]]  # G or C everywhere: no TATA-box
    score = score_codes(metric, generated=strong, reference=human[500:1000])
    assert (score.parts["tata"].ci_low, score.parts["tata"].ci_high) == (-1, 1)
    assert score.parts["gc-box"].ci_low > -1
    assert score.value - score.ci_low >= 1 / 4
    assert score.ci_high - score.value >= 1 / 4
    assert (score.ci_low, score.ci_high) != (-1, 1)


def test_a_set_against_itself_is_at_one(metric, score_codes, human):
    score = score_codes(metric, generated=human[:1000], reference=human[:1000])
    assert score.value == pytest.approx(1, abs=1e-12)
    assert score.ci_low == pytest.approx(1, abs=1e-6)


def test_parts_have_the_names_of_the_paper(metric, score_codes, human):
    score = score_codes(metric, generated=human[:500], reference=human[500:1000])
    names = ["tata", "initiator", "ccaat", "gc-box"]
    assert list(score.parts) == [*names, *(f"{name}-mse" for name in names)]
    assert score.value == pytest.approx(np.mean([score.parts[name].value for name in names]))


def test_swapping_the_sides_and_reordering_them_change_nothing(metric, score_codes, human):
    x, y = human[:700], human[700:1500]
    score, swapped = score_codes(metric, generated=x, reference=y), score_codes(metric, generated=y, reference=x)
    order = np.random.default_rng(1).permutation(700)
    mixed = score_codes(metric, generated=x[order], reference=y[::-1].copy())
    for other in (swapped, mixed):
        assert other.value == pytest.approx(score.value, rel=1e-12)
        assert other.ci_low == pytest.approx(score.ci_low, rel=1e-9)
        assert other.parts["tata-mse"].ci_high == pytest.approx(score.parts["tata-mse"].ci_high, rel=1e-9)


def test_intervals_are_those_of_the_jackknife(metric, score_codes, jackknife, human, mutants):
    x, y = mutants[0.1][:70], human[:90]
    score = score_codes(metric, generated=x, reference=y)
    errors = jackknife(
        metric, generated=x, reference=y, of=lambda score: (score.value, score.parts["initiator-mse"].value)
    )
    assert (score.ci_high - score.ci_low) / (2 * 1.959964) == pytest.approx(errors[0], rel=0.1)
    part = score.parts["initiator-mse"]
    assert (part.ci_high - part.value) / 1.959964 == pytest.approx(errors[1], rel=0.1)


@pytest.mark.parametrize("rate", [0, 0.3])
def test_intervals_hold_over_replicates(rate, metric, replicates, coverage, mutants):
    scores = replicates(metric, mutants[rate])
    spread = np.std([score.value for score in scores], ddof=1)
    claimed = np.mean([(score.ci_high - score.ci_low) / (2 * 1.959964) for score in scores])
    assert 0.85 * spread <= claimed <= 1.8 * spread
    assert coverage(scores) >= 0.9


def test_more_mutations_score_worse(metric, score_codes, human, mutants):
    values = [score_codes(metric, generated=codes, reference=human[:2000]).value for codes in mutants.values()]
    assert values == sorted(values, reverse=True)
    assert values[0] - values[3] > 0.02
    assert values[-1] < 0.2


def test_stand_ins_are_far_below_real_promoters(metric, score_codes, human, stand_ins):
    rng = np.random.default_rng(5)
    real = []
    for _ in range(8):
        order = rng.permutation(len(human))
        real.append(score_codes(metric, generated=human[order[:2000]], reference=human[order[2000:4000]]))
    lowest = min(score.ci_low for score in real)
    assert lowest > 0.8
    for name, codes in stand_ins.items():
        score = score_codes(metric, generated=codes, reference=human[:2000])
        assert score.ci_high < lowest, name
        assert score.parts["tata"].ci_high < min(other.parts["tata"].ci_low for other in real), name
        assert score.parts["tata-mse"].ci_low > max(other.parts["tata-mse"].ci_high for other in real), name


def test_what_cannot_be_compared_is_refused(metric, make_context):
    def score(n: int, length: int, other: int) -> None:
        sides = [SequenceSet(np.zeros((n, bp), np.uint8)) for bp in (length, other)]
        metric.score(generated=sides[0], reference=sides[1], context=make_context())

    with pytest.raises(UserError, match="motif-profile: generated sequences of 64 bp cannot be compared .* 65 bp"):
        score(5, 64, 65)
    with pytest.raises(UserError, match="motif-profile: 1 generated sequences; it needs at least 2"):
        score(1, 64, 64)
    with pytest.raises(UserError, match="motif tata-box is 15 bp wide and cannot be looked for in sequences of 14 bp"):
        score(5, 14, 14)
    with pytest.raises(UserError, match="2 bins of 8 bp are complete for motif tata-box in sequences of 36 bp"):
        score(5, 36, 36)


def file_of(motifs: dict[str, str]) -> str:
    """A MEME file of words by name."""
    entries = [
        f"MOTIF {name}\nletter-probability matrix: w= {len(word)} nsites= 20\n"
        + "".join(" ".join("1" if base == letter else "0" for letter in "ACGT") + "\n" for base in word)
        for name, word in motifs.items()
    ]
    return "MEME version 4\nALPHABET= ACGT\nstrands: +\n" + "".join(entries)


def test_parts_that_would_have_one_name_are_refused_and_a_file_s_motifs_keep_theirs(tmp_path, make_context):
    path = tmp_path / "some.meme"
    path.write_text(file_of({"a": "AC", "a-mse": "GG"}))
    with pytest.raises(UserError, match=r"motif-profile: the motifs of .*some.meme give two parts called a-mse"):
        MotifProfile(MotifProfileOptions(str(path)))
    path.write_text(file_of({"tata": "AC", "tata-box": "GG"}))
    metric = MotifProfile(MotifProfileOptions(str(path)))
    sides = [SequenceSet(np.random.default_rng(i).integers(0, 4, (20, 64)).astype(np.uint8)) for i in (0, 1)]
    score = metric.score(generated=sides[0], reference=sides[1], context=make_context(length=64))
    assert list(score.parts) == ["tata", "tata-box", "tata-mse", "tata-box-mse"]


def test_bins_wider_than_any_sequence_are_refused_in_one_line(score_codes, human):
    metric = MotifProfile(MotifProfileOptions(bin_width=10**30))
    with pytest.raises(UserError, match="0 bins of 10+ bp are complete for motif tata-box in sequences of 256 bp"):
        score_codes(metric, generated=human[:9], reference=human[:9])
