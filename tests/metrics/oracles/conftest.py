"""Files of weights: random ones of the published shapes, and the real ones of MPRA-DragoNN."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from dnabench import SequenceSet

#: Keras shapes of the ConvModel, from its model.json: (width, in, out), (in, out) and (channels,).
KERAS_SHAPES = {
    **{f"conv1d_{i}/conv1d_{i}/kernel:0": (5, 4 if i == 1 else 120, 120) for i in (1, 2, 3)},
    **{f"conv1d_{i}/conv1d_{i}/bias:0": (120,) for i in (1, 2, 3)},
    **{
        f"batch_normalization_{i}/batch_normalization_{i}/{name}:0": (120,)
        for i in (1, 2, 3)
        for name in ("gamma", "beta", "moving_mean", "moving_variance")
    },
    "dense_1/dense_1/kernel:0": (15_960, 12),
    "dense_1/dense_1/bias:0": (12,),
}


def write_keras(path: Path, tensors: dict[str, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in tensors.items():
            file[name] = values
    return path


def random_keras(seed: int = 0) -> dict[str, np.ndarray]:
    """Tensors of a ConvModel whose activations stay near 1."""
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in KERAS_SHAPES.items():
        values = rng.normal(0, 1 / np.sqrt(np.prod(shape[:-1]) or 1), shape)
        if name.endswith(("gamma:0", "moving_variance:0")):
            values = rng.uniform(0.5, 2, shape)
        tensors[name] = values.astype(np.float32)
    return tensors


@pytest.fixture(scope="session")
def keras_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of MPRA-DragoNN."""
    return write_keras(tmp_path_factory.mktemp("keras") / "random.hdf5", random_keras())


@pytest.fixture(scope="session")
def dragonn_file(real_data: Path) -> Path:
    """The published weights of MPRA-DragoNN; skips where they are absent."""
    path = real_data / "oracles" / "mpra_dragonn" / "pretrained.hdf5"
    if not path.is_file():
        pytest.skip(f"no weights at {path}")
    return path


@pytest.fixture
def script(tmp_path: Path) -> Callable[[nn.Module], Path]:
    """Write a module as TorchScript."""

    def write(module: nn.Module, name: str = "model.ts") -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.script(module.eval()).save(str(tmp_path / name))
        return tmp_path / name

    return write


class BaseShares(nn.Module):
    """The shares of A, C, G and T in a sequence, tracks that anyone can count."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(2)


@pytest.fixture
def base_shares(script: Callable[..., Path]) -> Path:
    """TorchScript of :class:`BaseShares`."""
    return script(BaseShares(), "shares.ts")


def random_sequences(n: int, length: int, seed: int = 0, gc: float = 0.5) -> SequenceSet:
    p = [(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]
    return SequenceSet(np.random.default_rng(seed).choice(4, (n, length), p=p).astype(np.uint8))
