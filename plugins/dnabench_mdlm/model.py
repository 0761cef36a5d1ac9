"""The generator: training on the evidence lower bound, sampling in chunks, and files."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from dnabench import Context, LabelCodes, SequenceSet, UserError
from dnabench.training import Batches, bfloat16_pays, optimise, seeded, share_on
from dnabench_mdlm.diffusion import bound, mask, sample, spread_times
from dnabench_mdlm.network import Denoiser
from dnabench_mdlm.options import MdlmOptions

CHUNK = 256
"""Sequences sampled at once; fixed and the last chunk filled up, so that the first do not depend on how many follow."""
STAGE = "denoiser"


class MaskedDiffusion:
    """Masked discrete diffusion for DNA after Sahoo et al. 2024 (arXiv 2406.07524)."""

    def __init__(self, options: MdlmOptions) -> None:
        self.options = options
        self.length = 0  # bp; set by fit or load

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Minimise the bound on ``train``, in nats per base.

        An interrupted training goes on from its checkpoint in ``context.scratch``. Processes that train together all
        end with the weights that are saved. UserError when there are no sequences, when a column that ``condition``
        names is missing, when the loss is not finite, and when the processes cannot share a batch evenly.
        """
        options, device = self.options, torch.device(context.device)
        labels = LabelCodes.learn(options.condition, train.labels)
        with seeded(context.torch_generator()):
            self._build(train.length, labels)
        network = self.denoiser.to(device)
        codes = torch.from_numpy(train.codes.copy()).to(device)
        values = torch.from_numpy(labels.encode(train.labels)).to(device)
        generator = context.torch_generator()
        batches = Batches(len(codes), options.batch, generator)
        predict = context.together(network, codes[:1], torch.ones(1, device=device), values[:1])

        def loss_at(step: int) -> torch.Tensor:  # noqa: ARG001
            rows = share_on(device, batches.draw(), context)
            t = share_on(device, spread_times(batches.size, generator), context)
            uniforms = share_on(device, torch.rand(batches.size, train.length, generator=generator), context)
            x_t = mask(codes[rows], t, uniforms)
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16_pays(device)):
                logits = predict(x_t, t, values[rows])
            return bound(logits, codes[rows], x_t, t).mean()

        self.curve = optimise(
            network,
            loss_at,
            batches,
            steps=options.steps,
            lr=options.lr,
            checkpoint=context.checkpoint(STAGE),
            context=context,
            stage=STAGE,
            configuration=asdict(options) | {"length": train.length},
        )

    @torch.no_grad()
    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` sequences without N, labelled with the columns that the model conditions on.

        Row i has the labels of row i of ``context.labels``; without those they are drawn as often as the training
        sequences have them. UserError for a value that no training sequence has, and for another length.
        """
        if not self.length:
            raise UserError("mdlm has not been trained: call fit or load first")
        if context.length != self.length:
            raise UserError(f"mdlm was trained on {self.length} bp and cannot sample {context.length} bp")
        device, generator = torch.device(context.device), context.torch_generator()
        network = self.denoiser.to(device)
        drawn = self.labels.draw(n, context)
        values = torch.from_numpy(drawn)
        codes = np.empty((n, self.length), np.uint8)
        for start in range(0, n, CHUNK):
            rows = min(CHUNK, n - start)
            filled = torch.zeros(CHUNK, values.shape[1], dtype=torch.int64)
            filled[:rows] = values[start : start + rows]
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16_pays(device)):
                x = sample(
                    partial(network, labels=filled.to(device)),
                    CHUNK,
                    self.length,
                    self.options.sampling_steps,
                    generator,
                    context.device,
                )
            codes[start : start + rows] = x[:rows].cpu().numpy()
            context.progress(start + rows, n, "sample")
        return SequenceSet(codes, labels=self.labels.decode(drawn), copy=False)

    def save(self, directory: Path) -> None:
        """Write ``model.json`` (options, length, labels), ``model.safetensors`` (weights) and ``losses.csv``."""
        about = {"length": self.length, "options": asdict(self.options), "labels": self.labels.to_json()}
        (directory / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        weights = {name: tensor.cpu().contiguous() for name, tensor in self.denoiser.state_dict().items()}
        save_file(weights, directory / "model.safetensors")
        rows = "".join(f"{STAGE},{step},{loss:.9g}\n" for step, loss in self.curve)
        (directory / "losses.csv").write_text("stage,step,loss\n" + rows, encoding="utf-8", newline="\n")

    def load(self, directory: Path) -> None:
        """Restore what ``save`` wrote, its options included."""
        about = json.loads((directory / "model.json").read_text(encoding="utf-8"))
        self.options = MdlmOptions(**about["options"])
        with seeded(torch.Generator()):
            self._build(about["length"], LabelCodes.from_json(about["labels"]))
        self.denoiser.load_state_dict(load_file(directory / "model.safetensors"))
        with (directory / "losses.csv").open(encoding="utf-8", newline="") as file:
            self.curve = [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]

    def _build(self, length: int, labels: LabelCodes) -> None:
        options, self.length, self.labels = self.options, length, labels
        self.denoiser = Denoiser(length, options.width, options.layers, options.position, labels.sizes).eval()
