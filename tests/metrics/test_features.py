"""What the feature metrics ask of embedders and sets before they compute."""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet, UserError
from dnabench_metrics.features import embed_both, standard_error

TEN = SequenceSet(np.zeros((10, 12), np.uint8))


def test_both_sides_come_back_in_float64_and_in_their_places(make_context):
    def embed(name, sequences):
        return np.arange(3 * len(sequences), dtype=np.float32).reshape(-1, 3)

    context = make_context(embedder="toy", embed_with=embed)
    generated, reference = embed_both(TEN.take(np.arange(4)), TEN, context, metric="fred")
    assert generated.dtype == reference.dtype == np.float64
    np.testing.assert_array_equal(generated, np.arange(12).reshape(4, 3))
    np.testing.assert_array_equal(reference, np.arange(30).reshape(10, 3))


def test_a_context_without_an_embedder_is_refused(make_context):
    with pytest.raises(ValueError, match="swd works on embeddings, but the context names no embedder"):
        embed_both(TEN, TEN, make_context(), metric="swd")


def test_a_side_of_one_sequence_is_refused(make_context):
    context = make_context(embedder="toy", embed_with=lambda name, sequences: np.zeros((len(sequences), 2)))
    with pytest.raises(UserError, match="mmd: 1 reference sequences; it needs at least 2"):
        embed_both(TEN, TEN.take(np.array([3])), context, metric="mmd")


def test_an_embedder_that_answers_with_the_wrong_shape_is_named(make_context):
    for shape in ((9, 2), (10,)):
        context = make_context(embedder="toy", embed_with=lambda name, sequences, shape=shape: np.zeros(shape))
        with pytest.raises(ValueError, match="embedder toy answered with shape"):
            embed_both(TEN, TEN, context, metric="fred")
    context = make_context(embedder="toy", embed_with=lambda name, s: np.zeros((len(s), len(s))))
    with pytest.raises(ValueError, match="answered with 4 and 10 dimensions"):
        embed_both(TEN.take(np.arange(4)), TEN, context, metric="fred")


def test_the_standard_error_of_a_difference_of_means_is_the_textbook_one():
    x, y = np.array([1.0, 2, 3, 4]), np.array([0.0, 10])
    assert standard_error(x, y) == pytest.approx(np.sqrt((5 / 3) / 4 + 50 / 2))
