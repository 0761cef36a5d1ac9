"""Options and presets of the generator ``lstm``; imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dnabench import option

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class LstmOptions:
    """What can be set; the defaults are the preset ``quick``."""

    layers: int = option(2, "LSTM layers", minimum=1)
    hidden: int = option(96, "units per layer", minimum=1)
    embedding: int = option(32, "numbers that a letter, a position and a label are each embedded in", minimum=1)
    position: bool = option(True, "add a learned embedding of the position to every input")
    condition: str = option("", "label columns to condition on, such as species or species,class; empty for none")
    dropout: float = option(
        0.0,
        "share of each layer's outputs that are set to 0 in training, the same at all positions",
        minimum=0,
        maximum=1,
    )
    batch_size: int = option(16, "sequences per step", minimum=1)
    steps: int = option(3_600, "training steps", minimum=1)
    learning_rate: float = option(7e-3, "peak of AdamW's step size", minimum=0)
    ema_decay: float = option(
        0.99, "sample from this moving average of the weights; 0: from the last ones", minimum=0, maximum=1
    )
    devices: int = option(1, "processes that train together, each on a GPU of its own, or on the CPU", minimum=1)

    def __post_init__(self) -> None:
        if self.dropout >= 1:
            raise ValueError(f"dropout is {self.dropout}; it must be below 1")
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size is {self.batch_size}; {self.devices} devices share multiples of {self.devices}"
            )


_PUBLISHED = {"hidden": 544, "embedding": 64, "dropout": 0.3, "batch_size": 128, "learning_rate": 2e-3}
"""Two layers and 3,701,764 parameters, 16,384 more with positions of 256 bp; the published model has about 3.7 M."""

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {},
    "standard": _PUBLISHED | {"steps": 3_000, "ema_decay": 0.999},
    "paper": _PUBLISHED | {"position": False, "steps": 20_000, "ema_decay": 0.999},
}
