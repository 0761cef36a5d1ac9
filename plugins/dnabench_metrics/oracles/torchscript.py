"""A model of the user's own, as TorchScript: float32 ``(n, 4, length)``, channels A C G T, N 0.25, to ``(n, tracks)``.

Sequences are handed over as they are, or, where the module has an attribute or buffer ``dnabench_length``, an integer,
as so many bp: the middle of longer ones, shorter ones padded.

PyTorch 2.13 calls ``torch.jit`` deprecated in favour of ``torch.export``, whose files fix the length, and may hold
pickles, which would run whatever they were made to run.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from dnabench import UserError
from dnabench_metrics.oracles.inference import Network
from dnabench_metrics.oracles.weights import verified

BATCH = 64


class Scripted(nn.Module):
    """A TorchScript module whose answers are checked: UserError for a failure, and for any but ``(n, tracks)``."""

    def __init__(self, module: torch.jit.ScriptModule, path: Path) -> None:
        super().__init__()
        self.module = module
        self.path = path

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(n, tracks)``."""
        try:
            values = self.module(x)
        except Exception as error:  # noqa: BLE001 - what the user's code raises is up to it
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise UserError(f"{self.path}: the model fails on an input of shape {tuple(x.shape)}: {reason}") from None
        if not isinstance(values, torch.Tensor):
            raise UserError(f"{self.path}: the model answers with a {type(values).__name__}, not with a tensor")
        if values.ndim != 2 or len(values) != len(x) or values.shape[1] < 1 or not values.is_floating_point():
            raise UserError(
                f"{self.path}: the model answers with shape {tuple(values.shape)}, {values.dtype}, for {len(x)} "
                f"sequences; it must be floating-point ({len(x)}, tracks)"
            )
        return values


def load_torchscript(path: Path, *, sha256: str, plugin: str) -> Network:
    """The model in ``path``, in evaluation mode. UserError when it is no TorchScript or has another sha256."""
    if not path.is_file():
        raise UserError(f"option {plugin}.model: {path} is not a file")
    weights = verified(path, sha256, plugin=plugin)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated", DeprecationWarning)
        try:
            module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
        except Exception:  # noqa: BLE001 - a damaged or foreign file raises whatever its bytes make the reader do
            raise UserError(f"{path}: not a TorchScript file, such as torch.jit.trace(...).save(FILE) writes") from None
    length = _length(module, path)
    return Network(str(path), Scripted(module.eval(), path), weights.sha256, BATCH, length=length)


def _length(module: torch.jit.ScriptModule, path: Path) -> int | None:
    """``dnabench_length`` of the module; None where it has none. UserError where it is no number of bases."""
    told = getattr(module, "dnabench_length", None)
    if told is None:
        return None
    whole = isinstance(told, int) or (
        isinstance(told, torch.Tensor) and told.ndim == 0 and not told.is_floating_point()
    )
    if not whole or (length := int(told)) < 1:
        raise UserError(f"{path}: dnabench_length is {told}; it must be how many bp the model reads, 1 or more")
    return length
