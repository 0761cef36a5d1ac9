"""The generator: a network trained to predict the next base, and sequences drawn from it base by base."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from dnabench import Context, LabelCodes, SequenceSet, UserError
from dnabench.training import Batches, bfloat16_pays, optimise, seeded, share_on
from dnabench_lstm.network import Network
from dnabench_lstm.options import LstmOptions

CHUNK = 512
"""Sequences sampled at once; always as many, because results move in the last digits with their number."""


class Lstm:
    """A character-level LSTM language model of DNA."""

    def __init__(self, options: LstmOptions) -> None:
        self.options = options
        self.length = 0  # bp; set by fit or load
        self.losses: list[tuple[int, float]] = []

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Maximise the likelihood of ``train``; an N is read, but not predicted.

        An interrupted training goes on from its checkpoint in ``context.scratch``. Processes that train together all
        end with the weights that are saved. UserError when there are no sequences, when they lack a label that the
        model is to condition on, when the loss is not finite, and when processes cannot share a batch evenly.
        """
        options, generator = self.options, context.torch_generator()
        self.labels = LabelCodes.learn(options.condition, train.labels)
        with seeded(context.torch_generator()):
            self._build(train.length)
        network = self.network.to(context.device).train()  # cuDNN's LSTM has no backward pass in eval mode
        codes = torch.from_numpy(train.codes.copy()).to(context.device)
        labels = torch.from_numpy(self.labels.encode(train.labels)).to(context.device)
        batches = Batches(len(codes), options.batch_size, generator)
        loss = context.together(_Loss(network), codes[:1].long(), labels[:1])

        def loss_at(step: int) -> torch.Tensor:  # noqa: ARG001
            rows = share_on(codes.device, batches.draw(), context)
            keep = [share_on(codes.device, mask, context) for mask in self._masks(batches.size, generator)]
            with torch.autocast(codes.device.type, dtype=torch.bfloat16, enabled=bfloat16_pays(codes.device)):
                nats: torch.Tensor = loss(codes[rows].long(), labels[rows], keep)
            return nats

        self.losses = optimise(
            network,
            loss_at,
            batches,
            steps=options.steps,
            lr=options.learning_rate,
            decay=options.ema_decay,
            checkpoint=context.checkpoint("train"),
            context=context,
            configuration=asdict(options) | {"length": train.length},
        )

    def sample(self, n: int, *, context: Context) -> SequenceSet:
        """``n`` sequences without N, labelled with the columns that the model conditions on.

        Row i has the labels of row i of ``context.labels``; where those are not given they are drawn as often as the
        training sequences have them. UserError for a value that no training sequence has.
        """
        if not self.length:
            raise UserError("lstm has not been trained: call fit or load first")
        if context.length != self.length:
            raise UserError(f"lstm was trained on {self.length} bp and cannot sample {context.length} bp")
        network, generator = self.network.to(context.device), context.torch_generator()
        drawn = self.labels.draw(n, context)
        codes = np.empty((n, self.length), np.uint8)
        for start in range(0, n, CHUNK):
            rows = min(CHUNK, n - start)
            labels = torch.zeros(CHUNK, drawn.shape[1], dtype=torch.int64)
            labels[:rows] = torch.from_numpy(drawn[start : start + rows])
            uniforms = torch.rand(self.length, CHUNK, generator=generator)
            bases = network.sample(labels.to(context.device), uniforms.to(context.device))
            codes[start : start + rows] = bases[:rows].to("cpu", torch.uint8).numpy()
            context.progress(start + rows, n, "sample")
        return SequenceSet(codes, labels=self.labels.decode(drawn), copy=False)

    def save(self, directory: Path) -> None:
        """Write ``model.json`` (options, length, labels), ``model.safetensors`` (weights) and ``losses.csv``."""
        about = {"length": self.length, "options": asdict(self.options), "labels": self.labels.to_json()}
        (directory / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        weights = {name: tensor.detach().cpu() for name, tensor in self.network.state_dict().items()}
        save_file(weights, directory / "model.safetensors")
        curve = "".join(f"train,{step},{loss:.9g}\n" for step, loss in self.losses)
        (directory / "losses.csv").write_text("stage,step,loss\n" + curve, encoding="utf-8", newline="\n")

    def load(self, directory: Path) -> None:
        """Restore what ``save`` wrote, its options included."""
        about = json.loads((directory / "model.json").read_text(encoding="utf-8"))
        self.options = LstmOptions(**about["options"])
        self.labels = LabelCodes.from_json(about["labels"])
        with seeded(torch.Generator()):
            self._build(about["length"])
        self.network.load_state_dict(load_file(directory / "model.safetensors"))
        with (directory / "losses.csv").open(encoding="utf-8", newline="") as file:
            self.losses = [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]

    def _build(self, length: int) -> None:
        options, self.length = self.options, length
        positions = length if options.position else 0
        self.network = Network(options.layers, options.hidden, options.embedding, positions, self.labels.sizes).eval()

    def _masks(self, rows: int, generator: torch.Generator) -> list[torch.Tensor]:
        """Dropout's factors on the outputs of every layer, float32 (rows, hidden) each; none without dropout."""
        options, share = self.options, 1 - self.options.dropout
        if not options.dropout:
            return []
        shape = options.layers, rows, options.hidden
        return list((torch.rand(shape, generator=generator) < share).float().div_(share))


class _Loss(nn.Module):
    """The loss as a module's output, the form that gradients of several processes are averaged in."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, codes: torch.Tensor, labels: torch.Tensor, keep: Sequence[torch.Tensor] = ()) -> torch.Tensor:
        """See ``Network.loss``."""
        return self.network.loss(codes, labels, keep)
