"""dnabench plugin: a Wasserstein GAN for DNA. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import GeneratorSpec, hookimpl
from dnabench_gan.options import PRESETS, GanOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The generator ``gan``."""
    yield GeneratorSpec(
        name="gan",
        version=2,
        target="dnabench_gan.model:WassersteinGan",
        summary="Wasserstein GAN with gradient penalty: residual convolutions over tokens of 4 bp",
        options=GanOptions,
        citation="Killoran et al. 2017, arXiv 1712.06148; Gulrajani et al. 2017, arXiv 1704.00028",
        devices=("cpu", "cuda"),
        devices_option="devices",
        presets=PRESETS,
    )
