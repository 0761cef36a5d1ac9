"""DiscDiff: latent diffusion for DNA (Li et al. 2023, arXiv 2310.06150)."""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import GeneratorSpec, hookimpl
from dnabench_discdiff.options import PATCH, PRESETS, DiscDiffOptions


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The generator ``discdiff``."""
    yield GeneratorSpec(
        name="discdiff",
        target="dnabench_discdiff.model:DiscDiff",
        summary="latent diffusion: a variational autoencoder of DNA and a denoising U-Net on its latents",
        options=DiscDiffOptions,
        citation="Li et al. 2023, DiscDiff, arXiv:2310.06150",
        devices=("cpu", "cuda"),
        length_multiple=PATCH,
        devices_option="devices",
        presets=PRESETS,
    )
