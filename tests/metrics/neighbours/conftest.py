"""Metrics on neighbours without an embedder: sequences that stand for the rows of given features; mutants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dnabench import Context, Score, SequenceSet

DIGITS = 4 ** np.arange(11, -1, -1)


@pytest.fixture
def score_sets(make_context: Callable[..., Context]) -> Callable[..., Score]:
    """``score_sets(metric, generated=X, reference=Y, train=Z, orders=(p, q, r))``: rows of X in the order p, ..."""

    def score(metric, *, generated, reference, train=None, orders=None) -> Score:
        features = [np.asarray(side, np.float64) for side in (generated, reference, train) if side is not None]
        features = [side[:, None] if side.ndim == 1 else side for side in features]
        rows = np.concatenate(features)
        starts = np.cumsum([0, *map(len, features)])

        def embed(name: str, sequences: SequenceSet) -> np.ndarray:
            assert name == "toy"
            return rows[sequences.codes.astype(int) @ DIGITS]

        sets = []
        for number, side in enumerate(features):
            order = np.arange(len(side)) if orders is None else orders[number]
            sets.append(SequenceSet((((order + starts[number])[:, None] // DIGITS) % 4).astype(np.uint8)))
        context = make_context(embedder="toy", embed_with=embed, length=12, train=sets[2] if len(sets) > 2 else None)
        return metric.score(generated=sets[0], reference=sets[1], context=context)

    return score


@pytest.fixture(scope="session")
def mutated() -> Callable[[SequenceSet, float], SequenceSet]:
    """``mutated(sequences, rate)``: every base is replaced by another with that probability, nested in the rate."""

    def mutate(sequences: SequenceSet, rate: float) -> SequenceSet:
        rng = np.random.default_rng(17)
        shape = sequences.codes.shape
        hit, step = rng.random(shape) < rate, rng.integers(1, 4, shape)
        return SequenceSet(np.where(hit, (sequences.codes + step) % 4, sequences.codes).astype(np.uint8))

    return mutate
