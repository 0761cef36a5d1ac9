"""How long the classifier two-sample test takes beside doing the same with scikit-learn alone, on one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from dnabench import Context, SequenceSet
from dnabench_metrics.classifier.auroc import auroc_estimate
from dnabench_metrics.classifier.c2st import ClassifierTwoSampleTest
from dnabench_metrics.records.classifier import C2STOptions

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def _one_thread():
    with threadpool_limits(limits=1):
        yield


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time, which a neighbour on the machine changes least."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def report(what: str, ours: float, other: float, beside: str) -> None:
    print(f"\n{what}: {ours:.3f} s; {beside}: {other:.3f} s; ratio {ours / other:.2f}")


def test_delongs_standard_error_beside_all_pairs():
    rng = np.random.default_rng(0)
    generated, reference = rng.normal(0.2, 1, 7_500), rng.normal(0, 1, 7_500)

    def all_pairs() -> float:
        kernel = (generated[:, None] > reference) + 0.5 * (generated[:, None] == reference)
        return float(np.sqrt((kernel.mean(1).var(ddof=1) + kernel.mean(0).var(ddof=1)) / 7_500))

    ours, estimate = timed(lambda: auroc_estimate(generated=generated, reference=reference))
    other, expected = timed(all_pairs)
    assert estimate.standard_error == pytest.approx(expected, rel=1e-9)
    report("AUROC and DeLong's standard error, 7,500 a side", ours, other, "all pairs in NumPy")


def test_the_whole_beside_scikit_learn_with_its_defaults(tmp_path: Path):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    generated = SequenceSet(rng.choice(4, (20_000, 256), p=[0.255, 0.25, 0.25, 0.245]).astype(np.uint8))
    reference = SequenceSet(rng.integers(0, 4, (20_000, 256), dtype=np.uint8))
    metric, context = ClassifierTwoSampleTest(C2STOptions()), Context(length=256, scratch=tmp_path)

    def with_scikit_learn() -> float:
        texts = [*generated.strings()[:10_000], *reference.strings()[:10_000]]
        counts = CountVectorizer(analyzer="char", ngram_range=(1, 4), lowercase=False).fit_transform(texts)
        labels = np.arange(20_000) < 10_000
        training = np.arange(20_000) % 10_000 < 2_500
        trees = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
        trees.fit(counts[training].toarray(), labels[training])
        return float(roc_auc_score(labels[~training], trees.decision_function(counts[~training].toarray())))

    metric.score(generated=generated.take(np.arange(60)), reference=reference.take(np.arange(60)), context=context)
    ours, score = timed(lambda: metric.score(generated=generated, reference=reference, context=context))
    other, expected = timed(with_scikit_learn)
    assert score.value == pytest.approx(expected, abs=0.03)
    report("c2st, 20,000 x 256 bp a side, with places", ours, other, "scikit-learn on k-mers of 10,000 a side")
