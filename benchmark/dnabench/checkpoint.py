"""Checkpoints of a training: the state of its parts in one file, whole at any moment, never a pickle."""

from __future__ import annotations

import json
import os
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.files import sync

if TYPE_CHECKING:
    import torch

SHARE = 50
"""A checkpoint waits this many times as long as the last one took to write: it costs 2 % of the time at most."""


class Checkpoint:
    """Where a training stands, as ``context.checkpoint(name)`` gives it::

        checkpoint = context.checkpoint("denoiser")
        if (state := checkpoint.load()) is not None:
            module.load_state_dict(state["module"])
            optimizer.load_state_dict(state["optimizer"])
            generator.set_state(state["generator"])
            first = state["step"]
        for step in range(first, steps):
            ...
            if checkpoint.due():
                checkpoint.save({"module": module.state_dict(), "optimizer": optimizer.state_dict(),
                                 "generator": generator.get_state(), "step": step + 1})

    A state is made of tensors, numbers, texts, None, and dictionaries (keys: texts and whole numbers), lists and tuples
    of them: what ``state_dict()`` of modules and optimisers returns. With everything in it that the next step depends
    on, a training that was killed and continued ends with the bits of one that never stopped, on a CPU.
    """

    def __init__(self, path: Path, *, every: float, writes: bool = True) -> None:
        """``every``: seconds between checkpoints, at least; ``writes``: False in all processes of a group but one."""
        self._path = path
        self._every = every
        self._writes = writes
        self._saved = time.monotonic()
        self._took = 0.0

    def load(self) -> Any:
        """The state that was saved last, tensors on the CPU; None where there is none."""
        from safetensors import SafetensorError, safe_open

        if not self._path.exists():
            return None
        try:
            with safe_open(self._path, "pt") as file:
                return _join(json.loads(file.metadata()["state"]), file.get_tensor)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(f"{self._path}: not a checkpoint, so training starts anew: {error}", stacklevel=2)
            return None

    def due(self) -> bool:
        """Whether it is time to save."""
        return self._writes and time.monotonic() - self._saved >= max(self._every, SHARE * self._took)

    def save(self, state: Any) -> None:
        """Replace the saved state in one step; on disk before it returns. TypeError for what a state cannot hold."""
        if not self._writes:
            return
        from safetensors.torch import save_file

        start = time.monotonic()
        tensors: dict[str, torch.Tensor] = {}
        structure = json.dumps(_split(state, tensors))
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        os.close(handle)
        try:
            save_file(tensors, temporary, metadata={"state": structure})
            sync(Path(temporary))
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._saved = time.monotonic()
        self._took = self._saved - start


def _split(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """``value`` as JSON, every tensor in it replaced by its name in ``tensors``."""
    import torch

    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        # Copied, because safetensors refuses tensors that share memory, as tied weights do.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": name}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, (str, int)):
                raise TypeError(f"a state's keys are texts and whole numbers, not {key!r}")
        return {"dict": [[key, _split(item, tensors)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return {type(value).__name__: [_split(item, tensors) for item in value]}
    if value is None or isinstance(value, (str, int, float)):
        return {"value": value}
    raise TypeError(f"a state cannot hold {type(value).__name__} {value!r}")


def _join(structure: Any, tensor: Any) -> Any:
    ((kind, content),) = structure.items()
    if kind == "tensor":
        return tensor(content)
    if kind == "dict":
        return {key: _join(item, tensor) for key, item in content}
    if kind in ("list", "tuple"):
        items = [_join(item, tensor) for item in content]
        return items if kind == "list" else tuple(items)
    return content
