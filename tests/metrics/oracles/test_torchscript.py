"""Models of the user's own: what they are handed, and every way in which they can be wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dnabench import SequenceSet, UserError
from dnabench_metrics.oracles.inference import predict
from dnabench_metrics.oracles.torchscript import load_torchscript


class Flat(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=(1, 2))


class Whole(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, 0].long()


class Pair(nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x[:, :, 0], x[:, :, 1]


class OnlyTen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(40, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense(x.flatten(1))


class Asserts(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape[2] == 10, "10 bp wanted"
        return x.mean(2)


class Raises(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[2] != 10:
            raise ValueError("10 bp wanted")
        return x.mean(2)


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(x.mean(2))


class NeedsA(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shares = x.mean(2)
        return shares / shares[:, :1]


def test_it_is_handed_one_hot_bases_in_the_order_acgt_and_unknown_ones_in_quarters(base_shares, make_context):
    network = load_torchscript(base_shares, sha256="", plugin="oracle")
    sequences = SequenceSet.from_strings(["AAAC", "GGTT", "ANNN"])
    found = predict(network, sequences, strands="forward", context=make_context())
    np.testing.assert_allclose(
        found, [[0.75, 0.25, 0, 0], [0, 0, 0.5, 0.5], [0.4375, 0.1875, 0.1875, 0.1875]], atol=1e-7
    )


def test_a_model_saved_in_training_mode_is_put_in_evaluation_mode(script, make_context):
    network = load_torchscript(script(Noisy().train()), sha256="", plugin="oracle")
    sequences = SequenceSet.from_strings(["AACC"] * 20)
    found = predict(network, sequences, strands="forward", context=make_context())
    np.testing.assert_allclose(found, [[0.5, 0.5, 0, 0]] * 20, atol=1e-7)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            Flat(),
            r"answers with shape \(64,\), torch.float32, for 64 sequences; it must be floating-point \(64, tracks\)",
        ),
        (Whole(), r"answers with shape \(64, 4\), torch.int64"),
        (Pair(), "answers with a tuple, not with a tensor"),
        (OnlyTen(), r"fails on an input of shape \(64, 4, 12\)"),
        (Asserts(), r"fails on an input of shape \(64, 4, 12\): .*10 bp wanted"),
        (Raises(), r"fails on an input of shape \(64, 4, 12\): .*10 bp wanted"),
        (NeedsA(), "the prediction for sequence seq2 is not finite"),
    ],
)
def test_a_wrong_answer_is_refused(module, message, script, make_context):
    path = script(module)
    network = load_torchscript(path, sha256="", plugin="oracle")
    sequences = SequenceSet.from_strings(["ACGT" * 3, "CCGT" * 3])
    with pytest.raises(UserError, match=message) as refusal:
        predict(network, sequences, strands="forward", context=make_context())
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_no_torchscript_is_refused(tmp_path):
    text = tmp_path / "text.ts"
    text.write_text("not a model")
    tensors = tmp_path / "tensors.pt"
    torch.save({"weight": torch.ones(3)}, tensors)
    for path in (text, tensors):
        with pytest.raises(UserError, match="not a TorchScript file"):
            load_torchscript(path, sha256="", plugin="oracle")
    with pytest.raises(UserError, match=r"option oracle.model: .*nowhere.ts is not a file"):
        load_torchscript(tmp_path / "nowhere.ts", sha256="", plugin="oracle")


def test_another_sha256_is_refused(base_shares):
    with pytest.raises(UserError, match=rf"sha256 is [0-9a-f]{{64}}; option oracle.sha256 expects {'0' * 64}"):
        load_torchscript(base_shares, sha256="0" * 64, plugin="oracle")
