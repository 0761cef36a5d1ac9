"""What the tests of the LSTM share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from dnabench_lstm.model import Lstm
from dnabench_lstm.options import LstmOptions

if TYPE_CHECKING:
    from dnabench import SequenceSet

TINY = {"hidden": 12, "embedding": 8, "steps": 12, "batch_size": 8}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def fitted(make_context):
    """``fitted(train, **options)``: a model that was trained on ``train``, tiny unless the options say otherwise."""

    def fit(train: SequenceSet, seed: int = 1, **options) -> Lstm:
        model = Lstm(LstmOptions(**{**TINY, **options}))
        model.fit(train, context=make_context(length=train.length, seed=seed))
        return model

    return fit
