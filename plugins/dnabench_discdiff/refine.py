"""Absorb-Escape: an autoregressive model replaces what a decoder is unsure of (Li et al. 2024, arXiv 2410.21345)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from dnabench.training import Batches, bfloat16_pays, optimise
from dnabench_discdiff.autoencoder import N, most_probable
from dnabench_discdiff.conditions import kind_of, kinds
from dnabench_discdiff.decoders import AutoregressiveHead
from dnabench_discdiff.options import PATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dnabench import Checkpoint, Context
    from dnabench_discdiff.options import VaeOptions
    from dnabench_discdiff.training import Curve, Data


class AbsorbEscape(nn.Module):
    """A language model of the training sequences, and the rule by which it and a decoder take turns.

    From the first base whose probability under the decoder is below ``threshold`` on the language model draws the bases
    (it absorbs), each given all before it, until the decoder is surer of its base than the language model is of any;
    there the decoder's bases go on (the escape).
    """

    def __init__(self, length: int, options: VaeOptions, values: Sequence[int]) -> None:
        super().__init__()
        self.values = tuple(values)
        self.threshold = options.absorb_threshold
        self.length = length
        self.model = AutoregressiveHead(length, 1, options.head_width, kinds(values))

    def count(self, codes: torch.Tensor, labels: torch.Tensor) -> None:
        """Count, on the CPU, what the language model starts from, on codes uint8 (n, L)."""
        self.model.chain.count(codes, kind_of(labels, self.values))

    def logits(self, codes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The language model's logits (n, L, 4) of codes int64 (n, L)."""
        logits: torch.Tensor = self.model(self._nothing(codes), codes, kind_of(labels, self.values))
        return logits

    def fit(
        self,
        data: Data,
        options: VaeOptions,
        *,
        generator: torch.Generator,
        checkpoint: Checkpoint,
        context: Context,
    ) -> Curve:
        """Maximise the likelihood of the training sequences; every process of a group trains all of it by itself."""
        device = data.codes.device
        batches = Batches(len(data.codes), options.autoencoder_batch, generator)

        def loss_at(step: int) -> torch.Tensor:  # noqa: ARG001
            rows = batches.draw().to(device)
            codes = data.codes[rows].long()
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16_pays(device)):
                logits = self.logits(codes, data.labels[rows])
            logits = logits.float().reshape(-1, 4)
            return F.cross_entropy(logits, codes.reshape(-1), ignore_index=N, reduction="sum") / codes.numel()

        return optimise(
            self,
            loss_at,
            batches,
            steps=options.refine_steps,
            lr=3e-3,
            stage="refiner",
            checkpoint=checkpoint,
            context=context,
            configuration=asdict(options),
            decay=0.99,
        )

    def rewrite(self, logits: torch.Tensor, labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Bases int64 (n, L) from a decoder's logits (n, L, 4)."""
        decoded = most_probable(logits)
        sure = logits.float().softmax(-1).gather(-1, decoded[..., None])[..., 0]  # (n, L)
        absorbed = torch.zeros(len(logits), dtype=torch.bool, device=logits.device)

        def choose(t: int, p: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
            nonlocal absorbed
            escapes = sure[:, t] > p.amax(-1)
            absorbed = torch.where(absorbed, ~escapes, sure[:, t] < self.threshold)
            return torch.where(absorbed, drawn, decoded[:, t])

        kind = kind_of(labels, self.values)
        return self.model.sample(self._nothing(decoded), kind, generator, self.length, choose)

    def _nothing(self, codes: torch.Tensor) -> torch.Tensor:
        """In place of a latent's tokens: (n, T, 1)."""
        return torch.zeros(len(codes), -(-self.length // PATCH), 1, device=codes.device)
