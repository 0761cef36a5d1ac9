"""`motif-spacing`: distances and divergence by hand, intervals by jackknife and replicates, what it sees."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import t as student

from dnabench import Context, SequenceSet, UserError
from dnabench_metrics.motifs.scan import occupancy
from dnabench_metrics.motifs.spacing import MotifSpacing, js_divergence, most_frequent
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
    x, y = rng.integers(0, 9, (3, 30)), rng.integers(0, 5, (3, 30))
    expected = [jensenshannon(a / a.sum(), b / b.sum(), base=2) ** 2 for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(js_divergence(x, y), expected, rtol=1e-12)
    np.testing.assert_allclose(js_divergence(x, 3 * x), 0, atol=1e-15)
    assert js_divergence(0 * x[0], y[0]) == js_divergence(x[0], 0 * y[0]) == 1


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
    # Others of this size may hold some distances, and be nearer.
    assert score.ci_low < 0.95
    assert (score.value, score.ci_high) == (1, 1)
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
    assert 0.75 * spread <= claimed <= 2.2 * spread
    assert coverage(scores) >= 0.85


@pytest.mark.parametrize("holding", [0.5, 1.5, 4, 10])
def test_intervals_hold_however_few_sequences_hold_distances(holding, metric, human, make_context):
    # Of 60 generated sequences so many hold distances on average; the others hold no hits, nor any base.
    sets = [SequenceSet(human[:2000]), SequenceSet(human[2000:4000])]
    remembered: dict[tuple[str, int], np.ndarray] = {}
    rng = np.random.default_rng(8)

    def remember(name, sequences, compute):
        rows = np.array([int(row) for row in sequences.names])
        for which, whole in enumerate(sets):
            if (name, which) not in remembered:
                remembered[name, which] = compute(whole)
        blank = compute(SequenceSet(np.full((1, 256), 4, np.uint8)))
        return np.concatenate([remembered[name, 0], remembered[name, 1], blank])[rows]

    context = make_context(remember_with=remember)
    both = np.concatenate([whole.codes for whole in sets] + [np.full((1, 256), 4, np.uint8)])

    def drawn(rows: np.ndarray) -> SequenceSet:
        return SequenceSet(both[rows], names=[str(row) for row in rows])

    some = occupancy(human[2000:4000], metric.paired, 1)
    candidates = 2000 + np.flatnonzero(
        [np.abs(np.subtract.outer(*(np.flatnonzero(m) for m in row))).min(initial=99) <= 50 for row in some]
    )
    scores = []
    for _ in range(150):
        share = rng.random(60) < holding / 60
        rows = np.where(share, rng.choice(candidates, 60), 4000)
        scores.append(metric.score(generated=drawn(rows), reference=drawn(rng.integers(0, 2000, 400)), context=context))
    mean = np.mean([score.value for score in scores])
    assert np.mean([score.ci_low <= mean <= score.ci_high for score in scores]) >= 0.88
    assert all(score.ci_high > score.ci_low for score in scores)


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


def test_pairs_that_would_have_one_name_are_refused_and_a_file_s_motifs_keep_theirs(tmp_path):
    path = tmp_path / "some.meme"

    def metric(*names: str) -> MotifSpacing:
        matrix = "letter-probability matrix: w= 1 nsites= 20\n1 0 0 0\n"
        path.write_text(MOTIFS.partition("MOTIF")[0] + "".join(f"MOTIF {name}\n{matrix}" for name in names))
        return MotifSpacing(MotifSpacingOptions(str(path)))

    with pytest.raises(UserError, match=r"motif-spacing: the motifs of .*some.meme give two parts called a\+b\+c"):
        metric("a+b", "c", "a", "b+c")
    # Of the carried set alone is the one called the other.
    metric("tata", "tata-box", "x")


def test_reach_and_bins_beyond_the_length_are_those_of_the_length(toy, make_context):
    sides = {
        "generated": SequenceSet.from_strings(["ACTGGTTTTTTT", "GGTTTACTTTTT"]),
        "reference": SequenceSet.from_strings(["ACTACGGTTTTT", "ACTTTTTTTGGT"]),
    }
    context = make_context(length=12)
    far, near = (toy(reach=reach).score(**sides, context=context) for reach in (10**30, 11))
    assert (far.value, far.ci_low, far.ci_high) == (near.value, near.ci_low, near.ci_high)
    assert far.details.equals(near.details)
    assert toy(reach=5, bin_width=10**30).score(**sides, context=context).value == 0
