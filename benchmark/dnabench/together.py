"""Training in several processes: each takes its share of every batch, and their gradients are averaged.

All draw the same batches and the same noise from generators of one seed, so that what is learned does not depend on how
many they are, up to rounding. A process alone never touches ``torch.distributed``. Used through
:class:`dnabench.Context`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import nn


def share(rows: torch.Tensor, rank: int, ranks: int) -> torch.Tensor:
    """Every ``ranks``-th entry of the first dimension, from ``rank`` on. UserError when the shares are not equal."""
    if len(rows) % ranks:
        raise UserError(
            f"{ranks} devices cannot share batches of {len(rows)} sequences evenly; a multiple of {ranks} they can"
        )
    return rows[rank::ranks]


def mean_of_ranks(value: torch.Tensor, ranks: int) -> torch.Tensor:
    """The mean of ``value`` over all processes, which all must ask for; no gradient flows through it."""
    if ranks == 1:
        return value.detach()
    from torch import distributed

    total = value.detach().clone()
    distributed.all_reduce(total)
    return total / ranks


def together(module: nn.Module, ranks: int, *example: object) -> nn.Module:
    """``module`` in a form whose ``backward`` leaves the mean of all processes' gradients in its parameters.

    ``example`` is what ``module`` can be called with. Buffers must be equal everywhere: they are not sent along.
    """
    if ranks == 1:
        return module
    from torch.nn.parallel import DistributedDataParallel

    wrapped = DistributedDataParallel(module)
    # Set here, because the constructor's argument has another name from torch 2.13 on.
    wrapped.broadcast_buffers = False
    # DDP rearranges the gradients after its first pass, and on their arrangement rests the order in which those of more
    # than two processes are summed. With a pass in advance the first step after an interruption is like all others.
    wrapped(*example).sum().backward()
    module.zero_grad()
    return wrapped
