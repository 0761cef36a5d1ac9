"""The training loop of WGAN-GP (Gulrajani et al. 2017, arXiv 1704.00028, algorithm 1)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dnabench.training import MovingAverage, bfloat16_pays, check_configuration, share_on
from dnabench_gan.watch import Watch

if TYPE_CHECKING:
    from dnabench import Checkpoint, Context
    from dnabench_gan.networks import Critic, Generator
    from dnabench_gan.options import GanOptions
    from dnabench_gan.tokens import TokenCritic, TokenGenerator
    from dnabench_gan.watch import Curves

ADAM_BETAS = (0.5, 0.9)
NOT_OF_CHECKPOINT = ("decode", "devices")
"""Options that a checkpoint does not depend on."""


def one_hot_table(device: torch.device) -> Tensor:
    """What each of the codes 0 to 4 becomes: float32, ``(5, 4)``, columns A C G T; N is 0.25 in each."""
    return torch.cat([torch.eye(4), torch.full((1, 4), 0.25)]).to(device)


def one_hot(codes: Tensor, table: Tensor) -> Tensor:
    """Codes of shape ``(batch, length)`` as ``(batch, 4, length)`` by the rows of ``table``."""
    return table[codes.long()].transpose(1, 2).contiguous()


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Codes 0 to 3, int64 ``(batch, length)``, from base probabilities ``(batch, 4, length)``, each by itself.

    ``uniform``, ``(batch, length)``, holds numbers in [0, 1): the cumulative probability at which each base is taken.
    """
    a, c, g, _ = probabilities.unbind(1)  # sums by hand: cumsum is not deterministic on CUDA
    return (uniform >= a).long() + (uniform >= a + c) + (uniform >= a + c + g)


def straight_through(probabilities: Tensor, uniform: Tensor, table: Tensor) -> Tensor:
    """Drawn bases as one-hot vectors ``(batch, 4, length)`` with the gradient of their ``probabilities``.

    The straight-through estimator of Bengio et al. 2013 (arXiv 1308.3432, section 4). See :func:`draw`.
    """
    drawn = one_hot(draw(probabilities.detach(), uniform), table)
    return drawn + (probabilities - probabilities.detach())


def gradient_penalty(critic: Critic | TokenCritic, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Mean of ``(||grad critic|| - 1)^2`` at points between real and generated sequences (arXiv 1704.00028, eq. 3).

    ``real`` and ``fake`` are ``(batch, 4, length)``; ``mix``, ``(batch, 1, 1)`` in [0, 1], is the share of ``real``.
    """
    gradient = critic.input_gradient(mix * real + (1 - mix) * fake).float()
    norm: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2))  # (batch,)
    return (norm - 1).square().mean()


class CriticLoss(nn.Module):
    """The critic's loss as a module's output, the form that gradients of several processes are averaged in."""

    def __init__(self, critic: Critic | TokenCritic, penalty: float) -> None:
        super().__init__()
        self.critic = critic
        self.penalty = penalty

    def forward(self, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
        """A number, for the arguments of :func:`gradient_penalty` (arXiv 1704.00028, eq. 3)."""
        # First with a graph: autocast keeps the weights that it rounds, and those of the penalty's masks have none.
        scores = self.critic(torch.cat([real, fake])).float()  # (2 * batch,)
        distance: Tensor = scores[len(real) :].mean() - scores[: len(real)].mean()
        return distance + self.penalty * gradient_penalty(self.critic, real, fake, mix)


def train(
    generator: Generator | TokenGenerator,
    critic: Critic | TokenCritic,
    codes: Tensor,
    *,
    options: GanOptions,
    random: torch.Generator,
    checkpoint: Checkpoint,
    context: Context,
) -> Curves:
    """Train both networks in place; return the training curve of each.

    The generator ends with the exponential moving average of its weights over the iterations (``ema_decay = 0``: with
    those of the last one), the critic with its last weights. ``codes`` is uint8, ``(n, length)``, on the networks'
    device. ``random`` is a CPU generator, so that a seed means the same batches and noise on every device, and in every
    process of those that train together. Training goes on from where ``checkpoint`` stands; one that has been finished
    leaves its last state there.

    UserError, in all processes at once, when a loss is not finite; the last good checkpoint stays. And when the
    checkpoint is one of another configuration.
    """
    device, batch, length = codes.device, options.batch_size, codes.shape[1]
    table = one_hot_table(device)
    average = MovingAverage(generator, options.ema_decay)
    generator_adam = torch.optim.Adam(generator.parameters(), lr=options.learning_rate, betas=ADAM_BETAS, fused=True)
    critic_adam = torch.optim.Adam(critic.parameters(), lr=options.critic_learning_rate, betas=ADAM_BETAS, fused=True)
    first_real, no_latent = one_hot(codes[:1], table), torch.zeros(1, generator.inputs, device=device)
    generate = context.together(generator, no_latent)
    critic_loss_of = context.together(CriticLoss(critic, options.penalty), first_real, first_real, 1.0)
    watch = Watch(options.iterations, device, context)
    parts: dict[str, Any] = {
        "generator": generator,
        "critic": critic,
        "average": average,
        "generator_adam": generator_adam,
        "critic_adam": critic_adam,
        "watch": watch,
    }
    configuration = {"length": length, **dataclasses.asdict(options)}
    configuration = {name: value for name, value in configuration.items() if name not in NOT_OF_CHECKPOINT}
    if (state := checkpoint.load()) is not None:
        check_configuration(state.get("configuration", {}), configuration, "gan", context)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        random.set_state(state["random"])

    def share(drawn: Tensor) -> Tensor:
        return share_on(device, drawn, context)

    precision = torch.autocast(
        device.type,
        dtype=torch.bfloat16,
        enabled=options.network == "tokens" and bfloat16_pays(device),  # the paper's network is in float32
    )

    def fakes(generate: nn.Module) -> Tensor:
        probabilities: Tensor = generate(share(torch.randn(batch, generator.inputs, generator=random)))
        if not options.straight_through:
            return probabilities
        return straight_through(probabilities, share(torch.rand(batch, length, generator=random)), table)

    while watch.done < options.iterations:
        factor = fall(watch.done, options)
        generator_adam.param_groups[0]["lr"] = factor * options.learning_rate
        critic_adam.param_groups[0]["lr"] = factor * options.critic_learning_rate
        critic.requires_grad_(True)
        for _ in range(options.critic_steps):
            rows = share(torch.randint(len(codes), (batch,), generator=random))
            mix = share(torch.rand(batch, 1, 1, generator=random))
            real = one_hot(codes[rows], table)
            with torch.no_grad(), precision:
                fake = fakes(generator)
            with precision:
                critic_loss = critic_loss_of(real, fake, mix)
            critic_adam.zero_grad()
            critic_loss.backward()
            critic_adam.step()

        critic.requires_grad_(False)
        with precision:
            generator_loss = -critic(fakes(generate)).float().mean()
        generator_adam.zero_grad()
        generator_loss.backward()
        generator_adam.step()
        average.update(generator)

        watch.see(critic_loss, generator_loss)
        if checkpoint.due() or watch.done == options.iterations:
            watch.check((generator, critic))
            states = {name: part.state_dict() for name, part in parts.items()}
            checkpoint.save(states | {"random": random.get_state(), "configuration": configuration})
    average.copy_to(generator)
    return watch.curves


def fall(iteration: int, options: GanOptions) -> float:
    """The factor on both learning rates in an iteration, from 0 on: 1, and a straight line to 0 at the end."""
    left, falling = 1 - iteration / options.iterations, 1 - options.constant_share
    return 1.0 if left >= falling else left / falling
