"""MPRA-DragoNN's ConvModel (Movva et al. 2019, PLoS ONE 14:e0218073): 145 bp to the activity in 12 reporter assays.

Three convolutions of width 5 without padding, each with ReLU and then batch normalisation, and a dense layer on all
positions; Sharpr-MPRA data (Ernst et al. 2016, Nat Biotechnol 34:1180). Architecture: ``kipoi/ConvModel/model.json`` of
github.com/kundajelab/mpra_minimal; names of the outputs: ``MPRA-DragoNN/ConvModel/model.yaml`` of
github.com/kipoi/models. Both MIT.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import torch
from torch import nn

from dnabench import UserError
from dnabench_metrics.oracles.inference import Network
from dnabench_metrics.oracles.weights import check_shapes, find_weights

if TYPE_CHECKING:
    from dnabench_metrics.records.oracles import MPRADragoNNOptions, OracleOptions

LENGTH = 145
CHANNELS, WIDTH, LAYERS = 120, 5, 3
#: Batch normalisation adds this to the variances, as Keras 2.2.4 does by default.
EPSILON = 1e-3
TRACKS = tuple(
    f"{cells}-{promoter}-{replicate}"
    for cells in ("k562", "hepg2")
    for promoter in ("minp", "sv40p")
    for replicate in ("rep1", "rep2", "pooled")
)
#: Each track's log2((RNA + 1) / (DNA + 1)) was standardised before training, as the README of
#: github.com/diego-calderon-lab/MPRA quotes the authors.
PREDICTS = "predicted activity (z-score of log2 RNA/DNA)"
BATCH = 256
_POSITIONS = LENGTH - LAYERS * (WIDTH - 1)


class ConvModel(nn.Module):
    """float32 ``(n, 4, 145)``, channels A C G T, to activities ``(n, 12)``."""

    def __init__(self) -> None:
        super().__init__()
        inputs = [4] + [CHANNELS] * (LAYERS - 1)
        self.convolutions = nn.ModuleList(nn.Conv1d(channels, CHANNELS, WIDTH) for channels in inputs)
        self.norms = nn.ModuleList(nn.BatchNorm1d(CHANNELS, eps=EPSILON) for _ in inputs)
        self.dense = nn.Linear(_POSITIONS * CHANNELS, len(TRACKS))

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        """What the dense layer reads: ``(n, 120, 133)``; 12 positions fewer than bases of longer ``x``."""
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(convolution(x).relu())
        return x

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of the maps over positions: ``(n, 120)``."""
        return self.maps(x).mean(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Activities."""
        return self._read(self.maps(x))

    def along(self, x: torch.Tensor, starts: Sequence[int]) -> torch.Tensor:
        """Activities of windows: ``(n, 4, L)`` to ``(n, windows, 12)``.

        Without padding the maps of a window are a part of those of the whole sequence, which are made once.
        """
        maps = self.maps(x)
        return torch.stack([self._read(maps[:, :, start : start + _POSITIONS]) for start in starts], dim=1)

    def _read(self, maps: torch.Tensor) -> torch.Tensor:
        flat: torch.Tensor = self.dense(maps.transpose(1, 2).flatten(1))  # Keras flattens channels last
        return flat


def load_mpra_dragonn(options: OracleOptions | MPRADragoNNOptions, *, plugin: str) -> Network:
    """The network with the weights that the options name. UserError where there are none or others."""
    weights = find_weights(options, plugin=plugin, model="mpra-dragonn")
    module = ConvModel().eval()
    module.load_state_dict(_read_keras(weights.path))
    return Network(
        "mpra-dragonn", module, weights.sha256, BATCH, length=LENGTH, window=options.window, predicts=PREDICTS,
        along=module.along,
    )  # fmt: skip


def _read_keras(path: Path) -> dict[str, torch.Tensor]:
    """The state dict of a ConvModel from a Keras HDF5 file of weights, where convolutions are (width, in, out)."""
    keys = _keras_names()
    try:
        with h5py.File(path) as file:
            found: dict[str, torch.Tensor] = {}

            def visit(name: str, item: object) -> None:
                if isinstance(item, h5py.Dataset):
                    if item.dtype.kind != "f":
                        raise TypeError(f"{name} holds no floating-point numbers")
                    # PyTorch knows no numbers of the other byte order.
                    found[name] = torch.from_numpy(np.asarray(item[()], np.float32))

            file.visititems(visit)
    except Exception as error:  # noqa: BLE001 - a damaged file raises whatever its bytes make the reader do
        raise UserError(f"{path}: not an HDF5 file of Keras weights: {error}") from None
    state = ConvModel().state_dict()
    shapes = {keras: tuple(state[ours].shape)[::-1] for keras, ours in keys.items()}
    check_shapes({name: tuple(value.shape) for name, value in found.items()}, shapes, path=path, model="mpra-dragonn")
    reversed_axes = {ours: found[keras].permute(*range(found[keras].ndim)[::-1]) for keras, ours in keys.items()}
    counts = {name: value for name, value in state.items() if name.endswith("num_batches_tracked")}
    return reversed_axes | counts


def _keras_names() -> dict[str, str]:
    """Path in the HDF5 file -> name in the state dict of :class:`ConvModel`, whose axes are the other way round."""
    norm = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    names: dict[str, str] = {}
    for i in range(LAYERS):
        layer = f"conv1d_{i + 1}"
        names[f"{layer}/{layer}/kernel:0"] = f"convolutions.{i}.weight"
        names[f"{layer}/{layer}/bias:0"] = f"convolutions.{i}.bias"
        layer = f"batch_normalization_{i + 1}"
        names |= {f"{layer}/{layer}/{keras}:0": f"norms.{i}.{ours}" for keras, ours in norm.items()}
    return names | {"dense_1/dense_1/kernel:0": "dense.weight", "dense_1/dense_1/bias:0": "dense.bias"}
