"""The training loop of a network: checkpoints, progress, averaged weights, and a stop where the loss is lost.

For plugins: ``from dnabench.training import Batches, optimise``. Nothing here is needed to write a generator; with it
an interrupted training goes on bit by bit, and none waits for the device more often than its progress is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.checkpoint import Checkpoint
    from dnabench.context import Context

REPORTS = 100
"""Progress is reported, and the loss read from the device, about this many times per training."""


class MovingAverage:
    """Exponential moving average of a module's parameters: ``average = d average + (1 - d) parameter``.

    In the k-th update d is ``min(decay, k / (k + 9))``, so that the first weights do not linger in a short training.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.average = [p.detach().clone() for p in module.parameters()]

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the module's present parameters."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))
        torch._foreach_lerp_(self.average, [p.detach() for p in module.parameters()], 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Replace the module's parameters by the average."""
        for parameter, average in zip(module.parameters(), self.average, strict=True):
            parameter.copy_(average)

    def state_dict(self) -> dict[str, Any]:
        """All that the next update depends on."""
        return {"average": self.average, "updates": self.updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` returned."""
        torch._foreach_copy_(self.average, state["average"])
        self.updates = state["updates"]


class Batches:
    """Row numbers of batches: passes over all rows in a new order each, the last part-batch dropped.

    A batch holds ``size = min(batch, rows)`` rows. The orders come from ``generator``, which others may draw from too.
    """

    def __init__(self, rows: int, batch: int, generator: torch.Generator) -> None:
        self.rows = rows
        self.size = min(batch, rows)
        self.generator = generator
        self.left = torch.empty(0, dtype=torch.int64)  # of the present pass

    def draw(self) -> torch.Tensor:
        """The next batch: int64 (size,), on the CPU."""
        if len(self.left) < self.size:
            self.left = torch.randperm(self.rows, generator=self.generator)
        batch, self.left = self.left[: self.size], self.left[self.size :]
        return batch

    def state_dict(self) -> dict[str, torch.Tensor]:
        """All that the next draw depends on, the generator's state included."""
        return {"left": self.left, "generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what ``state_dict`` returned."""
        self.left = state["left"]
        self.generator.set_state(state["generator"])


def warm_up_cosine(step: int, steps: int, warm_up: int) -> float:
    """Linear rise over ``warm_up`` steps, then half a cosine down to 0: the factor on the peak learning rate."""
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def optimise(
    module: nn.Module,
    loss_at: Callable[[int], torch.Tensor],
    batches: Batches,
    *,
    steps: int,
    lr: float,
    checkpoint: Checkpoint,
    context: Context,
    stage: str = "train",
    optimizer: Callable[..., torch.optim.Optimizer] | None = None,
    schedule: Callable[[int], float] | None = None,
    decay: float = 0.999,
    clip: float = 1.0,
) -> list[tuple[int, float]]:
    """Minimise ``loss_at(step)`` over ``steps`` steps; the module ends in eval mode, with averaged weights.

    Training goes on from where ``checkpoint`` stands; one that has been finished leaves its last state there.

    Args:
        module: what is trained; ``loss_at`` may call it through ``context.together``.
        loss_at: the loss of a step, from 0 on, a number with a gradient. Its randomness comes from ``batches`` and its
            generator alone.
        lr: the peak learning rate.
        optimizer: called with the parameters and ``lr=``; None: AdamW with betas 0.9 and 0.99, weight decay 0.01.
        schedule: the factor on ``lr`` at a step; None: ``warm_up_cosine``, warmed up over a twentieth of the steps.
        decay: of the moving average of the weights; 0 keeps none, and the module ends with its last weights.
        clip: the norm that gradients are clipped to; ``inf`` for none.

    Returns:
        The training curve: pairs of a step, from 1 on, and the mean loss since the pair before.

    Raises:
        UserError: the loss or its gradient is not finite; names the step. The last good checkpoint stays.
    """
    make = optimizer or (lambda parameters, lr: torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.99), fused=True))
    factor = schedule or partial(warm_up_cosine, steps=steps, warm_up=max(1, round(0.05 * steps)))
    adam = make(module.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.LambdaLR(adam, factor)
    ema = MovingAverage(module, decay) if decay else None
    parts: dict[str, Any] = {"module": module, "optimizer": adam, "scheduler": scheduler, "batches": batches}
    if ema is not None:
        parts["ema"] = ema
    device = next(module.parameters()).device
    # On the device, so that no step waits for the one before: the sum of losses since the last report, and the first
    # step whose loss or gradient was not finite, -1 for none.
    total, lost = torch.zeros((), device=device), torch.full((), -1, device=device)
    first, since, curve = 0, 0, []
    if (state := checkpoint.load()) is not None:
        for name, part in parts.items():
            part.load_state_dict(state[name])
        total.copy_(state["total"])
        first, since, curve = state["step"], state["since"], [tuple(pair) for pair in state["curve"]]
    every = max(1, steps // REPORTS)
    module.train()
    for step in range(first, steps):
        loss = loss_at(step)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(module.parameters(), clip)
        adam.step()
        scheduler.step()
        if ema is not None:
            ema.update(module)
        total += loss.detach()
        healthy = torch.isfinite(loss.detach()) & torch.isfinite(norm)
        lost = torch.where((lost < 0) & ~healthy, step, lost)
        done, last = step + 1, step + 1 == steps
        report, save = done % every == 0 or last, checkpoint.due() or last
        if (report or save) and int(lost) >= 0:
            raise UserError(
                f"{stage}: the loss is not finite at step {int(lost) + 1} of {steps}; a smaller learning rate "
                f"than {lr:g} may help"
            )
        if report:
            mean = float(context.mean_of_ranks(total)) / (done - since)
            curve.append((done, mean))
            total.zero_()
            since = done
            context.progress(done, steps, f"{stage}, loss {mean:.4g}")
        if save:
            states = {name: part.state_dict() for name, part in parts.items()}
            checkpoint.save(states | {"step": done, "since": since, "total": total, "curve": curve})
    if ema is not None:
        ema.copy_to(module)
    module.eval()
    return curve


@contextmanager
def seeded(generator: torch.Generator) -> Iterator[None]:
    """Torch's own CPU generator, which initialises layers, seeded from ``generator`` and put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator.initial_seed())
        yield
