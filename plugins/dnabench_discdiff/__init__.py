"""DiscDiff: latent diffusion for DNA (Li et al. 2023, arXiv 2310.06150), and its first stage alone."""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import GeneratorSpec, hookimpl
from dnabench_discdiff.options import PRESETS, VAE_PRESETS, DiscDiffOptions, VaeOptions


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The generators ``discdiff`` and ``vae``."""
    yield GeneratorSpec(
        name="discdiff",
        target="dnabench_discdiff.model:DiscDiff",
        summary="latent diffusion: a variational autoencoder of DNA and a denoising U-Net on its latents",
        version=3,
        options=DiscDiffOptions,
        citation="Li et al. 2023, DiscDiff, arXiv:2310.06150",
        devices=("cpu", "cuda"),
        uses_labels=True,
        label_option="condition",
        devices_option="devices",
        presets=PRESETS,
    )
    yield GeneratorSpec(
        name="vae",
        target="dnabench_discdiff.vae:Vae",
        summary="DiscDiff's first stage alone: a variational autoencoder, sampled from its prior",
        version=2,
        options=VaeOptions,
        citation="Kingma & Welling 2014, arXiv:1312.6114",
        devices=("cpu", "cuda"),
        uses_labels=True,
        label_option="condition",
        devices_option="devices",
        presets=VAE_PRESETS,
    )
