"""Predictions along sequences, against what can be counted in their windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

from dnabench import SequenceSet, UserError
from dnabench_metrics.oracles.along import MOST_SEQUENCES, predict_along, sequences_along, window_starts
from dnabench_metrics.oracles.inference import Network
from dnabench_metrics.oracles.metric import OracleAgreement
from dnabench_metrics.oracles.mpra_dragonn import load_mpra_dragonn
from dnabench_metrics.oracles.torchscript import load_torchscript
from dnabench_metrics.records.oracles import MPRADragoNNOptions, OracleOptions

from .conftest import random_sequences

WINDOW = 20


class GuanineCytosine(nn.Module):
    """How many G and C a window holds, and whether it begins with A."""

    def __init__(self, length: int | torch.Tensor = WINDOW) -> None:
        super().__init__()
        if isinstance(length, torch.Tensor):
            self.register_buffer("dnabench_length", length)
        else:
            self.dnabench_length = length

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([(x[:, 1] + x[:, 2]).sum(1), x[:, 0, 0]], dim=1)


def counted(sequences: SequenceSet) -> np.ndarray:
    """The same by NumPy, of all windows: shape ``(n, windows, 2)``."""
    windows = sliding_window_view(sequences.codes, WINDOW, axis=1)
    return np.stack([np.isin(windows, (1, 2)).sum(2), windows[:, :, 0] == 0], axis=2).astype(float)


@pytest.mark.parametrize("length", [WINDOW, torch.tensor(WINDOW)])
def test_means_along_the_sequence_are_those_of_numpy(length, script, make_context):
    generated, reference = random_sequences(240, 60, seed=1, gc=0.7), random_sequences(300, 60, seed=2)
    metric = OracleAgreement(OracleOptions(model=f"torchscript:{script(GuanineCytosine(length))}"))
    score = metric.score(generated=generated, reference=reference, context=make_context(length=60))
    starts = np.linspace(0, 40, 12).round().astype(int)
    few = 240 * WINDOW // (2 * 12 * WINDOW)  # half of the bases that are read for the score
    along = score.details[score.details["position"].notna()]
    assert along["view"].unique().tolist() == [
        f"Mean predictions along the sequence ({WINDOW} bp windows, {few} sequences a side)"
    ]
    for track, rows in along.groupby("track"):
        assert rows["position"].tolist() == (starts + WINDOW // 2).tolist()
        for side, sequences in (("generated", generated), ("reference", reference)):
            chosen = sequences.take(np.linspace(0, len(sequences) - 1, few).round().astype(int))
            expected = counted(chosen)[:, starts, int(track)].mean(0)
            np.testing.assert_allclose(rows[side], expected, rtol=1e-6)
    # What is scored is the window in the middle.
    means = score.details[score.details["quantile"].isna() & score.details["position"].isna()]
    np.testing.assert_allclose(means["generated"], counted(generated)[:, 20].mean(0), rtol=1e-6)


def test_with_both_strands_a_window_is_read_from_either_end(script, make_context):
    network = load_torchscript(script(GuanineCytosine()), sha256="", plugin="oracle")
    sequences = random_sequences(9, 60, seed=3)
    starts = window_starts(network, 60)
    found = predict_along(network, sequences, starts, strands="both", context=make_context())
    forward = counted(sequences)[:, starts]
    ends_with_t = sequences.codes[:, starts + WINDOW - 1] == 3
    np.testing.assert_allclose(found[..., 0], forward[..., 0])
    np.testing.assert_allclose(found[..., 1], (forward[..., 1] + ends_with_t) / 2)


@pytest.mark.parametrize("strands", ["forward", "both"])
def test_the_maps_of_the_whole_hold_those_of_its_windows(strands, keras_file, make_context):
    network = load_mpra_dragonn(MPRADragoNNOptions(weights=str(keras_file)), plugin="mpra-dragonn")
    sequences = random_sequences(70, 256, seed=4)
    starts = np.array([0, 7, 111])
    at_once = predict_along(network, sequences, starts, strands=strands, context=make_context())
    singly = predict_along(replace(network, along=None), sequences, starts, strands=strands, context=make_context())
    assert at_once.shape == (70, 3, 12)
    np.testing.assert_allclose(at_once, singly, atol=1e-5)


def test_how_many_windows_and_sequences(keras_file):
    dragonn = load_mpra_dragonn(MPRADragoNNOptions(weights=str(keras_file)), plugin="mpra-dragonn")
    assert window_starts(dragonn, 145).tolist() == []
    assert window_starts(dragonn, 147).tolist() == [0, 1, 2]
    starts = window_starts(dragonn, 256)
    assert (len(starts), starts[0], starts[-1]) == (32, 0, 111)
    anew = Network("toy", nn.Identity(), "", 4, length=145)
    assert len(window_starts(anew, 256)) == 12
    assert window_starts(replace(anew, length=None), 256).tolist() == []
    for n, length in ((10, 256), (500, 256), (2000, 2048), (10**6, 2048)):
        for network, bases in ((dragonn, length), (anew, 12 * 145)):
            few = sequences_along(network, window_starts(network, length), length, n)
            assert 1 <= few <= MOST_SEQUENCES
            assert few == 1 or few * bases <= n * 145 / 2


def test_what_is_for_plots_alone_is_left_out_where_nobody_plots(keras_file, make_context):
    asked = []

    def remember(name, sequences, compute):
        asked.append(name)
        return compute(sequences)

    metric = OracleAgreement(OracleOptions(weights=str(keras_file)))
    sides = {"generated": random_sequences(8, 160, seed=5), "reference": random_sequences(8, 160, seed=6)}
    with_plots = metric.score(**sides, context=make_context(remember_with=remember))
    assert len(asked) == 4
    without = metric.score(**sides, context=make_context(remember_with=remember, for_plots=False))
    assert len(asked) == 6
    assert without.details is None
    assert replace(with_plots, details=None) == without


@pytest.mark.parametrize("length", [0, -5])
def test_a_length_that_is_none_is_refused(length, script):
    with pytest.raises(UserError, match=rf"dnabench_length is {length}; it must be how many bp the model reads"):
        load_torchscript(script(GuanineCytosine(length)), sha256="", plugin="oracle")
