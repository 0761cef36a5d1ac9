"""Options and presets of the generator ``mdlm``; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dnabench import option

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class MdlmOptions:
    """What can be set; the defaults are the preset ``quick``."""

    width: int = option(32, "channels of every convolution", minimum=2)
    layers: int = option(5, "dilated convolutions, with dilations 1, 1, 4, 16, 64 over and over", minimum=1)
    position: bool = option(True, "learn an embedding of every position, for sequences that are aligned")
    condition: str = option("", "label columns to condition on, such as species or species,class; empty for none")
    steps: int = option(2300, "training steps", minimum=1)
    batch: int = option(32, "sequences per training step", minimum=1)
    lr: float = option(4e-3, "peak learning rate", minimum=0)
    sampling_steps: int = option(
        32, "steps from all masked to none; a base unmasks at any with equal chance", minimum=1
    )
    devices: int = option(1, "processes that train together, each on a GPU of its own, or on the CPU", minimum=1)

    def __post_init__(self) -> None:
        if self.batch % self.devices:
            raise ValueError(f"batch is {self.batch}; {self.devices} devices share multiples of {self.devices}")


_PAPER = {"width": 128, "layers": 20, "batch": 128, "lr": 5e-4, "sampling_steps": 128}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {},
    "standard": _PAPER | {"steps": 20_000},
    "paper": _PAPER | {"steps": 100_000},
}
