"""Training in several processes: each takes its share of every batch, and their gradients are averaged.

All draw the same batches and the same noise from generators of one seed, so that what is learned does not depend on
how many they are, up to rounding. A process alone never touches ``torch.distributed``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from dnabench import UserError

if TYPE_CHECKING:
    from dnabench import Context


def check_batch(option: str, batch: int, rows: int, context: Context) -> None:
    """UserError where a batch of ``option``, ``min(batch, rows)`` of ``rows`` sequences, has no equal shares."""
    if min(batch, rows) % context.ranks:
        raise UserError(
            f"discdiff: {context.ranks} devices cannot share batches of {min(batch, rows)} sequences evenly; "
            f"set {option} to a multiple of {context.ranks} that is not above the {rows} training sequences"
        )


def share(rows: torch.Tensor, context: Context) -> torch.Tensor:
    """What is this process's of what all have drawn: every ``context.ranks``-th entry of the first dimension."""
    return rows[context.rank :: context.ranks]


def mean_of_ranks(value: torch.Tensor, context: Context) -> torch.Tensor:
    """The mean of ``value`` over all processes, which all must ask for; no gradient flows through it."""
    if context.ranks == 1:
        return value.detach()
    total = value.detach().clone()
    distributed.all_reduce(total)
    return total / context.ranks


def together(module: nn.Module, context: Context, *example: object) -> nn.Module:
    """``module`` in a form whose ``backward`` leaves the mean of all processes' gradients in its parameters.

    ``example`` is what ``module`` can be called with.
    """
    if context.ranks == 1:
        return module
    wrapped = DistributedDataParallel(module)
    # The only buffers are counts, equal everywhere: sent along in every step, they would cost as much as the gradients.
    # Set here, because the constructor's argument has another name from torch 2.13 on.
    wrapped.broadcast_buffers = False
    # DDP rearranges the gradients after its first pass, and on their arrangement rests the order in which those of more
    # than two processes are summed. With a pass in advance the first step after an interruption is like all others.
    wrapped(*example).sum().backward()
    module.zero_grad()
    return wrapped
