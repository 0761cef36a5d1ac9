"""Files of weights: found, verified, and their tensors checked against the published shapes."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from dnabench import UserError

if TYPE_CHECKING:
    from dnabench_metrics.records.oracles import MPRADragoNNOptions, OracleOptions, SeiOptions

    Options = OracleOptions | SeiOptions | MPRADragoNNOptions


class WeightsFile(NamedTuple):
    """A file of weights and its sha256, in hexadecimal."""

    path: Path
    sha256: str


def find_weights(options: Options, *, plugin: str, model: str) -> WeightsFile:
    """The file that ``options.weights`` names.

    ``model`` is also the dataset that brings it. UserError where none is named, it is not there, or it has another
    sha256.
    """
    where = f"dnabench data fetch {model} brings them; --set {plugin}.weights=PATH names the file"
    if not options.weights:
        raise UserError(f"{plugin}: no weights given: {where}")
    path = Path(options.weights)
    if not path.is_file():
        raise UserError(f"option {plugin}.weights: {path} is not a file: {where}")
    return verified(path, options.sha256, plugin=plugin)


def verified(path: Path, sha256: str, *, plugin: str) -> WeightsFile:
    """The file with its sha256; UserError when that is not ``sha256``, empty for any, or the file cannot be read."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if sha256 and found != sha256.lower():
        raise UserError(f"{path}: sha256 is {found}; option {plugin}.sha256 expects {sha256.lower()}")
    return WeightsFile(path, found)


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a PyTorch checkpoint, a state dict or a mapping that holds one as ``state_dict``.

    Nothing but tensors and plain containers is unpickled. Tensors stay on disk until they are used where the file
    permits it. UserError for anything else.
    """
    if not (held := _load(path)):
        raise UserError(f"{path}: not a checkpoint: it holds no tensors")
    return held


def _load(path: Path) -> dict[str, torch.Tensor]:
    try:
        zipped = zipfile.is_zipfile(path)
        scripted = zipped and _is_torchscript(path)
        held = {} if scripted else torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except Exception:  # noqa: BLE001 - a damaged or foreign file raises whatever its bytes make the reader do
        raise UserError(
            f"{path}: not a checkpoint that can be read safely: it must be a PyTorch file of tensors alone"
        ) from None
    if scripted:
        raise UserError(f"{path}: a TorchScript file, not a checkpoint")
    held = held.get("state_dict", held) if isinstance(held, Mapping) else {}
    return {str(name): value for name, value in held.items() if isinstance(value, torch.Tensor)}


def _is_torchscript(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def check_shapes(
    found: Mapping[str, tuple[int, ...]], expected: Mapping[str, tuple[int, ...]], *, path: Path, model: str
) -> None:
    """UserError naming the first tensor that is missing, of another shape, or one too many."""
    for name, shape in expected.items():
        if name not in found:
            raise UserError(f"{path}: not the weights of {model}: no tensor {name}, which should have shape {shape}")
        if tuple(found[name]) != tuple(shape):
            raise UserError(
                f"{path}: not the weights of {model}: tensor {name} has shape {tuple(found[name])}, not {tuple(shape)}"
            )
    for name in sorted(found.keys() - expected.keys()):
        raise UserError(f"{path}: not the weights of {model}: tensor {name} is not one of its tensors")
