"""`motif-frequency`: correlations by hand, intervals by jackknife and replicates, promoters and stand-ins."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_metrics.motifs.frequency import MotifFrequency, frequency_correlation
from dnabench_metrics.records.motifs import MotifFrequencyOptions

WORDS = ("AC", "GGT", "TTTT", "CG")


@pytest.fixture
def word_file(tmp_path):
    """A TRANSFAC file of the first ``motifs`` words."""

    def write(motifs: int) -> str:
        path = tmp_path / f"words{motifs}.dat"
        entries = []
        for word in WORDS[:motifs]:
            rows = [
                f"{i} " + " ".join("9" if base == letter else "0" for letter in "ACGT") for i, base in enumerate(word)
            ]
            entries.append("\n".join([f"ID {word}", "P0 A C G T", *rows, "XX", "//\n"]))
        path.write_text("".join(entries))
        return str(path)

    return write


@pytest.fixture
def metric() -> MotifFrequency:
    return MotifFrequency(MotifFrequencyOptions())


@pytest.fixture
def many(real_data) -> MotifFrequency:
    """The 26 motifs of nematodes."""
    return MotifFrequency(MotifFrequencyOptions(str(real_data / "motifs" / "JASPAR2018_CORE_nematodes.meme")))


def test_correlations_by_hand(word_file, make_context):
    # At p = 1e-9 only the word itself is a hit, on both strands: GT is AC, ACC is GGT, AAAA is TTTT, CG itself.
    metric = MotifFrequency(MotifFrequencyOptions(word_file(4), p_value=1e-9))
    score = metric.score(
        generated=SequenceSet.from_strings(["ACCTTTTTCT", "AAAAATTTTT"]),
        reference=SequenceSet.from_strings(["GGTTTTCGAC", "CGCGCCACCC"]),
        context=make_context(length=10),
    )
    # Of the first AC, ACC, TTTT twice; of the second AAAA twice and TTTT twice.
    generated = [1 / 2, 1 / 2, 6 / 2, 0]
    # Of the first GT, GGT, TTTT, CG on each strand, AC; of the second twice CG on each strand, AC, ACC.
    reference = [3 / 2, 2 / 2, 1 / 2, 6 / 2]
    assert score.details.to_dict("list") == {
        "quantity": ["hits per sequence"] * 4,
        "motif": list(WORDS),
        "generated": pytest.approx(generated),
        "reference": pytest.approx(reference),
    }
    assert score.value == pytest.approx(np.corrcoef(np.sqrt(generated), np.sqrt(reference))[0, 1], rel=1e-12)
    assert score.parts["counts"].value == pytest.approx(np.corrcoef(generated, reference)[0, 1], rel=1e-12)


def test_fewer_than_three_motifs_are_refused_at_once(word_file):
    with pytest.raises(UserError, match="holds 2 motifs; a correlation over motifs needs at least 3"):
        MotifFrequency(MotifFrequencyOptions(word_file(2)))
    MotifFrequency(MotifFrequencyOptions(word_file(3)))


def test_equally_frequent_motifs_correlate_with_nothing(metric, score_codes, human):
    blank = np.full((5, 256), 4, np.uint8)
    for generated, reference in ((blank, human[:50]), (human[:50], blank), (blank, blank)):
        score = score_codes(metric, generated=generated, reference=reference)
        for found in (score, score.parts["counts"]):
            assert (found.value, found.ci_low, found.ci_high) == (0, -1, 1)
    counts = np.tile([2, 2, 2], (4, 1))
    assert frequency_correlation(generated=counts, reference=np.tile([2, 3, 2], (4, 1)), rooted=True).value == 0


def test_swapping_the_sides_and_reordering_them_change_nothing(many, score_codes, human):
    x, y = human[:300], human[300:700]
    score, swapped = score_codes(many, generated=x, reference=y), score_codes(many, generated=y, reference=x)
    mixed = score_codes(many, generated=x[::-1].copy(), reference=y)
    for other in (swapped, mixed):
        assert other.value == pytest.approx(score.value, rel=1e-12)
        assert other.ci_low == pytest.approx(score.ci_low, rel=1e-9)


def test_intervals_are_those_of_the_jackknife():
    rng = np.random.default_rng(6)
    means = rng.gamma(1, 1, 12) + 0.3
    sides = {
        "generated": rng.poisson(means * rng.uniform(0.5, 1.5, 12), (200, 12)),
        "reference": rng.poisson(means, (250, 12)),
    }
    # Counts of one sequence that are not independent.
    sides["reference"][:, 1] += sides["reference"][:, 0]
    for rooted in (True, False):
        score = frequency_correlation(**sides, rooted=rooted)
        variance = 0.0
        for side, counts in sides.items():
            without = [sides | {side: np.delete(counts, i, axis=0)} for i in range(len(counts))]
            values = [frequency_correlation(**some, rooted=rooted).value for some in without]
            variance += (len(counts) - 1) * np.var(values)
        assert (score.value - score.ci_low) / 1.959964 == pytest.approx(np.sqrt(variance), rel=0.03)


@pytest.mark.parametrize("rate", [0, 0.3])
def test_intervals_hold_over_replicates(rate, many, replicates, coverage, mutants):
    scores = replicates(many, mutants[rate], repeats=30)
    spread = np.std([score.value for score in scores], ddof=1)
    claimed = np.mean([(score.value - score.ci_low) / 1.959964 for score in scores])
    assert 0.7 * spread <= claimed <= 2 * spread
    assert coverage(scores) >= 0.85


def test_more_mutations_score_worse(metric, many, score_codes, human, mutants):
    for some in (metric, many):
        values = [score_codes(some, generated=codes, reference=human[:2000]).value for codes in mutants.values()]
        assert values == sorted(values, reverse=True)


def test_stand_ins_are_below_real_promoters(metric, many, score_codes, human, stand_ins):
    rng = np.random.default_rng(5)
    for some in (metric, many):
        lowest = 1.0
        for _ in range(5):
            order = rng.permutation(len(human))
            score = score_codes(some, generated=human[order[:2000]], reference=human[order[2000:4000]])
            lowest = min(lowest, score.value)
        for name, codes in stand_ins.items():
            assert score_codes(some, generated=codes, reference=human[:2000]).ci_high < lowest, name


def test_a_wide_motif_is_named(many, make_context):
    short = SequenceSet(np.zeros((4, 10), np.uint8))
    widest = max(many.motifs, key=lambda motif: motif.width)
    with pytest.raises(UserError, match=f"{widest.name} is {widest.width} bp wide .* sequences of 10 bp"):
        many.score(generated=short, reference=short, context=make_context(length=10))
