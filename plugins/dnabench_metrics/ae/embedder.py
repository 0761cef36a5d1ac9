"""`ae`: FReD's features, the half-whitened mean codes of a fixed, shipped encoder in eight position bins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load

from dnabench import UserError
from dnabench_metrics.ae.network import Encoder, pool

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet

MIN_LENGTH = 64
#: Every forward pass has this many rows, the last one filled up: a convolution's rounding depends on the batch size.
BATCH = 256


class Autoencoder:
    """Embeds sequences of any length from 64 bp; every vector depends on its own sequence alone.

    On the 256 bp promoters that the encoder was trained on the features have mean 0 and are uncorrelated.
    """

    def __init__(self, directory: Path | None = None) -> None:
        """Load ``encoder.safetensors`` and ``encoder.json`` from ``directory``, by default the shipped ones.

        Raises UserError when the weights do not have the sha256 that the JSON file states.
        """
        directory = Path(__file__).parent if directory is None else directory
        self._facts = json.loads((directory / "encoder.json").read_text())
        weights = directory / "encoder.safetensors"
        content = weights.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != self._facts["sha256"]:
            raise UserError(
                f"{weights}: sha256 {found} is not the {self._facts['sha256']} of encoder.json; "
                f"the file is damaged: install dnabench again"
            )
        tensors = load(content)
        self._mean, self._matrix = tensors.pop("features.mean"), tensors.pop("features.matrix")
        recipe = self._facts["recipe"]
        self.dimension = recipe["features"]
        self._encoder = Encoder(width=recipe["width"], channels=recipe["channels"]).float().eval()
        self._encoder.load_state_dict(tensors)

    def digest(self) -> str:
        """sha256 of the weights, in hexadecimal."""
        return str(self._facts["sha256"])

    def embed(self, sequences: SequenceSet, *, context: Context) -> np.ndarray:
        """float32, shape ``(n, 64)``. ValueError below 64 bp."""
        if sequences.length < MIN_LENGTH:
            raise ValueError(f"embedder ae takes sequences from {MIN_LENGTH} bp; these have {sequences.length} bp")
        device = torch.device(context.device)
        encoder = self._encoder.to(device)
        pooled = np.empty((len(sequences), self.dimension), np.float32)
        with torch.inference_mode(), _full_precision():
            for start in range(0, len(sequences), BATCH):
                chunk = sequences.take(np.arange(start, min(start + BATCH, len(sequences))))
                batch = torch.full((BATCH, 4, sequences.length), 0.25, dtype=torch.float32, device=device)
                batch[: len(chunk)] = chunk.one_hot(device)
                features = (pool(encoder(batch)).cpu() - self._mean) @ self._matrix
                pooled[start : start + len(chunk)] = features[: len(chunk)].numpy()
                context.progress(start + len(chunk), len(sequences), "embed")
        return pooled


@contextmanager
def _full_precision() -> Iterator[None]:
    """Convolutions on a GPU in float32 instead of TF32, whose three digits would show in the distances."""
    conv = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    before = conv.fp32_precision
    conv.fp32_precision = "ieee"
    try:
        yield
    finally:
        conv.fp32_precision = before
