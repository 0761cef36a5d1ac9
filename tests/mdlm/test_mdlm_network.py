"""The network: how many parameters, how far it sees, and what its input tells it."""

from __future__ import annotations

import pytest
import torch

from dnabench.options import build
from dnabench_mdlm.network import Convolution, Denoiser
from dnabench_mdlm.options import PRESETS, MdlmOptions


def parameters(width: int, layers: int, positions: int, values: int = 0) -> int:
    """Added up by hand: weights and biases of every part."""
    time = width * width + width
    read = 5 * 9 * width + width
    layer = (9 * width * width + width) + (width * width + width) + 2 * width  # convolution, condition, norm
    head = 2 * width + (width * width + width) + (4 * width + 4)
    return time + read + layers * layer + head + positions * width + values * width


@pytest.mark.parametrize("preset", ["standard", "paper"])
def test_the_backbone_has_3_3_million_parameters(preset):
    options = build(MdlmOptions, "mdlm", PRESETS[preset])
    denoiser = Denoiser(256, options.width, options.layers, options.position)
    count = sum(p.numel() for p in denoiser.parameters())
    assert count == parameters(128, 20, 256) == 3_359_492
    assert count - denoiser.position.numel() == 3_326_724


@pytest.mark.parametrize(("position", "labels"), [(False, ()), (True, (3,)), (False, (15, 2))])
def test_parameters_of_small_ones(position, labels):
    denoiser = Denoiser(40, 6, 7, position, labels)
    assert sum(p.numel() for p in denoiser.parameters()) == parameters(6, 7, 40 * position, sum(labels))


@pytest.mark.parametrize(("layers", "reach"), [(1, 8), (2, 12), (4, 92), (5, 348), (6, 352)])
def test_receptive_field(layers, reach):
    # The first convolution reaches 4 bp to each side, every other one 4 times its dilation: 1, 1, 4, 16, 64, 1, ...
    torch.manual_seed(0)
    length = 2 * reach + 21
    denoiser = Denoiser(length, 4, layers, position=False).double()
    torch.nn.init.normal_(denoiser.write.weight)
    labels = torch.zeros(2, 0, dtype=torch.int64)
    x = torch.full((2, length), 4, dtype=torch.uint8)
    x[1, length // 2] = 2
    read = denoiser.read.forward
    denoiser.read.forward = lambda x: read(x.double())
    for convolution in [denoiser.read, *(layer.convolution for layer in denoiser.layers)]:
        convolution.conv.bias.data.fill_(10.0)  # a unit that is silent would hide what lies before it
    t = torch.full((2,), 0.5, dtype=torch.float64)
    features = []
    denoiser.norm.register_forward_hook(lambda module, inputs, output: features.append(inputs[0]))
    time = denoiser.time.forward
    denoiser.time.forward = lambda features: time(features.double())
    denoiser(x, t, labels)
    differs = (features[0][0] != features[0][1]).any(-1).nonzero()[:, 0]
    assert int(differs.min()) >= length // 2 - reach
    assert int(differs.max()) <= length // 2 + reach
    assert int(differs.max() - differs.min()) == 2 * reach


@pytest.mark.parametrize("dilation", [1, 4])
def test_beyond_the_borders_there_are_zeros(dilation):
    torch.manual_seed(0)
    convolution, x = Convolution(3, 2, 9, dilation), torch.randn(2, 30, 3)
    weight, bias = convolution.conv.weight[:, :, 0], convolution.conv.bias
    padded = torch.nn.functional.pad(x.transpose(1, 2), (4 * dilation, 4 * dilation))
    expected = torch.nn.functional.conv1d(padded, weight, bias, dilation=dilation)
    torch.testing.assert_close(convolution(x), expected.transpose(1, 2))


@pytest.mark.parametrize("length", [1, 2, 37, 256])
def test_any_length_and_width(length):
    denoiser = Denoiser(length, 3, 5, position=True)
    logits = denoiser(
        torch.zeros(2, length, dtype=torch.uint8), torch.tensor([0.1, 1.0]), torch.zeros(2, 0, dtype=torch.int64)
    )
    assert logits.shape == (2, length, 4)
    assert logits.dtype == torch.float32
    assert (logits == 0).all()  # before training every base is as likely


def test_time_and_labels_matter():
    torch.manual_seed(0)
    denoiser = Denoiser(10, 16, 2, position=False, labels=(2, 3))
    torch.nn.init.normal_(denoiser.write.weight)
    x = torch.full((1, 10), 4, dtype=torch.uint8)

    def logits(t, *labels):
        return denoiser(x, torch.tensor([t]), torch.tensor([labels]))

    reference = logits(0.5, 0, 0)
    for other in (logits(0.9, 0, 0), logits(0.5, 1, 0), logits(0.5, 0, 2)):
        assert (other - reference).abs().max() > 1e-3
    torch.testing.assert_close(logits(0.5, 0, 0), reference)
