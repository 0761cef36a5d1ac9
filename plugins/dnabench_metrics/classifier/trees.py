"""Gradient-boosted trees on words and places."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from dnabench_metrics.classifier.words import ROWS, Sample, places, separation

#: Columns of places that are kept: those whose means differ most over the training part.
PLACES = 128


def tree_scores(training: Sample, held_out: Sample) -> np.ndarray:
    """The log-odds that each held-out sequence is a generated one: float64, shape ``(n,)``."""
    positional = places(training.codes)
    kept = np.sort(np.argsort(-np.abs(separation(positional, training.generated)), kind="stable")[:PLACES])
    trees = HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=8, max_bins=32, l2_regularization=1.0, early_stopping=False, random_state=0
    )
    # The sum over all rows is the only one whose order depends on the threads, and one thread is as fast at this size.
    with threadpool_limits(limits=1, user_api="openmp"):
        trees.fit(np.concatenate([training.counts, positional[:, kept]], axis=1), training.generated)
        scores = [
            trees.decision_function(
                np.concatenate(
                    [held_out.counts[top : top + ROWS], places(held_out.codes[top : top + ROWS])[:, kept]], 1
                )
            )
            for top in range(0, len(held_out.codes), ROWS)
        ]
    return np.concatenate(scores)
