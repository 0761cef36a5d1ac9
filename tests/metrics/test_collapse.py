"""A generator that repeats one sequence gets a finite, large score from every metric on features."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import UserError
from dnabench_metrics.distances.frechet import FrechetDistance
from dnabench_metrics.distances.mmd import MaximumMeanDiscrepancy
from dnabench_metrics.distances.swd import SlicedWasserstein
from dnabench_metrics.records.distances import FredOptions, MMDOptions, SWDOptions

METRICS = {
    "fred": FrechetDistance(FredOptions()),
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
def test_a_reference_that_does_not_vary_is_refused(name, score_features):
    varied = np.random.default_rng(1).standard_normal((100, 4))
    with pytest.raises(UserError, match=f"{name}: the 100 reference sequences all have the same embedding by toy"):
        score_features(METRICS[name], generated=varied, reference=np.ones((100, 4)))
