"""The generator ``discdiff``: an autoencoder, a denoiser of its latents, and the way from noise to bases."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from dnabench.training import bfloat16_pays
from dnabench_discdiff.conditions import not_told
from dnabench_discdiff.denoiser import Denoiser
from dnabench_discdiff.diffusion import Diffusion
from dnabench_discdiff.options import DiscDiffOptions
from dnabench_discdiff.released.denoiser import ReleasedDenoiser
from dnabench_discdiff.training import Data, train_denoiser, train_jointly
from dnabench_discdiff.vae import CHUNK, Vae

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet


class DiscDiff(Vae):
    """Latent diffusion for DNA after Li et al. 2023 (arXiv 2310.06150): a VAE whose prior is a diffusion model."""

    options_type: ClassVar[type[DiscDiffOptions]] = DiscDiffOptions
    name: ClassVar[str] = "discdiff"
    options: DiscDiffOptions

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Train the autoencoder, then the denoiser on the frozen autoencoder's latents; or both at once.

        See :meth:`Vae.fit`.
        """
        data, options = self._prepare(train, context), self.options
        diffusion = Diffusion(options.schedule, options.prediction, context.device)
        if options.stages == "one":
            self.curves["both stages"] = train_jointly(
                self.autoencoder,
                self.denoiser,
                diffusion,
                data,
                options,
                generator=context.torch_generator(),
                checkpoint=context.checkpoint("both"),
                context=context,
            )
            self._measure_latents(data)
            self._fit_refiner(data, context)
            return
        self._fit_autoencoder(data, context)
        mean, spread = self._measure_latents(data)

        def posterior(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return mean[rows], spread[rows]

        @torch.no_grad()
        def posterior_of_batch(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            self.autoencoder.train()  # as in the release: batch normalisation by the batch
            of_batch, log_variance = self.autoencoder.encode(data.codes[rows].long(), data.labels[rows])
            return self._scaled(of_batch, (0.5 * log_variance).exp())

        self.curves["denoiser"] = train_denoiser(
            self.denoiser,
            diffusion,
            posterior_of_batch if options.batch_statistics else posterior,
            data,
            options,
            generator=context.torch_generator(),
            checkpoint=context.checkpoint("denoiser"),
            context=context,
            latents=self.autoencoder,
        )
        self.autoencoder.eval()

    def _latents(self, labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        options = self.options
        diffusion = Diffusion(options.schedule, options.prediction, labels.device)
        x = super()._latents(labels, generator)

        # 1.65 times as fast on a CPU, and what it was trained in; the release samples in full precision.
        bfloat16 = options.denoiser != "released" and bfloat16_pays(labels.device)
        nothing = not_told(self.labels.sizes, len(labels), labels.device)

        def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bfloat16):
                told: torch.Tensor = self.denoiser(x, t, labels)
                if options.guidance == 1:
                    return told
                untold = self.denoiser(x, t, nothing)
            return untold + options.guidance * (told - untold)  # type: ignore[no-any-return]

        if options.sampler == "ddpm":
            x = diffusion.sample_ddpm(denoise, x, generator)
        else:
            x = diffusion.sample_dpm_solver(denoise, x, options.sampling_steps)
        return x * self.latent_scale + self.latent_mean

    def _build(self, length: int) -> None:
        super()._build(length)
        options, shape = self.options, self.autoencoder.latent_shape
        if options.denoiser == "released":
            self.denoiser: nn.Module = ReleasedDenoiser(
                shape, options.denoiser_width, options.denoiser_blocks, self.labels.sizes
            )
        else:
            tokens, channels = shape
            self.denoiser = Denoiser(
                tokens,
                channels,
                options.denoiser_width,
                options.denoiser_blocks,
                mixer=options.denoiser,
                values=self.labels.sizes,
            )
        self.denoiser.eval()
        scales = shape[-1] if len(shape) == 2 else 1  # the released network's latent is an image: one scale for all
        self.latent_mean, self.latent_scale = torch.zeros(scales), torch.ones(scales)

    def _modules(self) -> dict[str, nn.Module]:
        return {**super()._modules(), "denoiser": self.denoiser}

    def _to(self, device: str) -> None:
        super()._to(device)
        self.latent_mean, self.latent_scale = self.latent_mean.to(device), self.latent_scale.to(device)

    def _tensors(self) -> dict[str, torch.Tensor]:
        return super()._tensors() | {"latent_mean": self.latent_mean, "latent_scale": self.latent_scale}

    def _scaled(self, mean: torch.Tensor, spread: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (mean - self.latent_mean) / self.latent_scale, spread / self.latent_scale

    @torch.no_grad()
    def _measure_latents(self, data: Data) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation (n, ...) of every sequence's latent, scaled if the options say so.

        The scale is measured here: one for each channel of a token.
        """
        chunks = zip(torch.split(data.codes, CHUNK), torch.split(data.labels, CHUNK), strict=True)
        parts = [self.autoencoder.encode(codes.long(), labels) for codes, labels in chunks]
        mean = torch.cat([mean for mean, _ in parts])
        spread = torch.cat([(0.5 * log_variance).exp() for _, log_variance in parts])
        if self.options.normalise_latents:
            scales = len(self.latent_mean)
            flat, noise = mean.double().reshape(-1, scales), spread.double().reshape(-1, scales)
            self.latent_mean = flat.mean(0).float()
            self.latent_scale = (flat.var(0, correction=0) + noise.square().mean(0)).sqrt().float()
        return self._scaled(mean, spread)
