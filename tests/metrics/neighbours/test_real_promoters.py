"""What the metrics on neighbours make of real promoters that are more and more mutated, on 4-mer frequencies."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dnabench_metrics.kmer import KmerFrequencies
from dnabench_metrics.records.neighbours import metrics

if TYPE_CHECKING:
    from dnabench import SequenceSet

RATES = (0, 0.01, 0.03, 0.1, 0.3, 1.0)
N = 1500


@pytest.fixture(scope="module")
def thirds(real_promoters) -> tuple[SequenceSet, SequenceSet, SequenceSet]:
    """Training, reference and held-out promoters, ``N`` each."""
    sequences = real_promoters("hs")
    rows = np.random.default_rng(3).permutation(len(sequences))[: 3 * N]
    return tuple(sequences.take(part) for part in np.split(rows, 3))


@pytest.fixture
def score(thirds, make_context):
    train, reference, _ = thirds
    embedder = KmerFrequencies()
    context = make_context(
        embedder="kmer", train=train, embed_with=lambda name, sequences: embedder.embed(sequences, context=context)
    )

    def run(name: str, generated: SequenceSet, against: SequenceSet = reference):
        record = next(record for record in metrics() if record.name == name)
        module, _, cls = record.target.partition(":")
        metric = getattr(import_module(module), cls)(record.options())
        return metric.score(generated=generated, reference=against, context=context)

    return run


@pytest.mark.parametrize("name", ["precision", "recall", "density", "coverage"])
def test_mutants_of_held_out_promoters_score_lower_the_more_they_are_mutated(name, thirds, mutated, score):
    scores = [score(name, mutated(thirds[2], rate)) for rate in RATES]
    values = [result.value for result in scores]
    # A few substitutions move 4-mer frequencies by less than the intervals tell.
    assert max(values[:4]) <= scores[0].ci_high
    assert values[3] > values[4] > values[5]
    assert scores[4].ci_high < scores[0].ci_low
    assert scores[5].ci_high < scores[4].ci_low


@pytest.mark.parametrize("name", ["recall", "coverage"])
def test_what_is_no_longer_reached_shows_from_10_percent_on(name, thirds, mutated, score):
    assert score(name, mutated(thirds[2], 0.1)).ci_high < score(name, thirds[2]).value


def test_mutants_of_training_promoters_are_the_more_authentic_the_more_they_are_mutated(thirds, mutated, score):
    train, _, held_out = thirds
    values = [score("authenticity", mutated(train, rate)).value for rate in RATES]
    assert values[0] == 0
    assert values == sorted(values)
    passing = score("authenticity", held_out)
    assert passing.ci_low < passing.parts["reference"].value < passing.ci_high
    assert values[3] < passing.ci_low / 5
    assert values[5] > passing.ci_high


@pytest.mark.parametrize("name", ["precision", "recall", "density", "coverage", "authenticity"])
def test_the_order_of_the_sets_does_not_show(name, thirds, score):
    _, reference, held_out = thirds
    rng = np.random.default_rng(4)
    plain = score(name, held_out)
    other = score(name, held_out.take(rng.permutation(N)), reference.take(rng.permutation(N)))
    assert (plain.value, plain.ci_low, plain.ci_high) == (other.value, other.ci_low, other.ci_high)
