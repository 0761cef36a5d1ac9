"""Windows, padding, strands and batches, with networks whose answers can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dnabench import SequenceSet, UserError
from dnabench_metrics.oracles.inference import Network, fit, predict


class FirstBases(nn.Module):
    """The one-hot rows of the first and of the last base read: 8 outputs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, :, 0], x[:, :, -1]], dim=1)


class Failing(nn.Module):
    """NaN for what begins with T."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(x[:, 3, :1] == 1, torch.nan, 1.0)


def network(module: nn.Module, batch: int = 4, **attributes) -> Network:
    return Network("toy", module, "0" * 64, batch, **attributes)


def test_both_strands_are_the_mean_with_the_reverse_complement(make_context):
    sequences = SequenceSet.from_strings(["AACG"])  # its reverse complement is CGTT
    answer = predict(network(FirstBases()), sequences, strands="both", context=make_context())
    assert answer.tolist() == [[0.5, 0.5, 0, 0, 0, 0, 0.5, 0.5]]
    forward = predict(network(FirstBases()), sequences, strands="forward", context=make_context())
    assert forward.tolist() == [[1, 0, 0, 0, 0, 0, 1, 0]]


@pytest.mark.parametrize(
    ("text", "length", "window", "first_and_last"),
    [
        ("ACGTA", 3, None, "CT"),
        ("ACGTAC", 3, None, "CT"),  # of three too many one goes on the left
        ("ACGTA", 3, 2, "GA"),
        ("ACG", 3, 0, "AG"),
        ("ACG", 3, None, "AG"),
        ("AC", 4, None, "NN"),
        ("AC", 3, None, "AN"),  # of one too few none comes on the left
        ("ANA", 1, None, "NN"),
    ],
)
def test_what_is_read_of_longer_and_shorter_sequences(text, length, window, first_and_last, make_context):
    sequences = SequenceSet.from_strings([text])
    toy = network(FirstBases(), length=length, window=window)
    expected = [
        share for base in first_and_last for share in ([0.25] * 4 if base == "N" else np.eye(4)["ACGT".index(base)])
    ]
    assert predict(toy, sequences, strands="forward", context=make_context()).tolist() == [expected]


def test_a_thousand_bases_get_1536_unknown_ones_on_either_side_for_4096():
    read = fit(torch.ones(1, 4, 1024), 4096, None)
    assert read.shape == (1, 4, 4096)
    assert (read == 1).all(1)[0].nonzero().ravel()[[0, -1]].tolist() == [1536, 2559]
    assert set(read.unique().tolist()) == {0.25, 1.0}


def test_a_window_that_does_not_fit_is_refused(make_context):
    sequences = SequenceSet.from_strings(["ACGTA"])
    with pytest.raises(UserError, match="a window of 3 bp that starts at index 3 does not fit in sequences of 5 bp"):
        predict(network(FirstBases(), length=3, window=3), sequences, strands="forward", context=make_context())


@pytest.mark.parametrize("n", [0, 1, 4, 9])
def test_batches_do_not_show(n, make_context):
    codes = np.random.default_rng(n).integers(0, 4, (n, 6)).astype(np.uint8)
    toy = network(FirstBases())
    answer = predict(toy, SequenceSet(codes), strands="forward", context=make_context())
    assert answer.dtype == np.float32
    expected = np.eye(4)[codes[:, [0, -1]]].reshape(n, 8)
    assert answer.tolist() == expected.tolist()


def test_every_forward_pass_has_the_same_rows(make_context):
    seen = []

    class Counting(FirstBases):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x.shape)
            return super().forward(x)

    codes = np.zeros((9, 6), np.uint8)
    predict(network(Counting()), SequenceSet(codes), strands="forward", context=make_context())
    assert seen == [(4, 4, 6)] * 3


def test_an_answer_that_is_not_finite_names_the_sequence(make_context):
    sequences = SequenceSet(np.array([[0, 1]] * 6 + [[3, 1]], np.uint8), names=[f"promoter{i}" for i in range(7)])
    with pytest.raises(UserError, match="toy: the prediction for sequence promoter6 is not finite"):
        predict(network(Failing()), sequences, strands="forward", context=make_context())
