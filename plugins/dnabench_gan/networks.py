"""Generator and critic of the Wasserstein GAN for DNA (Killoran et al. 2017, arXiv 1712.06148, section 3.1)."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name it goes by everywhere

KERNEL = 5
RESIDUAL_SCALE = 0.3


class ResidualBlock(nn.Module):
    """``x + 0.3 * conv(relu(conv(relu(x))))`` on ``(batch, channels, length)``; the length is kept (odd ``kernel``)."""

    def __init__(self, channels: int, kernel: int = KERNEL) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)
        self.second = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, length)`` -> the same shape."""
        return self.forward_with_masks(x)[0]

    def forward_with_masks(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The output, and where the first and the second ReLU let their input through (bool, shape of ``x``)."""
        hidden = self.first(F.relu(x))
        return x + RESIDUAL_SCALE * self.second(F.relu(hidden)), x > 0, hidden > 0

    def pull_back(self, gradient: Tensor, first_mask: Tensor, second_mask: Tensor) -> Tensor:
        """A gradient with respect to the output, as one with respect to the input; same shape."""
        padding = self.first.weight.shape[-1] // 2
        branch = F.conv_transpose1d(gradient, self.second.weight, padding=padding) * second_mask
        branch = F.conv_transpose1d(branch, self.first.weight, padding=padding) * first_mask
        return gradient + RESIDUAL_SCALE * branch


class Generator(nn.Module):
    """Latent vectors to soft one-hot sequences."""

    def __init__(self, *, latent: int, channels: int, blocks: int, length: int) -> None:
        super().__init__()
        self.inputs = latent
        self.shape = (channels, length)
        self.input = nn.Linear(latent, channels * length)
        self.blocks = nn.Sequential(*[ResidualBlock(channels) for _ in range(blocks)])
        self.output = nn.Conv1d(channels, 4, 1)

    def forward(self, z: Tensor) -> Tensor:
        """``z`` of shape ``(batch, latent)`` -> base probabilities ``(batch, 4, length)`` in A C G T order."""
        x = self.input(z).unflatten(1, self.shape)  # (batch, channels, length)
        return F.softmax(self.output(self.blocks(x)), dim=1)


class Critic(nn.Module):
    """(Soft) one-hot sequences to a real number that is large where they look real."""

    def __init__(self, *, channels: int, blocks: int, length: int) -> None:
        super().__init__()
        self.shape = (channels, length)
        self.input = nn.Conv1d(4, channels, 1)
        self.blocks = nn.Sequential(*[ResidualBlock(channels) for _ in range(blocks)])
        self.output = nn.Linear(channels * length, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of shape ``(batch, 4, length)`` -> scores ``(batch,)``."""
        hidden: Tensor = self.blocks(self.input(x))  # (batch, channels, length)
        scores: Tensor = self.output(hidden.flatten(1))  # (batch, 1)
        return scores.squeeze(1)

    def input_gradient(self, x: Tensor) -> Tensor:
        """The gradient of each score with respect to its own sequence, differentiable in the weights; shape of ``x``.

        Between the kinks of its ReLUs the critic is linear, so that the gradient is a chain of transposed convolutions
        whose masks are constants. Written out it takes a first-order backward pass only, where
        ``torch.autograd.grad(create_graph=True)`` needs the slow second-order one of convolutions.
        """
        blocks, masks = cast("list[ResidualBlock]", list(self.blocks)), []
        with torch.no_grad():
            hidden = self.input(x)
            for block in blocks:
                hidden, *pair = block.forward_with_masks(hidden)
                masks.append(pair)
        gradient = self.output.weight.view(1, *self.shape).expand(len(x), -1, -1)  # (batch, channels, length)
        for block, pair in zip(reversed(blocks), reversed(masks), strict=True):
            gradient = block.pull_back(gradient, *pair)
        return F.conv_transpose1d(gradient, self.input.weight)


@torch.no_grad()
def initialise(network: nn.Module, random: torch.Generator) -> None:
    """Uniform weights within Glorot's bounds, times sqrt 2 for convolutions, and zero biases, as Killoran et al. do."""
    for module in network.modules():
        if isinstance(module, (nn.Conv1d, nn.ConvTranspose1d, nn.Linear)):
            gain = 1.0 if isinstance(module, nn.Linear) else math.sqrt(2)
            nn.init.xavier_uniform_(module.weight, gain=gain, generator=random)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
