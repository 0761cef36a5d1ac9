"""What the tests of the sequence metrics share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dnabench import Score, SequenceSet
from dnabench_metrics import stand_ins


@pytest.fixture
def scorer(make_context) -> Callable[..., Callable[..., Score]]:
    """``scorer(metric)(generated, reference)``: codes or sets in, a score out."""
    context = make_context()

    def of(metric) -> Callable[..., Score]:
        def score(generated, reference) -> Score:
            sides = [x if isinstance(x, SequenceSet) else SequenceSet(x) for x in (generated, reference)]
            return metric.score(generated=sides[0], reference=sides[1], context=context)

        return score

    return of


@pytest.fixture
def mutated() -> Callable[[np.ndarray, float], np.ndarray]:
    """Every base becomes another one with probability ``rate``; a higher rate changes all that a lower one does."""

    def mutate(codes: np.ndarray, rate: float) -> np.ndarray:
        drawn = np.random.default_rng(12).random(codes.shape) < rate
        return np.where(drawn, stand_ins.mutated(codes, 1.0, np.random.default_rng(13)), codes)

    return mutate
