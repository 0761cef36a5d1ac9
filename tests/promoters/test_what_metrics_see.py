"""The perfect generator stands on every metric's floor, and each fault off the floor of those that can see it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from dnabench import Context
from dnabench_metrics.ae.embedder import Autoencoder
from dnabench_metrics.distances.frechet import FrechetDistance
from dnabench_metrics.distances.mmd import MaximumMeanDiscrepancy
from dnabench_metrics.distances.swd import SlicedWasserstein
from dnabench_metrics.motifs.divergence import MotifKL
from dnabench_metrics.records.distances import FredOptions, MMDOptions, SWDOptions
from dnabench_metrics.records.motifs import MotifKLOptions
from dnabench_promoters.nll import TrueLikelihood
from dnabench_promoters.options import BrokenOptions, SimulatorOptions
from dnabench_promoters.simulator import PromoterSimulator
from dnabench_promoters.truth import BrokenTruth, Truth

pytestmark = pytest.mark.slow  # some 40 s, most of it embedding

N = 2000
PAIRS = 8  # of a sample and a reference of its own: what the floors rest on, and the perfect generator
FAULTY_PAIRS = 3
METRICS = {
    "fred": FrechetDistance(FredOptions()),
    "swd": SlicedWasserstein(SWDOptions()),
    "mmd": MaximumMeanDiscrepancy(MMDOptions()),
    "motif-kl": MotifKL(MotifKLOptions()),
    "sim-nll": TrueLikelihood(),
}
# Fault -> the metrics that see it, and those to which it looks like the truth. The others are in between: over twenty
# pairs the mean lay one to three standard deviations above the floor's, so that one run may or may not tell.
# Duplicates show wherever a value depends on how many sequences there are, and in no mean.
SEEN = {
    "no-tata": ({"motif-kl", "sim-nll"}, set()),
    "tata-shift": ({"motif-kl", "sim-nll"}, {"fred", "swd", "mmd"}),
    "spacing": ({"sim-nll"}, {"fred", "swd", "mmd"}),
    "no-cpg": ({"fred", "swd", "mmd", "motif-kl", "sim-nll"}, set()),
    "no-species": ({"fred", "swd", "mmd"}, set()),
    "half-diversity": ({"fred", "swd", "mmd", "motif-kl"}, {"sim-nll"}),
}


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """A function: the scores of PAIRS samples, each against its own reference, by metric."""
    embedder, embedded = Autoencoder(), {}
    scratch = tmp_path_factory.mktemp("scores")

    def embed(name, sequences):
        if sequences.digest not in embedded:
            embedded[sequences.digest] = embedder.embed(sequences, context=context(0))
        return embedded[sequences.digest]

    def context(seed):
        return Context(length=256, scratch=scratch, seed=seed, embedder="ae", embed_with=embed)

    def real(seed):
        return PromoterSimulator(SimulatorOptions(n=N, seed=seed)).load(context=context(0))

    references = [real(seed) for seed in range(PAIRS)]

    def scores(generator=None, pairs=PAIRS):
        samples = [
            generator.sample(N, context=context(pair)) if generator else real(100 + pair) for pair in range(pairs)
        ]
        return {
            name: np.array(
                [
                    metric.score(generated=sample, reference=reference, context=context(0)).value
                    for sample, reference in zip(samples, references, strict=False)
                ]
            )
            for name, metric in METRICS.items()
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
