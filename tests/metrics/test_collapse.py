"""A generator that repeats one sequence gets a finite, large score from every metric on features."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dnabench_metrics.distances.frechet import FrechetDistance
from dnabench_metrics.distances.mmd import MaximumMeanDiscrepancy
from dnabench_metrics.distances.swd import SlicedWasserstein
from dnabench_metrics.records.distances import MMDOptions, SWDOptions

METRICS = {
    "fred": FrechetDistance(),
    "swd": SlicedWasserstein(SWDOptions()),
    "mmd": MaximumMeanDiscrepancy(MMDOptions()),
}


@pytest.mark.parametrize("name", METRICS)
def test_a_collapsed_generator_scores_worse_than_a_varied_one(name, score_features):
    rng = np.random.default_rng(0)
    reference, varied = rng.standard_normal((120, 6)), rng.standard_normal((120, 6))
    collapsed = np.zeros((120, 6))
    bad = score_features(METRICS[name], generated=collapsed, reference=reference)
    good = score_features(METRICS[name], generated=varied, reference=reference)
    assert bad.ci_low > good.ci_high


@pytest.mark.parametrize("name", METRICS)
def test_two_collapsed_sets_are_at_zero(name, score_features):
    score = score_features(METRICS[name], generated=np.ones((100, 4)), reference=np.ones((100, 4)))
    assert all(math.isclose(number, 0, abs_tol=1e-9) for number in (score.value, score.ci_low, score.ci_high))
