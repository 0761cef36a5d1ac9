"""The perfect generator stands on every metric's floor, and each fault off the floor of those that can see it."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import Context
from dnabench_metrics.ae.embedder import Autoencoder
from dnabench_metrics.frechet import FrechetDistance
from dnabench_metrics.mmd import MaximumMeanDiscrepancy
from dnabench_metrics.motifs.divergence import MotifKL
from dnabench_metrics.options import MMDOptions, MotifKLOptions, SWDOptions
from dnabench_metrics.swd import SlicedWasserstein
from dnabench_promoters.nll import TrueLikelihood
from dnabench_promoters.options import BrokenOptions, SimulatorOptions
from dnabench_promoters.simulator import PromoterSimulator
from dnabench_promoters.truth import BrokenTruth, Truth

pytestmark = pytest.mark.slow  # some 25 s, most of it embedding

N = 2000
PAIRS = 4
METRICS = {
    "fred": FrechetDistance(),
    "swd": SlicedWasserstein(SWDOptions()),
    "mmd": MaximumMeanDiscrepancy(MMDOptions()),
    "motif-kl": MotifKL(MotifKLOptions()),
    "sim-nll": TrueLikelihood(),
}
# Fault -> the metrics whose mean over ten draws of this size lay four or more standard deviations above their floor.
# Neither a displaced TATA-box nor a missing one moves the embedding as far as that; duplicates show wherever a value
# depends on how many sequences there are.
SEEN = {
    "no-tata": ("motif-kl", "sim-nll"),
    "tata-shift": ("motif-kl", "sim-nll"),
    "spacing": ("sim-nll",),
    "no-cpg": ("fred", "swd", "mmd", "motif-kl", "sim-nll"),
    "no-species": ("fred", "swd", "mmd"),
    "half-diversity": ("fred", "swd", "mmd", "motif-kl"),
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
    return scores()


def test_the_truth_stands_on_the_floor(scores, floors):
    for name, values in scores(Truth()).items():
        spread = floors[name].std(ddof=1)
        assert floors[name].min() - spread < values.mean() < floors[name].max() + spread, name


@pytest.mark.parametrize("what", SEEN)
def test_a_fault_is_off_the_floor(what, scores, floors):
    measured = scores(BrokenTruth(BrokenOptions(what)), pairs=2)
    for name in SEEN[what]:
        assert measured[name].mean() > floors[name].max() + floors[name].std(ddof=1), name
