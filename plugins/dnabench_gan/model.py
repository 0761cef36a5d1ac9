"""The generator ``gan`` of dnabench: Wasserstein GAN with gradient penalty."""

from __future__ import annotations

import csv
import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from dnabench import UserError
from dnabench.training import seeded
from dnabench_gan.networks import Critic, Generator, initialise
from dnabench_gan.options import GanOptions
from dnabench_gan.tokens import TokenCritic, TokenGenerator
from dnabench_gan.training import draw
from dnabench_gan.training import train as train_networks
from dnabench_gan.watch import STAGES

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context, SequenceSet
    from dnabench_gan.watch import Curves

SAMPLE_CHUNK = 256  # sequences per pass, the last one filled up: a sequence does not depend on how many are asked for
WEIGHTS = "generator.safetensors"
SETTINGS = "gan.json"
LOSSES = "losses.csv"


class WassersteinGan:
    """WGAN-GP for DNA after Killoran et al. 2017 (arXiv 1712.06148)."""

    def __init__(self, options: GanOptions) -> None:
        self.options = options
        self.curves: Curves = {stage: [] for stage in STAGES}
        self._network: Generator | TokenGenerator | None = None
        self._length = 0

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Train on ``train.codes``, N as a quarter of each base.

        An interrupted training goes on from its checkpoint in ``context.scratch``. Processes that train together all
        end with the weights that are saved. UserError when there are no sequences, when a loss is not finite, and when
        the checkpoint is one of another configuration.
        """
        if len(train) == 0:
            raise UserError("gan learns from training sequences, and there are none")
        weights_random, training_random = context.torch_generator(), context.torch_generator()
        self._length = train.length
        generator, critic = self._new_generator(), self._new_critic()
        initialise(generator, weights_random)
        initialise(critic, weights_random)
        self.curves = train_networks(
            generator.to(context.device),
            critic.to(context.device),
            torch.from_numpy(train.codes.copy()).to(context.device),
            options=self.options,
            random=training_random,
            checkpoint=context.checkpoint("gan"),
            context=context,
        )
        self._network = generator

    @torch.no_grad()
    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """Codes 0 to 3, uint8, shape ``(n, context.length)``: one base per position from the softmax outputs."""
        network = self._fitted()
        if context.length != self._length:
            raise UserError(f"gan was trained on {self._length} bp and cannot sample {context.length} bp")
        random = context.torch_generator()
        network.to(context.device)
        codes = np.empty((n, self._length), np.uint8)
        for done in range(0, n, SAMPLE_CHUNK):
            rows = min(SAMPLE_CHUNK, n - done)
            z = torch.randn(SAMPLE_CHUNK, network.inputs, generator=random)
            probabilities = network(z.to(context.device)).cpu()  # (SAMPLE_CHUNK, 4, length)
            if self.options.decode == "argmax":
                bases = probabilities.argmax(1)
            else:
                bases = draw(probabilities, torch.rand(SAMPLE_CHUNK, self._length, generator=random))
            codes[done : done + rows] = bases[:rows].numpy()
            context.progress(done + rows, n, "sample")
        return codes

    def save(self, directory: Path) -> None:
        """Write the generator's weights as safetensors, options and length as JSON, and ``losses.csv``."""
        network = self._fitted()
        state = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
        save_file(state, directory / WEIGHTS)
        settings = {"length": self._length, "options": dataclasses.asdict(self.options)}
        (directory / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        rows = [f"{stage},{step},{loss:.9g}\n" for stage, curve in self.curves.items() for step, loss in curve]
        (directory / LOSSES).write_text("stage,step,loss\n" + "".join(rows), encoding="utf-8", newline="\n")

    def load(self, directory: Path) -> None:
        """Restore what ``save`` wrote, its options included. UserError when the weights are another network's."""
        settings = json.loads((directory / SETTINGS).read_text(encoding="utf-8"))
        self.options = GanOptions(**settings["options"])
        self._length = settings["length"]
        self._network = self._new_generator()
        try:
            self._network.load_state_dict(load_file(directory / WEIGHTS))
        except RuntimeError as error:
            raise UserError(f"{directory / WEIGHTS}: not the weights of the network in {SETTINGS}") from error
        self.curves = {stage: [] for stage in STAGES}
        with (directory / LOSSES).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                self.curves[row["stage"]].append((int(row["step"]), float(row["loss"])))

    def _fitted(self) -> Generator | TokenGenerator:
        if self._network is None:
            raise UserError("gan has not been trained: call fit or load first")
        return self._network

    def _new_generator(self) -> Generator | TokenGenerator:
        o, length = self.options, self._length
        with seeded(torch.Generator()):  # the layers' own initial weights are replaced at once
            if o.network == "residual":
                return Generator(latent=o.latent, channels=o.channels, blocks=o.blocks, length=length)
            return TokenGenerator(
                latent=o.latent, noise=o.noise, channels=o.channels, blocks=o.generator_blocks, length=length
            )

    def _new_critic(self) -> Critic | TokenCritic:
        kind = Critic if self.options.network == "residual" else TokenCritic
        with seeded(torch.Generator()):
            return kind(channels=self.options.channels, blocks=self.options.blocks, length=self._length)
