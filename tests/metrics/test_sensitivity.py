"""What the metrics see in 2,000 human promoters: known damage, stand-ins for generators, memorised sequences."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.calibration.bench import Bench
from dnabench_metrics.calibration.sights import Band, floor
from dnabench_metrics.stand_ins import dinucleotide_shuffle, markov, mutated, per_position

pytestmark = pytest.mark.slow  # some 40 s: floors of 8 pairs for each metric, most of it c2st

N, DRAWS = 2000, 8
RATES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
STAND_INS = ("dinucleotide shuffle", "Markov chain, order 5", "per-position frequencies")


@pytest.fixture(scope="module")
def human(real_promoters) -> np.ndarray:
    """Codes of all human promoters, in random order: a reference, what is damaged, training sequences, and more."""
    codes = real_promoters("hs").codes
    return codes[np.random.default_rng(0).permutation(len(codes))]


@pytest.fixture(scope="module")
def bench(human) -> Bench:
    return Bench(SequenceSet(human[2 * N : 4 * N]))


@pytest.fixture(scope="module")
def band_of(bench, human):
    """A function: the metric's 95 % band between real sets, from pairs drawn from all but the training sequences."""
    pool, bands = SequenceSet(np.concatenate([human[: 2 * N], human[4 * N :]])), {}

    def band(metric: str) -> Band:
        if metric not in bands:
            bands[metric] = floor(bench, metric, pool, n=N, draws=DRAWS, rng=np.random.default_rng(1))
        return bands[metric]

    return band


@pytest.fixture(scope="module")
def height(bench, band_of, human):
    """A function: how far a metric puts sequences from real ones, in half-widths of its band; above 1 is worse."""

    def measure(metric: str, codes: np.ndarray) -> float:
        value = bench.score(metric, generated=SequenceSet(codes), reference=SequenceSet(human[:N])).value
        return band_of(metric).height(value) * (1 if bench.metrics[metric].direction == "lower" else -1)

    return measure


@pytest.fixture(scope="module")
def mutants(human) -> dict[float, np.ndarray]:
    """Promoters with a share of their bases substituted; what is substituted in one is in all that follow."""
    real, draws = human[N : 2 * N], np.random.default_rng(2).random((N, human.shape[1]))
    changed = mutated(real, 1.0, np.random.default_rng(3))
    return {rate: np.where(draws < rate, changed, real) for rate in RATES}


@pytest.fixture(scope="module")
def stand_ins(human) -> dict[str, np.ndarray]:
    rng, real, fitted = np.random.default_rng(4), human[N : 2 * N], human[4 * N :]
    made = (
        np.stack([dinucleotide_shuffle(row, rng) for row in real]),
        markov(fitted, 5, real.shape, rng),
        per_position(fitted, real.shape, rng),
    )
    return dict(zip(STAND_INS, made, strict=True))


def test_fred_sees_three_substitutions_in_a_hundred(height, mutants):
    assert abs(height("fred", mutants[0.0])) < 1
    assert height("fred", mutants[0.03]) > 2


@pytest.mark.parametrize("stand_in", STAND_INS)
@pytest.mark.parametrize("metric", ["fred", "motif-profile", "c2st"])
def test_what_only_looks_like_promoters_is_seen(metric, stand_in, height, stand_ins):
    assert height(metric, stand_ins[stand_in]) > 3


@pytest.mark.parametrize("metric", ["fred", "swd", "mmd", "kmer-js", "c2st", "motif-profile"])
def test_more_substitutions_score_worse(metric, height, mutants):
    heights = [height(metric, codes) for codes in mutants.values()]
    # Two values that only noise tells apart differ by less than twice the half-width of the band.
    assert np.diff(heights).min() > -1
    assert abs(heights[0]) < 1.5
    assert heights[4] > max(2, *heights[:4])


@pytest.mark.parametrize("metric", ["novelty", "authenticity"])
def test_training_sequences_given_again_are_seen_and_fresh_ones_pass(metric, bench, height, human):
    train = human[2 * N : 4 * N][np.random.default_rng(5).permutation(2 * N)[:N]]
    assert height(metric, train) > 10
    assert height(metric, mutated(train, 0.05, np.random.default_rng(6))) > 10
    score = bench.score(metric, generated=SequenceSet(human[N : 2 * N]), reference=SequenceSet(human[:N]))
    assert abs(height(metric, human[N : 2 * N])) < 1.5
    fresh = score.parts["reference"]
    assert max(score.ci_low, fresh.ci_low) < min(score.ci_high, fresh.ci_high)


@pytest.mark.parametrize("metric", ["fred", "swd", "mmd", "c2st", "motif-profile"])
def test_other_metrics_take_training_sequences_given_again_for_real_ones(metric, height, human):
    assert height(metric, human[2 * N : 3 * N]) < 1.5
