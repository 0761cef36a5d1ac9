"""`novelty` as a metric: memorisers are caught, fresh real sequences pass."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnabench import Context, Score, SequenceSet, UserError
from dnabench_metrics.novelty.metric import Novelty
from dnabench_metrics.records.novelty import NoveltyOptions, metrics


def random_set(n: int, length: int = 128, *, seed: int) -> SequenceSet:
    return SequenceSet(np.random.default_rng(seed).integers(0, 4, (n, length), dtype=np.uint8))


TRAIN, REFERENCE, FRESH = (random_set(n, seed=seed) for seed, n in enumerate((400, 150, 200)))


@pytest.fixture
def score(make_context):
    def call(generated, reference, train, **options) -> Score:
        context = make_context(train=train, length=generated.length)
        return Novelty(NoveltyOptions(**options)).score(generated=generated, reference=reference, context=context)

    return call


@pytest.fixture
def score_generated(score):
    return lambda codes: score(SequenceSet(codes), REFERENCE, TRAIN)


def test_the_record_says_what_is_needed():
    (record,) = metrics()
    assert (record.name, record.direction, record.needs_train) == ("novelty", "higher", True)


@pytest.mark.parametrize("train", [None, random_set(0, seed=0)])
def test_there_must_be_training_sequences(train, score):
    with pytest.raises(UserError, match="training sequences"):
        score(FRESH, REFERENCE, train)


@pytest.mark.parametrize(("n", "m"), [(1, 50), (50, 1)])
def test_a_side_holds_two_sequences_at_least(n, m, score):
    with pytest.raises(UserError, match="novelty: 1 .* at least 2"):
        score(random_set(n, seed=1), random_set(m, seed=2), TRAIN)


def test_a_seed_has_eight_bases_at_least():
    with pytest.raises(ValueError, match="kmer is 7"):
        NoveltyOptions(kmer=7)


def test_value_and_parts_of_a_known_mixture(score_generated):
    codes = FRESH.codes[:100].copy()
    codes[:10] = TRAIN.codes[:10]  # exact
    codes[10:15] = 3 - TRAIN.codes[10:15, ::-1]  # exact on the other strand
    codes[15:40] = TRAIN.codes[15:40]
    codes[15:40, [7, 60, 120]] ^= 1  # three substitutions each
    result = score_generated(codes)
    assert result.value == 0.6
    assert {name: part.value for name, part in result.parts.items()} == {
        "exact": 0.15,
        "excess-copies": 0.4,
        "identity": pytest.approx((15 + 25 * 125 / 128) / 100),
        "reference": 1.0,
    }
    assert result.details.columns.tolist() == ["row", "train_row", "strand", "edits", "overlap", "identity"]
    assert result.details["row"].tolist() == result.details["train_row"].tolist() == list(range(40))
    assert result.details["strand"].tolist() == ["+"] * 10 + ["-"] * 5 + ["+"] * 25
    assert result.details["edits"].tolist() == [0] * 15 + [3] * 25
    assert (result.details["identity"] == 1 - result.details["edits"] / 128).all()


def test_what_the_reference_repeats_is_not_held_against_a_generator(score):
    reference = SequenceSet(np.concatenate([TRAIN.codes[:30], FRESH.codes[:70]]))
    result = score(SequenceSet(np.concatenate([TRAIN.codes[50:60], FRESH.codes[70:160]])), reference, TRAIN)
    assert (result.value, result.parts["reference"].value) == (0.9, 0.7)
    assert result.parts["excess-copies"].value == pytest.approx(-0.2)
    assert result.parts["excess-copies"].ci_high < 0


def test_a_longer_training_sequence_that_holds_a_sequence_is_no_exact_copy(score):
    result = score(SequenceSet(TRAIN.codes[:50, 20:100]), SequenceSet(REFERENCE.codes[:, 20:100]), TRAIN)
    assert (result.value, result.parts["exact"].value, result.parts["identity"].value) == (0, 0, 1)


def test_intervals_are_never_of_zero_width(score_generated):
    for codes in (TRAIN.codes[:100], FRESH.codes[:100]):
        result = score_generated(codes)
        for one in (result, *result.parts.values()):
            assert one.ci_low <= one.value <= one.ci_high
            assert one.ci_high - one.ci_low > 0.01
            assert all(map(math.isfinite, (one.value, one.ci_low, one.ci_high)))


def test_the_interval_covers_the_share_of_a_generator_that_copies(score_generated, substituted):
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(60):
        codes = rng.integers(0, 4, (120, 128), dtype=np.uint8)
        copied = rng.random(120) < 0.25
        codes[copied] = substituted(TRAIN.codes[rng.integers(0, 400, copied.sum())], 0.05, rng)
        result = score_generated(codes)
        covered.append(result.ci_low <= 0.75 <= result.ci_high)
    assert np.mean(covered) >= 0.88  # 0.95 - 2.5 standard errors


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_the_order_of_the_sequences_does_not_show(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    generated = np.concatenate([TRAIN.codes[:30], FRESH.codes[:50]])
    generated[10:30, rng.integers(0, 128, 12)] ^= 1
    scores = []
    for mixed in (False, True):
        sets = [SequenceSet(rng.permutation(codes) if mixed else codes) for codes in (generated, REFERENCE.codes)]
        train = SequenceSet(rng.permutation(TRAIN.codes) if mixed else TRAIN.codes)
        context = Context(train=train, length=128, scratch=tmp_path_factory.getbasetemp())
        scores.append(Novelty(NoveltyOptions()).score(generated=sets[0], reference=sets[1], context=context))
    for one, other in [(scores[0], scores[1])] + [(scores[0].parts[n], scores[1].parts[n]) for n in scores[0].parts]:
        assert (one.value, one.ci_low, one.ci_high) == pytest.approx((other.value, other.ci_low, other.ci_high))


def test_what_is_remembered_of_a_sequence_is_named_by_training_set_and_options(make_context):
    names = []

    def remember(name, sequences, compute):
        names.append(name)
        return compute(sequences)

    for train, options in ((TRAIN, {}), (FRESH, {}), (TRAIN, {"identity": 0.9}), (TRAIN, {"kmer": 12})):
        context = make_context(train=train, remember_with=remember)
        Novelty(NoveltyOptions(**options)).score(generated=FRESH, reference=REFERENCE, context=context)
    assert names[::2] == names[1::2]
    assert len(set(names)) == 4
    assert TRAIN.digest in names[0]


@pytest.mark.parametrize("species", ["hs", "pf"])
def test_fresh_real_promoters_pass_and_memorisers_do_not(species, score, unrelated_promoters, copies):
    train, fresh = unrelated_promoters(species)
    generated, reference = fresh.take(np.arange(200)), fresh.take(np.arange(200, 400))
    rng = np.random.default_rng(4)
    memoriser = SequenceSet(np.concatenate([copy(train.codes[:60], rng) for copy in copies]))
    real, repeated = score(generated, reference, train), score(memoriser, reference, train)
    assert real.value > 0.97
    assert real.parts["reference"].value > 0.97
    assert real.parts["excess-copies"].ci_low <= 0 <= real.parts["excess-copies"].ci_high
    assert repeated.value < 0.01
    assert repeated.parts["excess-copies"].ci_low > 0.9


@pytest.mark.parametrize("species", ["hs", "pf"])
def test_the_further_a_copy_is_from_the_training_set_the_more_novel(species, score, unrelated_promoters, substituted):
    train, reference = unrelated_promoters(species)
    rng = np.random.default_rng(5)
    rates = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
    results = [score(SequenceSet(substituted(train.codes[:200], rate, rng)), reference, train) for rate in rates]
    values = [result.value for result in results]
    identity = [result.parts["identity"].value for result in results]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] == 1
    assert identity == sorted(identity, reverse=True)
    assert identity[:4] == pytest.approx([1, 0.99, 0.97, 0.9], abs=0.01)
    assert results[0].parts["exact"].value == 1
    assert results[2].parts["exact"].value < 0.02
