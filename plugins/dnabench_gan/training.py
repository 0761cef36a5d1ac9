"""The training loop of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028, algorithm 1)."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from dnabench import Checkpoint, Context
    from dnabench_gan.networks import Critic, Generator
    from dnabench_gan.options import GanOptions

ADAM_BETAS = (0.5, 0.9)
REPORT_EVERY = 10  # iterations between progress reports; each reads the loss back from the device


def one_hot_table(device: torch.device) -> Tensor:
    """What each of the codes 0 to 4 becomes: float32, ``(5, 4)``, columns A C G T; N is 0.25 in each."""
    return torch.cat([torch.eye(4), torch.full((1, 4), 0.25)]).to(device)


def one_hot(codes: Tensor, table: Tensor) -> Tensor:
    """Codes of shape ``(batch, length)`` as ``(batch, 4, length)`` by the rows of ``table``."""
    return table[codes.long()].transpose(1, 2).contiguous()


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Mean of ``(||grad critic|| - 1)^2`` at points between real and generated sequences (arXiv 1704.00028, eq. 3).

    ``real`` and ``fake`` are ``(batch, 4, length)``; ``mix``, ``(batch, 1, 1)`` in [0, 1], is the share of ``real``.
    """
    gradient = critic.input_gradient(mix * real + (1 - mix) * fake)
    norm: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2))  # (batch,)
    return (norm - 1).square().mean()


class CriticLoss(nn.Module):
    """The critic's loss as a module's output, the form that gradients of several processes are averaged in."""

    def __init__(self, critic: Critic, penalty: float) -> None:
        super().__init__()
        self.critic = critic
        self.penalty = penalty

    def forward(self, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """A number, for the arguments of :func:`gradient_penalty` (arXiv 1704.00028, eq. 3)."""
        scores = self.critic(torch.cat([real, fake]))  # (2 * batch,)
        distance: Tensor = scores[len(real) :].mean() - scores[: len(real)].mean()
        return distance + self.penalty * gradient_penalty(self.critic, real, fake, mix)


def train(
    generator: Generator,
    critic: Critic,
    codes: Tensor,
    *,
    options: GanOptions,
    random: torch.Generator,
    checkpoint: Checkpoint,
    context: Context,
) -> Generator:
    """Train both networks in place; return the generator to sample from.

    That is a copy whose weights are the exponential moving average over the iterations (with ``ema_decay = 0``: those
    of the last one). ``codes`` is uint8, ``(n, length)``, on the networks' device. ``random`` is a CPU generator, so
    that a seed means the same batches and noise on every device, and in every process of those that train together.
    Training goes on from where ``checkpoint`` stands; one that has been finished leaves its last state there. Raises
    RuntimeError, in all processes at once, when the loss is no longer finite.
    """
    device, batch = codes.device, options.batch_size
    average, table = copy.deepcopy(generator), one_hot_table(device)
    generator_adam = torch.optim.Adam(generator.parameters(), lr=options.learning_rate, betas=ADAM_BETAS, fused=True)
    critic_adam = torch.optim.Adam(critic.parameters(), lr=options.learning_rate, betas=ADAM_BETAS, fused=True)
    first_real, no_latent = one_hot(codes[:1], table), torch.zeros(1, options.latent, device=device)
    generate = context.together(generator, no_latent)
    critic_loss_of = context.together(CriticLoss(critic, options.penalty), first_real, first_real, 1.0)
    parts: dict[str, Any] = {
        "generator": generator,
        "critic": critic,
        "average": average,
        "generator_adam": generator_adam,
        "critic_adam": critic_adam,
    }
    first = 0
    if (state := checkpoint.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        random.set_state(state["random"])
        first = state["iteration"]

    def latent() -> Tensor:
        return context.share(torch.randn(batch, options.latent, generator=random)).to(device)

    for iteration in range(first, options.iterations):
        critic.requires_grad_(True)
        for _ in range(options.critic_steps):
            rows = context.share(torch.randint(len(codes), (batch,), generator=random)).to(device)
            mix = context.share(torch.rand(batch, 1, 1, generator=random)).to(device)
            real = one_hot(codes[rows], table)
            with torch.no_grad():
                fake = generator(latent())
            critic_loss = critic_loss_of(real, fake, mix)
            critic_adam.zero_grad()
            critic_loss.backward()
            critic_adam.step()

        critic.requires_grad_(False)
        generator_loss = -critic(generate(latent())).mean()
        generator_adam.zero_grad()
        generator_loss.backward()
        generator_adam.step()
        _update_average(average, generator, options.ema_decay, iteration)

        done = iteration + 1
        if done % REPORT_EVERY == 0 or done == options.iterations:
            losses = context.mean_of_ranks(torch.stack([critic_loss, generator_loss])).tolist()
            _check_finite(losses[0], losses[1], done)
            context.progress(done, options.iterations, "train")
        if checkpoint.due() or done == options.iterations:
            states = {name: part.state_dict() for name, part in parts.items()}
            checkpoint.save(states | {"random": random.get_state(), "iteration": done})
    return average


@torch.no_grad()
def _update_average(average: Generator, generator: Generator, decay: float, iteration: int) -> None:
    # The first iterations count less than the decay alone would have it: they still hold the random initial weights.
    decay = min(decay, (1 + iteration) / (10 + iteration))
    for mean, weight in zip(average.parameters(), generator.parameters(), strict=True):
        mean.lerp_(weight, 1 - decay)


def _check_finite(critic_loss: float, generator_loss: float, iteration: int) -> None:
    if not (math.isfinite(critic_loss) and math.isfinite(generator_loss)):
        raise RuntimeError(
            f"gan: the loss is no longer finite at iteration {iteration} "
            f"(critic {critic_loss}, generator {generator_loss}); try a smaller learning_rate"
        )
