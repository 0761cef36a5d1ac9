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
    parts: Mapping[str, Any] | None = None,
    configuration: Mapping[str, Any] | None = None,
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
        parts: what else moves with the steps and belongs into the checkpoint: anything with ``state_dict``.
        configuration: plain data that a training goes on with only where the checkpoint has the same.

    Returns:
        The training curve: pairs of a step, from 1 on, and the mean loss since the pair before.

    Raises:
        UserError: the loss or its gradient is not finite; names the step. The last good checkpoint stays. Or the
            checkpoint is one of another training.
    """
    make = optimizer or (lambda parameters, lr: torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.99), fused=True))
    factor = schedule or partial(warm_up_cosine, steps=steps, warm_up=max(1, round(0.05 * steps)))
    adam = make(module.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.LambdaLR(adam, factor)
    ema = MovingAverage(module, decay) if decay else None
    watch = _Watch(steps, stage, next(module.parameters()).device, context)
    moving: dict[str, Any] = {
        "module": module,
        "optimizer": adam,
        "scheduler": scheduler,
        "batches": batches,
        "watch": watch,
    }
    moving |= {"ema": ema} if ema is not None else {}
    moving |= parts or {}
    if (state := checkpoint.load()) is not None:
        check_configuration(state.get("configuration", {}), configuration or {}, stage, context)
        _restore(moving, state, stage, context)
    module.train()
    for step in range(watch.done, steps):
        loss = loss_at(step)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(module.parameters(), clip)
        adam.step()
        scheduler.step()
        if ema is not None:
            ema.update(module)
        watch.see(loss.detach(), norm)
        if watch.reports:
            watch.check(lr)
            watch.report()
        if checkpoint.due() or watch.done == steps:
            watch.check(lr)
            states = {name: part.state_dict() for name, part in moving.items()}
            checkpoint.save(states | {"configuration": configuration or {}})
    if ema is not None:
        ema.copy_to(module)
    module.eval()
    return watch.curve


class _Watch:
    """How far a training is, its curve, and whether its loss was finite so far: all on the device until it is asked."""

    def __init__(self, steps: int, stage: str, device: torch.device, context: Context) -> None:
        self.steps = steps
        self.stage = stage
        self.context = context
        self.done = 0
        self.curve: list[tuple[int, float]] = []
        self._since = 0  # the last report
        self._total = torch.zeros((), device=device)  # of the losses since then
        self._lost = torch.full((), -1, device=device)  # the first step that was not finite

    def see(self, loss: torch.Tensor, norm: torch.Tensor) -> None:
        """Take in the next step's loss and the norm of its gradient."""
        healthy = torch.isfinite(loss) & torch.isfinite(norm)
        self.done += 1
        self._total += loss
        self._lost = torch.where((self._lost < 0) & ~healthy, self.done, self._lost)

    @property
    def reports(self) -> bool:
        """Whether this step is one to report."""
        return self.done % max(1, self.steps // REPORTS) == 0 or self.done == self.steps

    def check(self, lr: float) -> None:
        """UserError when a loss or a gradient has not been finite."""
        if (lost := int(self._lost)) >= 0:
            raise UserError(
                f"{self.stage}: the loss is not finite at step {lost} of {self.steps}; a smaller learning rate "
                f"than {lr:g} may help"
            )

    def report(self) -> None:
        """Add the mean loss to the curve, and show it."""
        mean = float(self.context.mean_of_ranks(self._total)) / (self.done - self._since)
        self.curve.append((self.done, mean))
        self._total.zero_()
        self._since = self.done
        self.context.progress(self.done, self.steps, f"{self.stage}, loss {mean:.4g}")

    def state_dict(self) -> dict[str, Any]:
        standing = {"done": self.done, "steps": self.steps, "curve": self.curve}
        return standing | {"since": self._since, "total": self._total}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state["steps"] != self.steps:
            raise ValueError(f"one of {state['steps']} steps")
        self.done, self.curve, self._since = state["done"], [tuple(pair) for pair in state["curve"]], state["since"]
        self._total.copy_(state["total"])


def check_configuration(found: Mapping[str, Any], here: Mapping[str, Any], stage: str, context: Context) -> None:
    """UserError that names how what a checkpoint was made with, ``found``, differs from what is ``here``."""
    names = [name for name in here if found.get(name) != here[name]]
    if names:
        differences = ", ".join(f"{name} {found.get(name)} there and {here[name]} here" for name in names)
        raise UserError(
            f"{stage}: the checkpoint in {context.scratch} is of another configuration ({differences}); remove it, or "
            "train with the options it was made with"
        )


def _restore(moving: Mapping[str, Any], state: Mapping[str, Any], stage: str, context: Context) -> None:
    try:
        for name, part in moving.items():
            part.load_state_dict(state[name])
    except (KeyError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise UserError(
            f"{stage}: the checkpoint in {context.scratch} is of another configuration; remove it, or train with the "
            f"options it was made with ({reason})"
        ) from error


def share_on(device: torch.device, drawn: torch.Tensor, context: Context) -> torch.Tensor:
    """The share of this process in what was drawn on the CPU, on ``device``; a copy to a GPU is not waited for."""
    mine = context.share(drawn)
    return mine.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else mine


def bfloat16_pays(device: torch.device) -> bool:
    """Whether bfloat16 is worth it on ``device``: on GPUs and CPUs with AVX-512. On others it is many times slower."""
    return device.type == "cuda" or torch.backends.cpu.get_cpu_capability() == "AVX512"


@contextmanager
def seeded(generator: torch.Generator) -> Iterator[None]:
    """Torch's own CPU generator, which initialises layers, seeded from ``generator`` and put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(generator.initial_seed())
        yield
