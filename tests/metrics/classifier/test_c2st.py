"""The classifier two-sample test: what it sees, what chance gives, copies, order, threads, bad input."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from dnabench import SequenceSet, UserError
from dnabench.options import build
from dnabench_metrics.classifier.c2st import ClassifierTwoSampleTest
from dnabench_metrics.records.classifier import C2STOptions
from dnabench_metrics.stand_ins import dinucleotide_shuffle, markov, mutated, per_position


@pytest.fixture
def c2st(make_context):
    def score(generated: np.ndarray, reference: np.ndarray, **options):
        sides = {"generated": SequenceSet(generated), "reference": SequenceSet(reference)}
        context = make_context(length=generated.shape[1])
        return ClassifierTwoSampleTest(C2STOptions(**options)).score(**sides, context=context)

    return score


def uniform(n: int, length: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8)


@pytest.fixture(scope="module")
def human(real_promoters) -> np.ndarray:
    promoters = real_promoters("hs").codes
    return promoters[np.random.default_rng(4).permutation(len(promoters))]


def test_a_base_that_one_side_always_has_is_found_and_named(c2st):
    generated, reference = uniform(400, 40, 0), uniform(400, 40, 1)
    generated[:, 17] = 2
    score = c2st(generated, reference)
    # The base itself allows P(other) + P(same) / 2 = 7/8, and nothing else tells the sides apart.
    assert 0.75 < score.value < 0.95
    assert score.ci_low < 0.875 < score.ci_high
    # 4 + 16 + 64 + 256 words, a base at 40 positions, and 16 dinucleotides in five stretches of 8 bp.
    assert len(score.details) == 30
    best = score.details.iloc[0]
    assert best["feature"] == "G at 17"
    assert best["view"] == "Words and places: the 30 of 580 that differ most"
    assert best["generated"] == 1
    assert best["reference"] == pytest.approx(0.25, abs=0.12)
    assert best["auroc"] == pytest.approx(0.5 + (1 - best["reference"]) / 2)


def test_the_network_finds_a_motif_that_one_side_has(c2st):
    generated, reference = uniform(200, 40, 0), uniform(200, 40, 1)
    generated[:, 12:18] = (3, 0, 3, 0, 0, 0)
    score = c2st(generated, reference, classifier="cnn", epochs=20)
    assert score.value > 0.95
    assert c2st(uniform(200, 40, 2), reference, classifier="cnn").value == pytest.approx(
        0.5, abs=4 * (score.parts["chance"].ci_high - 0.5) / 1.96
    )


def test_chance_has_the_band_of_the_held_out_sizes(c2st):
    chance = c2st(uniform(90, 30, 0), uniform(61, 30, 1)).parts["chance"]
    # 30 of either side are trained on, so 60 and 31 are held out.
    error = np.sqrt((60 + 31 + 1) / (12 * 60 * 31))
    assert (chance.ci_low, chance.ci_high) == pytest.approx((0.5, 0.5 + 1.959964 * error), abs=1e-6)
    sizes = np.abs(np.random.default_rng(0).normal(0, error, 200_000))
    assert chance.value == pytest.approx(0.5 + sizes.mean(), abs=5e-4)
    assert (sizes + 0.5 <= chance.ci_high).mean() == pytest.approx(0.95, abs=0.003)


def test_two_samples_of_one_source_lie_inside_the_band_and_the_interval_holds_chance(c2st):
    inside, covered, values, areas = [], [], [], []
    for seed in range(50):
        score = c2st(uniform(60, 16, 2 * seed), uniform(60, 16, 2 * seed + 1))
        values.append(score.value)
        areas.append(score.parts["auroc"].value)
        inside.append(score.parts["chance"].ci_low <= score.value <= score.parts["chance"].ci_high)
        covered.append(score.ci_low <= score.parts["chance"].value <= score.ci_high)
    sd = np.sqrt(61 / (12 * 30 * 30))
    assert np.mean(areas) == pytest.approx(0.5, abs=3 * sd / np.sqrt(50))
    assert np.std(areas, ddof=1) == pytest.approx(sd, rel=0.3)  # a spread of 50 is known to 10 %
    assert np.mean(values) == pytest.approx(score.parts["chance"].value, abs=3 * sd / np.sqrt(50))
    assert np.mean(inside) >= 0.88
    assert np.mean(covered) >= 0.88


@pytest.mark.slow
def test_the_standard_error_is_of_the_size_of_the_spread_over_draws_of_both_sets(c2st):
    # DeLong's takes the classifier as given. Another training set adds to the spread, so it comes out a little small.
    rng = np.random.default_rng(0)
    weights = np.array([0.35, 0.15, 0.15, 0.35])
    runs = []
    for seed in range(50):
        generated = rng.choice(4, (120, 12), p=weights).astype(np.uint8)
        runs.append(c2st(generated, uniform(120, 12, seed)))
    values = np.array([run.value for run in runs])
    errors = np.array([(run.ci_high - run.ci_low) / (2 * 1.959964) for run in runs])
    assert 0.65 * values.std(ddof=1) < errors.mean() < 1.3 * values.std(ddof=1)
    assert np.mean([run.ci_low <= values.mean() <= run.ci_high for run in runs]) >= 0.8


def test_neither_the_order_of_the_sequences_nor_the_sides_matter(c2st):
    generated, reference = uniform(130, 32, 0), uniform(150, 32, 1)
    generated[:70, 3] = 1
    generated[100:] = reference[:30]
    plain = c2st(generated, reference)
    rng = np.random.default_rng(5)
    moved = c2st(generated[rng.permutation(130)], reference[rng.permutation(150)])
    assert (moved.value, moved.ci_low, moved.ci_high) == (plain.value, plain.ci_low, plain.ci_high)
    # What tells generated from real with some AUROC tells real from generated with the same.
    assert c2st(reference, generated).value == pytest.approx(plain.value, abs=1e-9)


def test_thinning_does_not_depend_on_the_order_either(c2st):
    generated, reference = uniform(200, 32, 0), uniform(220, 32, 1)
    generated[:, 3] = 1
    plain = c2st(generated, reference, most=120, training=40)
    assert c2st(generated[::-1], reference[::-1], most=120, training=40).value == plain.value
    half = 1.959964 * np.sqrt(161 / (12 * 80 * 80))
    assert plain.parts["chance"].ci_high == pytest.approx(0.5 + half, abs=1e-6)


def test_words_are_counted_for_whole_sets_so_that_parts_of_them_cost_nothing(make_context):
    asked = []

    def remember(name, sequences, compute):
        asked.append(len(sequences))
        return compute(sequences)

    sides = {"generated": SequenceSet(uniform(90, 12, 0)), "reference": SequenceSet(uniform(70, 12, 1))}
    metric = ClassifierTwoSampleTest(C2STOptions(most=60))
    metric.score(**sides, context=make_context(length=12, remember_with=remember))
    assert asked == [90, 70]


def test_one_and_two_threads_give_the_same(c2st):
    generated, reference = uniform(400, 64, 0), mutated(uniform(400, 64, 0), 0.3, np.random.default_rng(2))
    scores = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="openmp"):
            scores.append(c2st(generated, reference))
    assert scores[0].value == scores[1].value
    assert scores[0].ci_low == scores[1].ci_low


def with_one_base_changed(codes: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    changed = codes.copy()
    place = np.arange(len(codes)), rng.integers(0, codes.shape[1], len(codes))
    changed[place] = (changed[place] + rng.integers(1, 4, len(codes))) % 4
    return changed


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_copies_with_one_base_changed_do_not_score_better_than_fresh_sequences(c2st, seed):
    reference = uniform(200, 32, seed)
    copies, fresh = (
        c2st(with_one_base_changed(reference, seed), reference),
        c2st(uniform(200, 32, 50 + seed), reference),
    )
    # The classifier has seen the held-out ones' originals with the other label.
    assert copies.parts["auroc"].ci_high < 0.4
    assert copies.value == pytest.approx(1 - copies.parts["auroc"].value)
    assert (copies.ci_low, copies.ci_high) == pytest.approx(
        (1 - copies.parts["auroc"].ci_high, 1 - copies.parts["auroc"].ci_low)
    )
    assert copies.value > fresh.value
    assert copies.ci_low > copies.parts["chance"].ci_high


@pytest.mark.slow
def test_human_promoters_with_one_base_changed_do_not_score_better_than_others(c2st, human):
    copies, fresh = (c2st(codes, human[:1000]) for codes in (with_one_base_changed(human[:1000], 0), human[1000:2000]))
    assert copies.ci_low > max(fresh.value, copies.parts["chance"].ci_high)


def test_the_largest_seed_is_one_that_torch_takes(c2st):
    largest, more = ({"seed": seed, "classifier": "cnn", "epochs": 1} for seed in (2**63 - 1, 2**63))
    assert build(C2STOptions, "c2st", largest) == C2STOptions(**largest)
    assert c2st(uniform(60, 16, 0), uniform(60, 16, 1), **largest).value >= 0.5
    with pytest.raises(UserError, match="must be at most 9223372036854775807"):
        build(C2STOptions, "c2st", more)


@pytest.mark.parametrize("repeats", ["once", "count"])
def test_a_copy_of_the_reference_cannot_be_told_from_it(c2st, repeats):
    reference = uniform(120, 32, 1)
    assert c2st(reference[::-1], reference, repeats=repeats).value == 0.5


def test_a_memoriser_that_repeats_itself_is_at_chance_unless_copies_count(c2st):
    rng = np.random.default_rng(0)
    generated, reference = uniform(150, 32, 0)[rng.integers(0, 150, 600)], uniform(600, 32, 1)
    once, count = (c2st(generated, reference, repeats=repeats) for repeats in ("once", "count"))
    assert once.parts["chance"].ci_low <= once.value <= once.parts["chance"].ci_high
    assert count.value > 0.8


def test_a_collapsed_generator_is_found_out_unless_copies_do_not_count(c2st):
    reference = uniform(100, 32, 1)
    collapsed = np.repeat(uniform(3, 32, 0), 40, axis=0)
    assert c2st(collapsed, reference).value > 0.95
    assert c2st(collapsed[:100] * 0, reference * 0).value == 0.5
    assert c2st(collapsed[:100] * 0, reference * 0 + 3).value == 1
    with pytest.raises(UserError, match="3 different sequences among the 120 generated ones; it needs at least 50"):
        c2st(collapsed, reference, repeats="once")


@pytest.mark.parametrize(
    ("generated", "reference", "message"),
    [
        ((49, 32), (80, 32), "49 generated sequences; it needs at least 50"),
        ((80, 32), (0, 32), "0 reference sequences; it needs at least 50"),
        ((80, 32), (80, 33), "generated sequences of 32 bp cannot be compared with a reference of 33 bp"),
        ((80, 0), (80, 0), "of 0 bp"),
    ],
)
def test_bad_input_is_refused(c2st, generated, reference, message):
    with pytest.raises(UserError, match=message):
        c2st(uniform(*generated, 0), uniform(*reference, 1))


@pytest.mark.parametrize("length", [4, 5, 9])
@pytest.mark.parametrize("classifier", ["trees", "cnn"])
def test_short_sequences(c2st, length, classifier):
    generated, reference = uniform(300, length, 0), uniform(300, length, 1)
    generated[:, 0] = 4  # an N
    assert c2st(generated, reference, classifier=classifier, repeats="count", epochs=30).value > 0.9


def test_the_network_is_the_same_at_every_call_and_leaves_the_global_seed_alone(c2st):
    import torch

    generated, reference = uniform(100, 32, 0), uniform(100, 32, 1)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = c2st(generated, reference, classifier="cnn", epochs=2)
    assert torch.rand(1) == expected
    assert c2st(generated[::-1], reference, classifier="cnn", epochs=2).value == first.value
    assert c2st(generated, reference, classifier="cnn", epochs=2, seed=1).value != first.value


def test_nothing_heavy_is_imported_before_scoring():
    program = "import sys, dnabench_metrics.classifier.c2st; print({'sklearn', 'torch'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "set()"


@pytest.mark.slow
def test_what_it_sees_of_human_promoters(c2st, human):
    reference, real, fitted = human[:2000], human[2000:4000], human[4000:]
    rng = np.random.default_rng(0)
    stand_ins = {
        "shuffled": np.stack([dinucleotide_shuffle(row, rng) for row in real]),
        "markov": markov(fitted, 5, real.shape, rng),
        "per position": per_position(fitted, real.shape, rng),
        "moved": np.roll(real, 30, axis=1),
        "mutated": mutated(real, 0.1, rng),
    }
    for name, codes in stand_ins.items():
        score = c2st(codes, reference)
        assert score.value > {"mutated": 0.68}.get(name, 0.85), name
        assert score.ci_low > score.parts["chance"].ci_high, name
    for start in (0, 4000):
        halves = c2st(human[start : start + 2000], human[start + 2000 : start + 4000])
        # Four standard errors: a chance of 1 in 16,000.
        assert abs(halves.value - 0.5) < 4 * np.sqrt(2001 / (12 * 1000 * 1000))


@pytest.mark.slow
def test_more_mutations_are_seen_better(c2st, human):
    rng = np.random.default_rng(1)
    values = [c2st(mutated(human[:1500], rate, rng), human[1500:3000]).value for rate in (0, 0.03, 0.1, 0.3, 0.75)]
    assert all(more > less - 0.02 for less, more in pairwise(values))
    assert values[0] < 0.56
    assert values[2] > 0.65
    assert values[3] > 0.9
    assert values[4] > 0.98
