"""The generator: an autoencoder, a denoiser of its latents, and the way from noise to bases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from dnabench import Context, SequenceSet, UserError
from dnabench_discdiff.autoencoder import Autoencoder
from dnabench_discdiff.decoders import AutoregressiveHead
from dnabench_discdiff.denoiser import Denoiser
from dnabench_discdiff.diffusion import Diffusion
from dnabench_discdiff.options import PATCH, DiscDiffOptions
from dnabench_discdiff.training import train_autoencoder, train_denoiser

CHUNK = 512
"""Sequences sampled or encoded at once; fixed, because results move in the last digits with the batch size."""


class DiscDiff:
    """Latent diffusion for DNA after Li et al. 2023 (arXiv 2310.06150)."""

    def __init__(self, options: DiscDiffOptions) -> None:
        self.options = options
        self.length = 0  # bp; set by fit or load

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Train the autoencoder on ``train``, then the denoiser on the frozen autoencoder's latents.

        An interrupted training goes on from its checkpoints in ``context.scratch``. Processes that train together all
        end with the weights that are saved. UserError for a length that is no multiple of 16 bp, when there are no
        sequences, and when the processes cannot share a batch evenly.
        """
        if train.length < PATCH or train.length % PATCH:
            raise UserError(f"discdiff takes sequences of a multiple of {PATCH} bp, not of {train.length} bp")
        if not len(train):
            raise UserError("discdiff cannot learn from an empty training set")
        options = self.options
        with seeded(context.torch_generator()):
            self._build(train.length)
        codes = torch.from_numpy(train.codes.copy())
        if isinstance(self.autoencoder.head, AutoregressiveHead):
            self.autoencoder.head.chain.count(codes)
        self._to(context.device)
        codes = codes.to(context.device)
        train_autoencoder(
            self.autoencoder,
            codes,
            batch=options.autoencoder_batch,
            steps=options.autoencoder_steps,
            peak=options.autoencoder_lr,
            kl_weight=options.kl_weight,
            free_nats=options.free_nats,
            generator=context.torch_generator(),
            checkpoint=context.checkpoint("autoencoder"),
            context=context,
        )
        mean, spread = self._posterior(codes)
        train_denoiser(
            self.denoiser,
            Diffusion(options.schedule, options.prediction, context.device),
            mean,
            spread,
            batch=options.denoiser_batch,
            steps=options.denoiser_steps,
            peak=options.denoiser_lr,
            generator=context.torch_generator(),
            checkpoint=context.checkpoint("denoiser"),
            context=context,
        )

    @torch.no_grad()
    def sample(self, n: int, *, context: Context) -> np.ndarray:
        """``n`` sequences: uint8 codes (n, length), never N."""
        if not self.length:
            raise UserError("discdiff has not been trained: call fit or load first")
        if context.length != self.length:
            raise UserError(f"discdiff was trained on {self.length} bp and cannot sample {context.length} bp")
        self._to(context.device)
        options, generator = self.options, context.torch_generator()
        diffusion = Diffusion(options.schedule, options.prediction, context.device)
        codes = np.empty((n, self.length), np.uint8)
        for start in range(0, n, CHUNK):
            rows = min(CHUNK, n - start)
            x = torch.randn(rows, *self.autoencoder.latent_shape, generator=generator).to(context.device)
            if options.sampler == "ddpm":
                x = diffusion.sample_ddpm(self.denoiser, x, generator)
            else:
                x = diffusion.sample_dpm_solver(self.denoiser, x, options.sampling_steps)
            z = x * self.latent_scale + self.latent_mean
            codes[start : start + rows] = self.autoencoder.decode(z, generator).to("cpu", torch.uint8).numpy()
            context.progress(start + rows, n, "sample")
        return codes

    def save(self, directory: Path) -> None:
        """Write ``model.json`` (options, length) and ``model.safetensors`` (all weights, latent statistics)."""
        about = {"length": self.length, "options": asdict(self.options)}
        (directory / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self._tensors().items()}
        save_file(tensors, directory / "model.safetensors")

    def load(self, directory: Path) -> None:
        """Restore what ``save`` wrote, its options included."""
        about = json.loads((directory / "model.json").read_text(encoding="utf-8"))
        self.options = DiscDiffOptions(**about["options"])
        with seeded(torch.Generator()):
            self._build(about["length"])
        stored = load_file(directory / "model.safetensors")
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(stored[name])

    def _build(self, length: int) -> None:
        options, self.length = self.options, length
        self.autoencoder = Autoencoder(
            length, options.latent_channels, options.width, options.decoder, options.context, options.head_width
        ).eval()
        self.denoiser = Denoiser(
            *self.autoencoder.latent_shape, width=options.denoiser_width, blocks=options.denoiser_blocks
        ).eval()
        self.latent_mean = torch.zeros(options.latent_channels)
        self.latent_scale = torch.ones(options.latent_channels)

    def _to(self, device: str) -> None:
        for name in ("autoencoder", "denoiser", "latent_mean", "latent_scale"):
            setattr(self, name, getattr(self, name).to(device))

    def _tensors(self) -> dict[str, torch.Tensor]:
        modules: dict[str, nn.Module] = {"autoencoder": self.autoencoder, "denoiser": self.denoiser}
        weights = {f"{part}.{name}": t for part, module in modules.items() for name, t in module.state_dict().items()}
        return weights | {"latent_mean": self.latent_mean, "latent_scale": self.latent_scale}

    @torch.no_grad()
    def _posterior(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation (n, T, channels) of every sequence's latent, scaled if the options say so."""
        parts = [self.autoencoder.encode(chunk.long()) for chunk in torch.split(codes, CHUNK)]
        mean = torch.cat([mean for mean, _ in parts])
        spread = torch.cat([(0.5 * log_variance).exp() for _, log_variance in parts])
        if self.options.normalise_latents:
            variance = mean.double().var((0, 1), correction=0) + spread.double().square().mean((0, 1))
            self.latent_mean = mean.double().mean((0, 1)).float()
            self.latent_scale = variance.sqrt().float()
        return (mean - self.latent_mean) / self.latent_scale, spread / self.latent_scale


@contextmanager
def seeded(generator: torch.Generator) -> Iterator[None]:
    """Torch's own CPU generator, which initialises layers, seeded from ``generator`` and put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator.initial_seed())
        yield
