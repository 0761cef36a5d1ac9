"""The generator ``vae``: the autoencoder alone, its latents drawn from the standard normal distribution."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from dnabench import LabelCodes, SequenceSet, UserError
from dnabench.training import seeded
from dnabench_discdiff.autoencoder import Autoencoder, Stage1
from dnabench_discdiff.conditions import kinds
from dnabench_discdiff.options import PATCH, VaeOptions
from dnabench_discdiff.refine import AbsorbEscape
from dnabench_discdiff.released.autoencoder import ReleasedAutoencoder, padded_length
from dnabench_discdiff.training import Curve, Data, train_autoencoder

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context

N = 4
CHUNK = 512
"""Sequences sampled or encoded at once; fixed, because results move in the last digits with the batch size."""

KINDS = 1000
"""Combinations of labels at most: at 256 bp each has 70 kB of tables in the decoder."""


class Vae:
    """A variational autoencoder of DNA (Kingma & Welling 2014, arXiv 1312.6114), stage 1 of DiscDiff.

    Sequences of any length: they are padded with N to what the network can divide, and what it makes is cropped.
    """

    options_type: ClassVar[type[VaeOptions]] = VaeOptions
    name: ClassVar[str] = "vae"

    def __init__(self, options: VaeOptions) -> None:
        self.options = options
        self.length = 0  # bp; set by fit or load
        self.curves: dict[str, Curve] = {}

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Train on ``train``; an interrupted training goes on from its checkpoints in ``context.scratch``.

        Processes that train together all end with the weights that are saved. UserError when there are no sequences,
        when a label column is missing, when the processes cannot share a batch evenly, and when a loss is not finite.
        """
        self._fit_autoencoder(self._prepare(train, context), context)

    @torch.no_grad()
    def sample(self, n: int, *, context: Context) -> SequenceSet | np.ndarray:
        """``n`` sequences, never N: uint8 codes (n, length), with labels where the model conditions on some.

        UserError for labels that no training sequence has.
        """
        if not self.length:
            raise UserError(f"{self.name} has not been trained: call fit or load first")
        if context.length != self.length:
            raise UserError(f"{self.name} was trained on {self.length} bp and cannot sample {context.length} bp")
        self._to(context.device)
        generator = context.torch_generator()
        labels = self.labels.draw(n, context)
        codes = np.empty((n, self.length), np.uint8)
        for start in range(0, n, CHUNK):
            told = torch.from_numpy(labels[start : start + CHUNK]).to(context.device)
            z = self._latents(told, generator)
            codes[start : start + len(told)] = self._decode(z, told, generator).to("cpu", torch.uint8).numpy()
            context.progress(start + len(told), n, "sample")
        return SequenceSet(codes, labels=self.labels.decode(labels), copy=False) if self.labels.columns else codes

    def save(self, directory: Path) -> None:
        """Write ``model.json`` (options, length, labels), ``model.safetensors`` (all weights) and ``losses.csv``."""
        about = {"length": self.length, "options": asdict(self.options), "labels": self.labels.to_json()}
        (directory / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self._tensors().items()}
        save_file(tensors, directory / "model.safetensors")
        with (directory / "losses.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["stage", "step", "loss"])
            writer.writerows(
                (stage, step, f"{loss:.9g}") for stage, curve in self.curves.items() for step, loss in curve
            )

    def load(self, directory: Path) -> None:
        """Restore what ``save`` wrote, its options included. UserError when the weights are another network's."""
        about = json.loads((directory / "model.json").read_text(encoding="utf-8"))
        self.options = self.options_type(**about["options"])
        self.labels = LabelCodes.from_json(about["labels"])
        with seeded(torch.Generator()):
            self._build(about["length"])
        stored, tensors = load_file(directory / "model.safetensors"), self._tensors()
        if {name: t.shape for name, t in stored.items()} != {name: t.shape for name, t in tensors.items()}:
            raise UserError(f"{directory / 'model.safetensors'}: not the weights of what model.json describes")
        with torch.no_grad():
            for name, tensor in tensors.items():
                tensor.copy_(stored[name])
        with (directory / "losses.csv").open(encoding="utf-8", newline="") as file:
            self.curves = {}
            for row in csv.DictReader(file):
                self.curves.setdefault(row["stage"], []).append((int(row["step"]), float(row["loss"])))

    def _prepare(self, train: SequenceSet, context: Context) -> Data:
        """Build the networks for ``train`` and bring it, padded, to the device."""
        if not len(train):
            raise UserError(f"{self.name} cannot learn from an empty training set")
        if self.options.condition and self.options.autoencoder == "released" and self.name == "vae":
            raise UserError("vae.condition: autoencoder=released knows no labels; its samples could not follow them")
        self.labels = LabelCodes.learn(self.options.condition, train.labels)
        if (combinations := kinds(self.labels.sizes)) > KINDS:
            raise UserError(
                f"{self.name}.condition: {combinations} combinations of labels; {KINDS} at most have tables"
            )
        labels = torch.from_numpy(self.labels.encode(train.labels))
        with seeded(context.torch_generator()):
            self._build(train.length)
        codes = torch.from_numpy(train.codes.copy())
        if self.refiner is not None:
            self.refiner.count(codes, labels)
        codes = nn.functional.pad(codes, (self.before, self.padded - self.before - self.length), value=N)
        self.autoencoder.count(codes, labels)
        self._to(context.device)
        return Data(codes.to(context.device), labels.to(context.device), self.labels.sizes)

    def _fit_autoencoder(self, data: Data, context: Context) -> None:
        self.curves["autoencoder"] = train_autoencoder(
            self.autoencoder,
            data,
            self.options,
            generator=context.torch_generator(),
            checkpoint=context.checkpoint("autoencoder"),
            context=context,
        )
        self._fit_refiner(data, context)

    def _fit_refiner(self, data: Data, context: Context) -> None:
        if self.refiner is not None:
            self.curves["refiner"] = self.refiner.fit(
                Data(data.codes[:, self.before : self.before + self.length], data.labels, data.values),
                self.options,
                generator=context.torch_generator(),
                checkpoint=context.checkpoint("refiner"),
                context=context,
            )

    def _latents(self, labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Latents to decode, one for each row of labels (n, columns)."""
        return torch.randn(len(labels), *self.autoencoder.latent_shape, generator=generator).to(labels.device)

    def _decode(self, z: torch.Tensor, labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Bases int64 (n, length) for latents."""
        end = self.before + self.length
        if self.refiner is None:
            return self.autoencoder.decode(z, labels, generator, end)[:, self.before :]
        unseen = torch.empty(len(z), self.padded, dtype=torch.int64, device=z.device)
        logits = self.autoencoder.logits(z, unseen, labels)[:, self.before : end]
        return self.refiner.rewrite(logits, labels, generator)

    def _build(self, length: int) -> None:
        options, self.length = self.options, length
        self.autoencoder: Stage1
        if options.autoencoder == "released":
            self.padded = padded_length(length)
            self.before = (self.padded - length) // 2  # as released, in the middle
            self.autoencoder = ReleasedAutoencoder(self.padded)
        else:
            # At the end, so that an autoregressive decoder sees what it always sees, and stops where padding begins.
            self.padded, self.before = -(-length // PATCH) * PATCH, 0
            self.autoencoder = Autoencoder(
                self.padded,
                options.latent_channels,
                options.width,
                options.decoder,
                options.head_width,
                options.autoencoder,
                self.labels.sizes,
            )
        self.autoencoder.eval()
        refine = options.refine != "none"
        self.refiner = AbsorbEscape(length, options, self.labels.sizes).eval() if refine else None

    def _modules(self) -> dict[str, nn.Module]:
        parts: dict[str, nn.Module] = {"autoencoder": self.autoencoder}
        return parts if self.refiner is None else parts | {"refiner": self.refiner}

    def _to(self, device: str) -> None:
        for module in self._modules().values():
            module.to(device)

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {
            f"{part}.{name}": t for part, module in self._modules().items() for name, t in module.state_dict().items()
        }
