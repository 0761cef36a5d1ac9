"""dnabench plugin: masked discrete diffusion for DNA. Nothing heavy is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import GeneratorSpec, hookimpl
from dnabench_mdlm.options import PRESETS, MdlmOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The generator ``mdlm``."""
    yield GeneratorSpec(
        name="mdlm",
        target="dnabench_mdlm.model:MaskedDiffusion",
        summary="masked discrete diffusion: dilated convolutions fill in masked bases, a few at a time",
        options=MdlmOptions,
        citation="Sahoo et al. 2024, MDLM, arXiv:2406.07524; backbone: Stark et al. 2024, arXiv:2402.05841",
        devices=("cpu", "cuda"),
        uses_labels=True,
        label_option="condition",
        devices_option="devices",
        presets=PRESETS,
    )
