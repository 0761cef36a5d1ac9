"""Feature metrics without the engine: sets whose sequences stand for rows of a given feature matrix; promoters."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dnabench import Context, Score, SequenceSet
from dnabench_promoters.options import SimulatorOptions
from dnabench_promoters.simulator import PromoterSimulator


def numbered_sequences(n: int, *, offset: int = 0) -> SequenceSet:
    """``n`` distinct sequences of 12 bp that spell the numbers from ``offset`` on in base 4."""
    numbers = np.arange(offset, offset + n)
    return SequenceSet(((numbers[:, None] >> (2 * np.arange(11, -1, -1))) & 3).astype(np.uint8))


@pytest.fixture
def score_features(make_context: Callable[..., Context]) -> Callable[..., Score]:
    """Score two feature matrices with a metric: ``score_features(metric, generated=X, reference=Y)``."""

    def score(metric, *, generated: np.ndarray, reference: np.ndarray) -> Score:
        rows = np.concatenate([generated, reference])

        def embed(name: str, sequences: SequenceSet) -> np.ndarray:
            assert name == "toy"
            return rows[sequences.codes.astype(int) @ 4 ** np.arange(11, -1, -1)]

        return metric.score(
            generated=numbered_sequences(len(generated)),
            reference=numbered_sequences(len(reference), offset=len(generated)),
            context=make_context(embedder="toy", embed_with=embed, length=12),
        )

    return score


@pytest.fixture(scope="session")
def simulated_promoters(tmp_path_factory: pytest.TempPathFactory) -> SequenceSet:
    """4,000 promoters of the embedded simulator, 256 bp."""
    context = Context(length=256, scratch=tmp_path_factory.mktemp("simulator"))
    return PromoterSimulator(SimulatorOptions(n=4000, seed=11)).load(context=context)


@pytest.fixture(params=["simulated", "hs"])
def promoters(request: pytest.FixtureRequest) -> SequenceSet:
    """Simulated promoters and, where real ones are at hand, human ones; in random order."""
    if request.param == "simulated":
        return request.getfixturevalue("simulated_promoters")
    real = request.getfixturevalue("real_promoters")(request.param)
    return real.take(np.random.default_rng(2).permutation(len(real)))
