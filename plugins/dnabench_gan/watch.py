"""How far a training is, its curve, and a stop where it is lost, without waiting for the device at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dnabench import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dnabench import Context

REPORTS = 100
"""Progress is reported, and the losses read from the device, about this many times per training."""
STAGES = ("critic", "generator")

Curves = dict[str, list[tuple[int, float]]]
"""For each of ``STAGES`` pairs of an iteration, from 1 on, and the mean loss since the pair before."""


class Watch:
    """Both losses of a training of ``iterations``: on the device until a report or a checkpoint asks for them."""

    def __init__(self, iterations: int, device: torch.device, context: Context) -> None:
        self.iterations = iterations
        self.done = 0
        self.curves: Curves = {stage: [] for stage in STAGES}
        self._context = context
        self._every = max(1, iterations // REPORTS)
        self._losses = torch.zeros(self._every, len(STAGES), device=device)  # of the iterations since the last report

    def see(self, *losses: Tensor) -> None:
        """Take in the next iteration's losses, one per stage; report when it is time. UserError: see ``check``."""
        self._losses[self.done % self._every] = torch.stack(losses).detach()
        self.done += 1
        if self.done % self._every == 0 or self.done == self.iterations:
            self._report()

    def check(self, networks: Iterable[nn.Module]) -> None:
        """UserError when a loss of this process or a weight is not finite; waits for the device."""
        self._check_losses(self._losses[: (self.done - 1) % self._every + 1])
        weights = [parameter for network in networks for parameter in network.parameters()]
        if not torch.stack([torch.isfinite(weight).all() for weight in weights]).all():
            self._stop(self.done)  # a loss with infinite weights is not finite either: it happened in this iteration

    def state_dict(self) -> dict[str, Any]:
        """All that the next report depends on."""
        return {"done": self.done, "curves": self.curves, "losses": self._losses}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state_dict`` returned."""
        self.done = state["done"]
        self.curves = {stage: [tuple(pair) for pair in curve] for stage, curve in state["curves"].items()}
        self._losses.copy_(state["losses"])

    def _report(self) -> None:
        since = (self.done - 1) % self._every + 1
        # Of all processes, so that all of them stop where one is lost.
        losses = self._context.mean_of_ranks(self._losses[:since])
        self._check_losses(losses)
        means = losses.mean(0).tolist()
        for stage, mean in zip(STAGES, means, strict=True):
            self.curves[stage].append((self.done, mean))
        text = ", ".join(f"{stage} {mean:.4g}" for stage, mean in zip(STAGES, means, strict=True))
        self._context.progress(self.done, self.iterations, f"train, {text}")

    def _check_losses(self, losses: Tensor) -> None:
        lost = (~torch.isfinite(losses)).any(1).nonzero()[:, 0].tolist()
        if lost:
            self._stop(self.done - len(losses) + 1 + lost[0])

    def _stop(self, iteration: int) -> None:
        raise UserError(
            f"gan: the loss is not finite at iteration {iteration} of {self.iterations}; a smaller learning_rate or "
            "critic_learning_rate may help"
        )
