"""`ae`: FReD's features, from a fixed, shipped encoder: axes of its pooled activations, and readings of damage."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load

from dnabench import UserError
from dnabench_metrics.ae.corruption import KINDS
from dnabench_metrics.ae.train import Recipe, networks
from dnabench_metrics.precision import full_precision

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.ae.network import Encoder

MIN_LENGTH = 64
#: What the weights file holds beside the networks: how pooled activations and readings become features.
MAPS = ("features.mean", "features.matrix", "readings.mean", "readings.scale")
#: Every forward pass has this many rows, the last one filled up: a convolution's rounding depends on the batch size.
BATCH = 256


class Autoencoder:
    """Features of a convolutional autoencoder trained on promoters of 15 species, from 64 bp; FReD's embedder.

    Definition:
        56 half-whitened principal axes of the activated codes, averaged in 8 equal position bins, and of the activated
        signals, averaged in 16; then 8 readings of how much of which damage the sequence carries, each with a standard
        deviation of 2.5 on intact promoters. N is 0.25 in every channel. On the 256 bp promoters that the encoder was
        trained on, features have mean 0 and the axes are uncorrelated. The README of the package says how it was
        trained and what it sees.
    """

    #: What is to be done about damaged weights.
    remedy = "install dnabench again"

    def __init__(self) -> None:
        self.load(Path(__file__).parent)

    def load(self, directory: Path) -> None:
        """Load ``encoder.safetensors`` and ``encoder.json`` from ``directory``.

        Raises UserError when the weights do not have the sha256 that the JSON file states.
        """
        self._facts = json.loads((directory / "encoder.json").read_text(encoding="utf-8"))
        weights = directory / "encoder.safetensors"
        content = weights.read_bytes()
        found = hashlib.sha256(content).hexdigest()
        if found != self._facts["sha256"]:
            raise UserError(
                f"{weights}: sha256 {found} is not the {self._facts['sha256']} of encoder.json; "
                f"the file is damaged: {self.remedy}"
            )
        tensors = load(content)
        self._maps = {name: tensors.pop(name) for name in MAPS}
        recipe = Recipe(**self._facts["recipe"])
        self.dimension = recipe.axes + len(KINDS)
        encoder, _ = networks(recipe)
        self._encoder = encoder.float()
        self._encoder.load_state_dict(tensors)
        self._encoder.eval()

    def digest(self) -> str:
        """sha256 of the weights, in hexadecimal."""
        return str(self._facts["sha256"])

    def embed(self, sequences: SequenceSet, *, context: Context) -> np.ndarray:
        """float32, shape ``(n, 64)``. ValueError below 64 bp."""
        if sequences.length < MIN_LENGTH:
            raise ValueError(f"embedder ae takes sequences from {MIN_LENGTH} bp; these have {sequences.length} bp")
        device = torch.device(context.device)
        encoder = self._encoder.to(device)
        features = np.empty((len(sequences), self.dimension), np.float32)
        with torch.inference_mode(), full_precision():
            for start in range(0, len(sequences), BATCH):
                chunk = sequences.take(np.arange(start, min(start + BATCH, len(sequences))))
                batch = torch.full((BATCH, 4, sequences.length), 0.25, dtype=torch.float32, device=device)
                batch[: len(chunk)] = chunk.one_hot(device)
                features[start : start + len(chunk)] = self._features(batch, encoder)[: len(chunk)].numpy()
                context.progress(start + len(chunk), len(sequences), "embed")
        return features

    def _features(self, one_hot: torch.Tensor, encoder: Encoder) -> torch.Tensor:
        _, pooled, readings = encoder(one_hot)
        axes = (pooled.cpu() - self._maps["features.mean"]) @ self._maps["features.matrix"]
        scaled = (readings.cpu() - self._maps["readings.mean"]) * self._maps["readings.scale"]
        return torch.cat([axes, scaled], dim=1)
