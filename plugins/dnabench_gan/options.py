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

    network: Literal["tokens", "residual"] = option(
        "tokens", "tokens of 4 bp, and a critic that compares distant parts; residual: convolutions as in the paper"
    )
    latent: int = option(100, "dimension of the latent vector", minimum=1)
    noise: int = option(16, "numbers of noise per token that the generator gets too (tokens only)", minimum=1)
    channels: int = option(64, "channels of every convolution, in generator and critic", minimum=1)
    blocks: int = option(3, "residual blocks of the critic, and of a residual network's generator", minimum=1)
    generator_blocks: int = option(2, "residual blocks of the generator (tokens only)", minimum=1)
    batch_size: int = option(32, "sequences per step", minimum=1)
    iterations: int = option(1_300, "generator steps", minimum=1)
    critic_steps: int = option(2, "critic steps per generator step", minimum=1)
    learning_rate: float = option(1e-3, "Adam's step size, of the generator", minimum=0)
    critic_learning_rate: float = option(3e-3, "Adam's step size, of the critic", minimum=0)
    constant_share: float = option(
        0.5, "share of the iterations after which both step sizes fall, linearly to 0; 1: never", minimum=0, maximum=1
    )
    penalty: float = option(10.0, "weight of the gradient penalty", minimum=0)
    ema_decay: float = option(
        0.99, "sample from this moving average of the generator's weights; 0: from the last ones", minimum=0, maximum=1
    )
    straight_through: bool = option(
        True, "the critic sees drawn bases, with the gradient of their probabilities; false: the probabilities"
    )
    decode: Literal["argmax", "sample"] = option("sample", "base per position: the most probable one, or a draw")
    devices: int = option(1, "processes that train together, each on a GPU of its own, or on the CPU", minimum=1)

    def __post_init__(self) -> None:
        if self.batch_size % self.devices:
            raise ValueError(
                f"batch_size is {self.batch_size}; {self.devices} devices share multiples of {self.devices}"
            )


PRESETS: Mapping[str, Mapping[str, Any]] = {
    "quick": {},
    # What one GPU should do in ten minutes; it was not run there.
    "standard": {
        "channels": 128,
        "blocks": 4,
        "generator_blocks": 4,
        "batch_size": 64,
        "iterations": 40_000,
        "learning_rate": 3e-4,
        "critic_learning_rate": 1e-3,
        "ema_decay": 0.999,
    },
    # Killoran et al. 2017, section 3.1 and the released code; they keep no average of the weights.
    "paper": {
        "network": "residual",
        "latent": 100,
        "channels": 100,
        "blocks": 5,
        "batch_size": 64,
        "iterations": 100_000,
        "critic_steps": 5,
        "learning_rate": 1e-4,
        "critic_learning_rate": 1e-4,
        "constant_share": 1.0,
        "penalty": 10.0,
        "ema_decay": 0.0,
        "straight_through": False,
        "decode": "argmax",
    },
}
