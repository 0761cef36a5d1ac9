"""The generator ``gan`` of dnabench: Wasserstein GAN with gradient penalty."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from dnabench import UserError
from dnabench_gan.networks import Critic, Generator, initialise
from dnabench_gan.options import GanOptions
from dnabench_gan.training import train as train_networks

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench import Context, SequenceSet

SAMPLE_CHUNK = 256  # sequences per pass, the last one filled up: a sequence does not depend on how many are asked for
WEIGHTS = "generator.safetensors"
SETTINGS = "gan.json"


class WassersteinGan:
    """WGAN-GP for DNA after Killoran et al. 2017 (arXiv 1712.06148)."""

    def __init__(self, options: GanOptions) -> None:
        self.options = options
        self._network: Generator | None = None
        self._length = 0

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Train on ``train.codes``, N as a quarter of each base.

        An interrupted training goes on from its checkpoint in ``context.scratch``. Processes that train together all
        end with the weights that are saved. UserError when there are no sequences, RuntimeError when the loss does not
        stay finite.
        """
        if len(train) == 0:
            raise UserError("gan learns from training sequences, and there are none")
        weights_random, training_random = context.torch_generator(), context.torch_generator()
        self._length = train.length
        generator, critic = self._new_generator(), self._new_critic()
        initialise(generator, weights_random)
        initialise(critic, weights_random)
        self._network = train_networks(
            generator.to(context.device),
            critic.to(context.device),
            torch.from_numpy(train.codes.copy()).to(context.device),
            options=self.options,
            random=training_random,
            checkpoint=context.checkpoint("gan"),
            context=context,
        )

    @torch.no_grad()
    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """Codes 0 to 3, uint8, shape ``(n, context.length)``: one base per position from the softmax outputs."""
        network = self._fitted()
        if context.length != self._length:
            raise ValueError(f"gan: fitted on {self._length} bp, it cannot sample {context.length} bp")
        random = context.torch_generator()
        network.to(context.device)
        chunks = [np.empty((0, self._length), np.uint8)]
        for done in range(0, n, SAMPLE_CHUNK):
            z = torch.randn(SAMPLE_CHUNK, self.options.latent, generator=random)
            probabilities = network(z.to(context.device)).cpu()  # (SAMPLE_CHUNK, 4, length)
            chunks.append(self._decode(probabilities, random)[: n - done])
            context.progress(min(done + SAMPLE_CHUNK, n), n, "sample")
        return np.concatenate(chunks)

    def save(self, directory: Path) -> None:
        """Write the generator's weights as safetensors, and the options and the length as JSON."""
        network = self._fitted()
        state = {name: tensor.cpu().contiguous() for name, tensor in network.state_dict().items()}
        save_file(state, directory / WEIGHTS)
        settings = {"length": self._length, "options": dataclasses.asdict(self.options)}
        (directory / SETTINGS).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")

    def load(self, directory: Path) -> None:
        """Restore weights, options and length."""
        settings = json.loads((directory / SETTINGS).read_text(encoding="utf-8"))
        self.options = GanOptions(**settings["options"])
        self._length = settings["length"]
        self._network = self._new_generator()
        self._network.load_state_dict(load_file(directory / WEIGHTS))

    def _decode(self, probabilities: Tensor, random: torch.Generator) -> np.ndarray:
        if self.options.decode == "argmax":
            codes = probabilities.argmax(1)
        else:
            uniform = torch.rand(len(probabilities), 1, self._length, generator=random)
            codes = (uniform > probabilities.cumsum(1)[:, :3]).sum(1)
        return codes.numpy().astype(np.uint8)

    def _fitted(self) -> Generator:
        if self._network is None:
            raise RuntimeError("gan: neither fit nor load was called")
        return self._network

    # The layers draw initial weights from PyTorch's global generator when they are made; those are replaced at once,
    # and the fork puts the global generator back.

    def _new_generator(self) -> Generator:
        o = self.options
        with torch.random.fork_rng(devices=[]):
            return Generator(latent=o.latent, channels=o.channels, blocks=o.blocks, length=self._length)

    def _new_critic(self) -> Critic:
        with torch.random.fork_rng(devices=[]):
            return Critic(channels=self.options.channels, blocks=self.options.blocks, length=self._length)
