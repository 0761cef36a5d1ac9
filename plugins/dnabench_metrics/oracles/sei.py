"""Sei (Chen et al. 2022, Nat Genet 54:940): 4,096 bp to 21,907 chromatin profiles.

Written anew from the published shapes (github.com/FunctionLab/sei-framework, ``model/sei.py``; the names of the layers
are those of its checkpoint). Three stages of a linear and a non-linear path, added; five dilated convolutions, each
added to what came before; 16 cubic B-splines over positions; two dense layers. The original predicts with the mean of
both strands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.interpolate import BSpline
from torch import nn

from dnabench_metrics.oracles.inference import Network
from dnabench_metrics.oracles.weights import WeightsFile, check_shapes, find_weights, read_checkpoint

if TYPE_CHECKING:
    from dnabench_metrics.records.oracles import OracleOptions, SeiOptions

LENGTH = 4096
TRACKS = 21_907
CHANNELS = (480, 640, 960)
#: bp per position of the last feature maps.
POOLED = 16
SPLINES, DEGREE = 16, 3
DILATIONS = (2, 4, 8, 16, 25)
BATCH = 16


class SeiTrunk(nn.Module):
    """Sei up to its last feature maps. Dropout, idle in prediction, is an identity that keeps the published numbering.

    Args:
        channels: of the three stages.
    """

    def __init__(self, channels: tuple[int, int, int] = CHANNELS) -> None:
        super().__init__()
        first, second, last = channels
        self.lconv1 = nn.Sequential(_convolution(4, first), _convolution(first, first))
        self.conv1 = nn.Sequential(*_rectified_pair(first))
        self.lconv2 = _linear_path(first, second)
        self.conv2 = nn.Sequential(nn.Identity(), *_rectified_pair(second))
        self.lconv3 = _linear_path(second, last)
        self.conv3 = nn.Sequential(nn.Identity(), *_rectified_pair(last))
        for i, dilation in enumerate(DILATIONS, 1):
            dilated = nn.Conv1d(last, last, 5, dilation=dilation, padding=2 * dilation)
            self.add_module(f"dconv{i}", nn.Sequential(nn.Identity(), dilated, nn.ReLU()))

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        """float32 ``(n, 4, length)``, channels A C G T, to ``(n, channels, length / 16)``."""
        straight = self.lconv1(x)
        straight = self.lconv2(self.conv1(straight) + straight)
        straight = self.lconv3(self.conv2(straight) + straight)
        total: torch.Tensor = self.conv3(straight)
        # The first dilated convolution alone also reads the linear path, which is not a part of the sum.
        dilated: torch.Tensor = self.get_submodule("dconv1")(total + straight)
        total = total + dilated
        for i in range(2, len(DILATIONS) + 1):
            total = total + self.get_submodule(f"dconv{i}")(total)
        return total

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of the last maps over positions: ``(n, channels)``.

        The released code of DiscDiff takes this mean for S-FID (github.com/Zehui127/Latent-DNA-Diffusion,
        ``src/utils/external/sei.py``), which holds no more of the evaluation.
        """
        return self.maps(x).mean(2)


class Sei(SeiTrunk):
    """The whole of it: ``(n, 4, length)`` to probabilities ``(n, tracks)``.

    Args:
        channels: of the three stages.
        tracks: number of profiles.
        length: bp that it reads, a multiple of 16.
    """

    def __init__(
        self, channels: tuple[int, int, int] = CHANNELS, *, tracks: int = TRACKS, length: int = LENGTH
    ) -> None:
        super().__init__(channels)
        self.splines = spline_basis(length // POOLED)
        self.classifier = nn.Sequential(
            nn.Linear(channels[-1] * SPLINES, tracks), nn.ReLU(), nn.Linear(tracks, tracks), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Probabilities."""
        smoothed = self.maps(x) @ self.splines.to(x.device)
        probabilities: torch.Tensor = self.classifier(smoothed.flatten(1))
        return probabilities


def spline_basis(positions: int) -> torch.Tensor:
    """The 16 clamped cubic B-splines with evenly spaced knots at 0, 1, ...: float32, shape ``(positions, 16)``."""
    knots = np.linspace(0, positions - 1, SPLINES - DEGREE + 1)
    clamped = np.pad(knots, DEGREE, mode="edge")
    basis = BSpline.design_matrix(np.arange(positions, dtype=np.float64), clamped, DEGREE).toarray()
    return torch.from_numpy(basis.astype(np.float32))


def target_names(weights: Path) -> list[str]:
    """The names of the profiles, ``ASSAY | CELLS | ID:NUMBER``; empty where there are none beside the weights.

    They are in ``target.names`` of github.com/FunctionLab/sei-framework, folder ``model``, where ``sei.pth`` goes, too,
    and begin with the cells there.
    """
    try:
        lines = (weights.parent / "target.names").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    fields = [line.split(" | ") for line in lines]
    return [" | ".join((*parts[1:2], *parts[:1], *parts[2:])) for parts in fields]


def assays_of(names: Sequence[str]) -> list[str]:
    """The assay of each profile, such as DNase or H3K4me3; empty where a name does not tell."""
    fields = [name.split(" | ") for name in names]
    return [parts[0] for parts in fields] if all(len(parts) == 3 for parts in fields) else []


def load_sei(options: OracleOptions | SeiOptions, *, plugin: str) -> Network:
    """The network with the weights that the options name. UserError where there are none or others."""
    weights = find_weights(options, plugin=plugin, model="sei")
    with torch.device("meta"):
        module = Sei()
    return network_of(module, weights, length=LENGTH)


def load_sei_trunk(options: SeiOptions, *, plugin: str) -> Network:
    """As :func:`load_sei`, without the dense layers, which are nine tenths of the weights."""
    weights = find_weights(options, plugin=plugin, model="sei")
    with torch.device("meta"):
        module = SeiTrunk()
    return network_of(module, weights, length=LENGTH)


def network_of(module: SeiTrunk, weights: WeightsFile, *, length: int) -> Network:
    """``module``, which may be on the device ``meta``, with the tensors of a checkpoint, in evaluation mode.

    UserError naming the tensor when a shape is not that of the module.
    """
    tensors = {
        name.removeprefix("module.").removeprefix("model."): t for name, t in read_checkpoint(weights.path).items()
    }
    if not isinstance(module, Sei):
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("classifier.")}
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    check_shapes({name: tuple(t.shape) for name, t in tensors.items()}, expected, path=weights.path, model="sei")
    module.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    return Network("sei", module.eval(), weights.sha256, BATCH, length=length, predicts="predicted probability")


def _convolution(inputs: int, outputs: int) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, 9, padding=4)


def _rectified_pair(channels: int) -> tuple[nn.Module, ...]:
    return _convolution(channels, channels), nn.ReLU(), _convolution(channels, channels), nn.ReLU()


def _linear_path(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.MaxPool1d(4), nn.Identity(), _convolution(inputs, outputs), _convolution(outputs, outputs))
