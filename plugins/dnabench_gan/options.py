"""The options of the GAN. The defaults are the preset ``quick``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dnabench import option

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class GanOptions:
    """Network sizes and training of WGAN-GP; one iteration is ``critic_steps`` critic steps and one generator step."""

    latent: int = option(100, "dimension of the latent vector", minimum=1)
    channels: int = option(32, "channels of every convolution, in generator and critic", minimum=1)
    blocks: int = option(1, "residual blocks, in generator and critic", minimum=1)
    batch_size: int = option(32, "sequences per step", minimum=1)
    iterations: int = option(1_200, "generator steps", minimum=1)
    critic_steps: int = option(2, "critic steps per generator step", minimum=1)
    learning_rate: float = option(2e-3, "Adam's step size, of generator and critic", minimum=0)
    penalty: float = option(10.0, "weight of the gradient penalty", minimum=0)
    ema_decay: float = option(
        0.99, "sample from this moving average of the generator's weights; 0: from the last ones", minimum=0, maximum=1
    )
    decode: Literal["argmax", "sample"] = option("argmax", "base per position: the most probable one, or a draw")
    devices: int = option(1, "processes that train together, each on a GPU of its own, or on the CPU", minimum=1)

    def __post_init__(self) -> None:
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size is {self.batch_size}; {self.devices} devices share multiples of {self.devices}"
            )


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {},
    "standard": {
        "channels": 100,
        "blocks": 5,
        "batch_size": 64,
        "iterations": 20_000,
        "critic_steps": 5,
        "learning_rate": 1e-4,
        "ema_decay": 0.999,
    },
    # Killoran et al. 2017, section 3.1 and the released code; they keep no average of the weights.
    "paper": {
        "latent": 100,
        "channels": 100,
        "blocks": 5,
        "batch_size": 64,
        "iterations": 100_000,
        "critic_steps": 5,
        "learning_rate": 1e-4,
        "penalty": 10.0,
        "ema_decay": 0.0,
        "decode": "argmax",
    },
}
