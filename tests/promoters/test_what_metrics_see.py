"""The perfect generator stands on every metric's floor, and each fault off the floor of those that can see it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from dnabench import Context
from dnabench_metrics.calibration.bench import Bench
from dnabench_promoters.nll import TrueLikelihood
from dnabench_promoters.options import BrokenOptions, SimulatorOptions
from dnabench_promoters.simulator import PromoterSimulator
from dnabench_promoters.truth import BrokenTruth, Truth

pytestmark = pytest.mark.slow  # some 50 s, most of it embedding

N = 2000
PAIRS = 8  # of a sample and a reference of its own: what the floors rest on, and the perfect generator
FAULTY_PAIRS = 3
METRICS = (
    *("fred", "swd", "mmd", "coverage", "kmer-js"),
    *("motif-kl", "motif-profile", "motif-spacing", "motif-frequency", "sim-nll"),
)
# Fault -> the metrics that see it, and those to which it looks like the truth. The others are in between: with pairs
# drawn from ten of each, three of the fault and eight of the floor, their heights came out on either side of 1.
# Duplicates show wherever a value depends on how many sequences there are, and in no mean.
SEEN = {
    "no-tata": (
        {"fred", "swd", "mmd", "coverage", "motif-kl", "motif-profile", "motif-spacing", "motif-frequency", "sim-nll"},
        set(),
    ),
    "tata-shift": (
        {"fred", "mmd", "motif-kl", "motif-profile", "motif-spacing", "sim-nll"},
        {"kmer-js", "motif-frequency"},
    ),
    "spacing": ({"motif-spacing", "sim-nll"}, {"kmer-js", "motif-frequency"}),
    "no-cpg": (
        {"fred", "swd", "mmd", "coverage", "kmer-js", "motif-kl", "motif-frequency", "sim-nll"},
        {"motif-spacing"},
    ),
    "no-species": ({"mmd", "kmer-js"}, {"motif-profile"}),
    "half-diversity": ({"coverage", "kmer-js", "motif-kl", "motif-spacing"}, {"sim-nll"}),
}


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """A function: the scores of PAIRS samples, each against its own reference, by metric; higher is worse in all."""
    bench, likelihood = Bench(), TrueLikelihood()
    scratch = tmp_path_factory.mktemp("scores")

    def context(seed):
        return Context(length=256, scratch=scratch, seed=seed)

    def real(seed):
        return PromoterSimulator(SimulatorOptions(n=N, seed=seed)).load(context=context(0))

    def value(metric, sample, reference):
        if metric == "sim-nll":
            return likelihood.score(generated=sample, reference=reference, context=context(0)).value
        score = bench.score(metric, generated=sample, reference=reference)
        return score.value if bench.metrics[metric].direction == "lower" else -score.value

    references = [real(seed) for seed in range(PAIRS)]

    def scores(generator=None, pairs=PAIRS):
        samples = [
            generator.sample(N, context=context(pair)) if generator else real(100 + pair) for pair in range(pairs)
        ]
        return {
            metric: np.array([value(metric, *pair) for pair in zip(samples, references, strict=False)])
            for metric in METRICS
        }

    return scores


@pytest.fixture(scope="module")
def floors(scores):
    """Metric -> its values between two sets of the data."""
    return scores()


def height(values, floor):
    """How far the mean of ``values`` lies from the floor's: 1 is the end of a 99 % prediction interval."""
    error = floor.std(ddof=1) * (1 / len(values) + 1 / len(floor)) ** 0.5
    return (values.mean() - floor.mean()) / (error * t.ppf(0.995, len(floor) - 1))


def test_the_truth_stands_on_the_floor(scores, floors):
    for name, values in scores(Truth()).items():
        assert abs(height(values, floors[name])) < 1, name


@pytest.mark.parametrize("what", SEEN)
def test_who_sees_a_fault(what, scores, floors):
    measured = scores(BrokenTruth(BrokenOptions(what)), pairs=FAULTY_PAIRS)
    seen, unseen = SEEN[what]
    for name in seen:
        assert height(measured[name], floors[name]) > 1, name
    for name in unseen:
        assert abs(height(measured[name], floors[name])) < 1, name
