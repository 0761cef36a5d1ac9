"""Generator and critic of WGAN-GP on tokens of a few bases, with a critic that compares distant parts."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name it goes by everywhere

from dnabench_gan.networks import ResidualBlock

STRIDE = 4
"""Bases per token."""
WIDTH = 12
"""Bases that a token is read from, and that it has a say in: its own and those of its neighbours."""
PADDING = (WIDTH - STRIDE) // 2
POOL = 4
"""Tokens of a level of the critic that are one token of the next."""
KERNEL = 3


def padded(x: Tensor, multiple: int) -> Tensor:
    """``x`` with zeros at the end of its last dimension, so that it becomes a multiple."""
    return F.pad(x, (0, -x.shape[-1] % multiple))


class TokenGenerator(nn.Module):
    """Latent vectors and noise of every token to soft one-hot sequences.

    The latent vector carries what a sequence shares, the noise its choice among all that fits: 100 numbers cannot hold
    the 350 nats of a promoter of 256 bp.
    """

    def __init__(self, *, latent: int, noise: int, channels: int, blocks: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.latent = latent
        tokens = -(-length // STRIDE)
        self.shape, self.noise_shape = (channels, tokens), (noise, tokens)
        self.inputs = latent + noise * tokens
        self.input = nn.Linear(latent, channels * tokens)
        self.noise_input = nn.Conv1d(noise, channels, KERNEL, padding=KERNEL // 2)
        self.blocks = nn.Sequential(*[ResidualBlock(channels, KERNEL) for _ in range(blocks)])
        self.output = nn.ConvTranspose1d(channels, 4, WIDTH, STRIDE, PADDING)

    def forward(self, z: Tensor) -> Tensor:
        """``z``, ``(batch, inputs)`` -> base probabilities ``(batch, 4, length)``, float32, in A C G T order."""
        noise = z[:, self.latent :].view(-1, *self.noise_shape)
        x = self.input(z[:, : self.latent]).unflatten(1, self.shape) + self.noise_input(noise)
        logits: Tensor = self.output(F.relu(self.blocks(x)))  # (batch, 4, tokens * STRIDE)
        return F.softmax(logits[..., : self.length].float(), dim=1)


class TokenCritic(nn.Module):
    """(Soft) one-hot sequences to a real number that is large where they look real.

    A pyramid of residual blocks: each works on the means of ``POOL`` tokens of the one before and adds a score of its
    own, so that words, elements at their place and the composition of the whole are all seen.
    """

    def __init__(self, *, channels: int, blocks: int, length: int) -> None:
        super().__init__()
        self.length = length
        self.tokens = [-(-length // STRIDE)]  # of each level
        for _ in range(blocks - 1):
            self.tokens.append(-(-self.tokens[-1] // POOL))
        self.input = nn.Conv1d(4, channels, WIDTH, STRIDE, PADDING)
        self.blocks = nn.ModuleList([ResidualBlock(channels, KERNEL) for _ in self.tokens])
        self.outputs = nn.ModuleList([nn.Linear(channels * tokens, 1) for tokens in self.tokens])

    def forward(self, x: Tensor) -> Tensor:
        """``x`` of shape ``(batch, 4, length)`` -> scores ``(batch,)``."""
        return self._forward_with_masks(x)[0]

    def input_gradient(self, x: Tensor) -> Tensor:
        """The gradient of each score with respect to its own sequence, differentiable in the weights; shape of ``x``.

        Written out as :meth:`dnabench_gan.networks.Critic.input_gradient` is, and for its reason.
        """
        with torch.no_grad():
            masks = self._forward_with_masks(x)[1]
        gradient = torch.zeros((), device=x.device)
        levels = list(zip(self._levels(), self.tokens, masks, strict=True))
        for (block, output), tokens, (first, second, last) in reversed(levels):
            if gradient.ndim:  # from the level above, whose inputs are means
                gradient = gradient.repeat_interleave(POOL, -1)[..., :tokens] / POOL
            gradient = block.pull_back(gradient + output.weight.view(1, -1, tokens) * last, first, second)
        gradient = F.conv_transpose1d(gradient, self.input.weight, stride=STRIDE, padding=PADDING)
        return gradient[..., : self.length]

    def _forward_with_masks(self, x: Tensor) -> tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]]:
        """Scores, and where the three ReLUs of each level let their input through (bool, shape of the level)."""
        hidden, scores = self.input(padded(x, STRIDE)), []
        masks: list[tuple[Tensor, Tensor, Tensor]] = []
        for block, output in self._levels():
            if masks:
                hidden = F.avg_pool1d(padded(hidden, POOL), POOL)
            hidden, first, second = block.forward_with_masks(hidden)  # (batch, channels, tokens of the level)
            scores.append(output(F.relu(hidden).flatten(1)))
            masks.append((first, second, hidden > 0))
        return torch.stack(scores).sum(0).squeeze(1), masks

    def _levels(self) -> list[tuple[ResidualBlock, nn.Linear]]:
        return cast("list[tuple[ResidualBlock, nn.Linear]]", list(zip(self.blocks, self.outputs, strict=True)))
