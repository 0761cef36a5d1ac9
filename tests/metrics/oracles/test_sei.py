"""Sei: published keys and shapes, a forward pass written out layer by layer, its splines, and checkpoints."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.interpolate import splev
from torch.nn import functional as F

from dnabench import UserError
from dnabench_metrics.oracles.inference import predict
from dnabench_metrics.oracles.sei import Sei, SeiTrunk, network_of, spline_basis
from dnabench_metrics.oracles.weights import WeightsFile

from .conftest import random_sequences

#: Layer -> (outputs, inputs, width) of the published convolutions (model/sei.py of FunctionLab/sei-framework).
CONVOLUTIONS = {
    "lconv1.0": (480, 4, 9),
    "lconv1.1": (480, 480, 9),
    "conv1.0": (480, 480, 9),
    "conv1.2": (480, 480, 9),
    "lconv2.2": (640, 480, 9),
    "lconv2.3": (640, 640, 9),
    "conv2.1": (640, 640, 9),
    "conv2.3": (640, 640, 9),
    "lconv3.2": (960, 640, 9),
    "lconv3.3": (960, 960, 9),
    "conv3.1": (960, 960, 9),
    "conv3.3": (960, 960, 9),
    **{f"dconv{i}.1": (960, 960, 5) for i in range(1, 6)},
}
DENSE = {"classifier.0": (21_907, 15_360), "classifier.2": (21_907, 21_907)}
SMALL, TRACKS, LENGTH = (6, 8, 10), 7, 1024  # 64 positions: more than the widest dilation reaches


def published(layers: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape for name, shape in layers.items()} | {
        f"{name}.bias": shape[:1] for name, shape in layers.items()
    }


def shapes_of(module: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def test_keys_and_shapes_are_the_published_ones():
    with torch.device("meta"):
        sei, trunk = Sei(), SeiTrunk()
    assert shapes_of(sei) == published(CONVOLUTIONS | DENSE)
    assert shapes_of(trunk) == published(CONVOLUTIONS)


def test_the_splines_are_the_clamped_ones_of_fitpack():
    inner = np.percentile(np.arange(256), 100 * np.linspace(0, 1, 14)[1:-1])
    knots = np.concatenate([[0.0] * 4, inner, [255.0] * 4])
    basis = spline_basis(256).numpy()
    assert basis.shape == (256, 16)
    for i in range(16):
        np.testing.assert_allclose(basis[:, i], splev(np.arange(256.0), (knots, np.eye(16)[i], 3)), atol=1e-6)
    np.testing.assert_allclose(basis.sum(1), 1, atol=1e-6)


@pytest.fixture
def small() -> Sei:
    """Sei in narrow, with weights that keep activations near 1 from layer to layer."""
    torch.manual_seed(0)
    return Sei(SMALL, tracks=TRACKS, length=LENGTH).eval()


def written_out(x: torch.Tensor, w: dict[str, torch.Tensor]) -> torch.Tensor:
    """The maps before the splines, by the published layers' names."""

    def conv(name: str, x: torch.Tensor, dilation: int = 1) -> torch.Tensor:
        weight = w[f"{name}.weight"]
        return F.conv1d(x, weight, w[f"{name}.bias"], padding=dilation * (weight.shape[2] // 2), dilation=dilation)

    lout1 = conv("lconv1.1", conv("lconv1.0", x))
    out1 = F.relu(conv("conv1.2", F.relu(conv("conv1.0", lout1))))
    lout2 = conv("lconv2.3", conv("lconv2.2", F.max_pool1d(out1 + lout1, 4, 4)))
    out2 = F.relu(conv("conv2.3", F.relu(conv("conv2.1", lout2))))
    lout3 = conv("lconv3.3", conv("lconv3.2", F.max_pool1d(out2 + lout2, 4, 4)))
    out3 = F.relu(conv("conv3.3", F.relu(conv("conv3.1", lout3))))
    sum1 = out3 + F.relu(conv("dconv1.1", out3 + lout3, 2))
    sum2 = sum1 + F.relu(conv("dconv2.1", sum1, 4))
    sum3 = sum2 + F.relu(conv("dconv3.1", sum2, 8))
    sum4 = sum3 + F.relu(conv("dconv4.1", sum3, 16))
    return sum4 + F.relu(conv("dconv5.1", sum4, 25))


def test_the_forward_pass_is_the_published_one_layer_by_layer(small):
    x = random_sequences(3, LENGTH).one_hot()
    w = small.state_dict()
    with torch.no_grad():
        maps = written_out(x, w)
        smooth = torch.einsum("ncp,ps->ncs", maps, spline_basis(LENGTH // 16)).reshape(3, -1)
        hidden = F.relu(smooth @ w["classifier.0.weight"].T + w["classifier.0.bias"])
        expected = torch.sigmoid(hidden @ w["classifier.2.weight"].T + w["classifier.2.bias"])
        assert maps.std() > 0.01
        torch.testing.assert_close(small.maps(x), maps)
        torch.testing.assert_close(small.features(x), maps.mean(2))
        torch.testing.assert_close(small(x), expected)


def save(path: Path, held: object) -> WeightsFile:
    torch.save(held, path)
    return WeightsFile(path, hashlib.sha256(path.read_bytes()).hexdigest())


def load(weights: WeightsFile, cls: type[SeiTrunk] = Sei):
    with torch.device("meta"):
        module = Sei(SMALL, tracks=TRACKS, length=LENGTH) if cls is Sei else SeiTrunk(SMALL)
    return network_of(module, weights, length=LENGTH)


@pytest.mark.parametrize("prefix", ["module.model.", "model.", ""])
@pytest.mark.parametrize("inside", [True, False])
def test_a_checkpoint_is_read_whatever_wraps_it(prefix, inside, small, tmp_path, make_context):
    state = {prefix + name: tensor for name, tensor in small.state_dict().items()}
    weights = save(tmp_path / "sei.pth", {"state_dict": state, "step": 3} if inside else state)
    sequences = random_sequences(3, LENGTH)
    with torch.no_grad():
        expected, features = small(sequences.one_hot()).numpy(), small.features(sequences.one_hot()).numpy()
    network, trunk = load(weights), load(weights, SeiTrunk)
    found = predict(network, sequences, strands="forward", context=make_context())
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert isinstance(trunk.module, SeiTrunk)
    vectors = predict(trunk, sequences, strands="forward", context=make_context(), forward=trunk.module.features)
    np.testing.assert_allclose(vectors, features, atol=1e-6)
    assert not any(module.training for module in network.module.modules())


def test_short_sequences_stand_in_the_middle_of_unknown_bases(small, tmp_path, make_context):
    weights = save(tmp_path / "sei.pth", small.state_dict())
    sequences = random_sequences(2, 64)
    padded = torch.full((2, 4, LENGTH), 0.25)
    padded[:, :, 480:544] = sequences.one_hot()
    with torch.no_grad():
        expected = ((small(padded) + small(padded.flip(1, 2))) / 2).numpy()
    found = predict(load(weights), sequences, strands="both", context=make_context())
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_zip_file_with_a_damaged_directory_is_refused(small, tmp_path):
    path = save(tmp_path / "sei.pth", small.state_dict()).path
    content = bytearray(path.read_bytes())
    directory = content.rindex(b"PK\x01\x02")
    content[directory : directory + 4] = b"XX\x01\x02"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"sei\.pth: not a checkpoint"):
        load(WeightsFile(path, ""))


def test_a_file_of_the_old_format_is_read(small, tmp_path, make_context):
    path = tmp_path / "sei.pth"
    torch.save(small.state_dict(), path, _use_new_zipfile_serialization=False)
    network = load(WeightsFile(path, ""))
    sequences = random_sequences(1, LENGTH)
    with torch.no_grad():
        expected = small(sequences.one_hot()).numpy()
    np.testing.assert_allclose(
        predict(network, sequences, strands="forward", context=make_context()), expected, atol=1e-6
    )


def test_a_tensor_of_another_shape_is_named(small, tmp_path):
    state = small.state_dict() | {"dconv3.1.weight": torch.zeros(10, 9, 5)}
    with pytest.raises(
        UserError, match=r"not the weights of sei: tensor dconv3.1.weight has shape \(10, 9, 5\), not \(10, 10, 5\)"
    ):
        load(save(tmp_path / "sei.pth", state))


def test_a_missing_and_a_foreign_tensor_are_named(small, tmp_path):
    state = small.state_dict()
    with pytest.raises(UserError, match="tensor head.weight is not one of its tensors"):
        load(save(tmp_path / "more.pth", state | {"head.weight": torch.zeros(3)}))
    del state["classifier.2.bias"]
    less = save(tmp_path / "less.pth", state)
    with pytest.raises(UserError, match=r"no tensor classifier.2.bias, which should have shape \(7,\)"):
        load(less)
    load(less, SeiTrunk)  # which has no classifier


class Dangerous:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.mark,))


def test_nothing_is_unpickled(tmp_path):
    mark = tmp_path / "touched"
    weights = save(tmp_path / "sei.pth", {"weight": torch.ones(2), "more": Dangerous(mark)})
    with pytest.raises(UserError, match=r"sei\.pth: not a checkpoint that can be read safely"):
        load(weights)
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00.", b"PK\x03\x04 and no more"])
def test_what_is_no_checkpoint_is_refused(content, tmp_path):
    path = tmp_path / "sei.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"sei\.pth: not a checkpoint"):
        load(WeightsFile(path, ""))


@pytest.mark.parametrize("held", [[1, 2], {}, {"step": 3}, torch.ones(3)])
def test_a_checkpoint_without_tensors_by_name_is_refused(held, tmp_path):
    with pytest.raises(UserError, match="it holds no tensors"):
        load(save(tmp_path / "sei.pth", held))


def test_torchscript_is_refused(base_shares):
    with pytest.raises(UserError, match="a TorchScript file, not a checkpoint"):
        load(WeightsFile(base_shares, ""))
