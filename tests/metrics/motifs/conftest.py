"""What the tests of the motif metrics share: real promoters to draw from, stand-ins for generators, plain intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dnabench import Context, Score, SequenceSet
from dnabench_metrics.stand_ins import dinucleotide_shuffle, markov, mutated, per_position


@pytest.fixture(scope="session")
def human(real_promoters) -> np.ndarray:
    """Codes of all human promoters, in random order."""
    codes = real_promoters("hs").codes
    return codes[np.random.default_rng(0).permutation(len(codes))]


@pytest.fixture(scope="session")
def stand_ins(human) -> dict[str, np.ndarray]:
    """2,000 sequences of what is no real DNA, made from promoters 4,000 to 12,000."""
    rng = np.random.default_rng(1)
    fitted, shape = human[4000:12_000], (2000, human.shape[1])
    return {
        "dinucleotide shuffle": np.stack([dinucleotide_shuffle(row, rng) for row in fitted[:2000]]),
        "markov": markov(fitted, 5, shape, rng),
        "per position": per_position(fitted, shape, rng),
    }


@pytest.fixture(scope="session")
def mutants(human) -> dict[float, np.ndarray]:
    """Promoters 2,000 to 4,000 with a share of their bases mutated; what is mutated in one is in all that follow."""
    real, draws = human[2000:4000], np.random.default_rng(2).random((2000, human.shape[1]))
    changed = mutated(real, 1.0, np.random.default_rng(3))
    return {rate: np.where(draws < rate, changed, real) for rate in (0, 0.01, 0.03, 0.1, 0.3, 1)}


@pytest.fixture
def score_codes(make_context: Callable[..., Context]) -> Callable[..., Score]:
    """``score_codes(metric, generated=codes, reference=codes)``."""
    context = make_context()

    def score(metric, *, generated: np.ndarray, reference: np.ndarray) -> Score:
        return metric.score(generated=SequenceSet(generated), reference=SequenceSet(reference), context=context)

    return score


@pytest.fixture
def jackknife(score_codes) -> Callable[..., np.ndarray]:
    """Standard errors of the numbers ``of(score)``, by leaving out every sequence of either side in turn."""

    def errors(
        metric, *, generated: np.ndarray, reference: np.ndarray, of: Callable[[Score], tuple[float, ...]]
    ) -> np.ndarray:
        sides = {"generated": generated, "reference": reference}
        variances = []
        for name, codes in sides.items():
            without = [sides | {name: np.delete(codes, i, axis=0)} for i in range(len(codes))]
            values = np.array([of(score_codes(metric, **some)) for some in without])
            variances.append((len(codes) - 1) * values.var(axis=0))
        return np.sqrt(sum(variances))

    return errors


@pytest.fixture
def replicates(human, score_codes) -> Callable[..., list[Score]]:
    """Scores of draws of 400 generated and 500 real sequences, with replacement, from either population."""

    def scores(metric, population: np.ndarray, *, repeats: int = 40) -> list[Score]:
        rng = np.random.default_rng(4)
        return [
            score_codes(
                metric,
                generated=population[rng.integers(len(population), size=400)],
                reference=human[rng.integers(2000, size=500)],
            )
            for _ in range(repeats)
        ]

    return scores


@pytest.fixture
def coverage() -> Callable[[list[Score]], float]:
    """The share of intervals that hold the replicates' mean."""

    def share(scores: list[Score]) -> float:
        mean = np.mean([score.value for score in scores])
        return float(np.mean([score.ci_low <= mean <= score.ci_high for score in scores]))

    return share
