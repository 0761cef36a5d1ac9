"""Train FReD's encoder: ``python -m dnabench_metrics.ae.train --data DIR --out DIR``.

A denoising autoencoder. Spans of bases are masked and bases are substituted, at a rate that differs from sequence to
sequence; the decoder restores the original from the codes, and a small head reads the rate off the pooled codes. The
head makes the averages that FReD compares tell damaged from intact DNA. Only the encoder is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn
from torch.nn import functional

from dnabench import SequenceSet, UserError
from dnabench_metrics.ae.network import Decoder, Encoder, pool

MASK_SPAN = 4
MASKED = 0.10
HIGHEST_RATE = 0.30
#: Position bins that the head reads the substitution rate off: coarser than the features, for less noise.
HEAD_BINS = 4


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, beside the data."""

    width: int = 96
    decoder_width: int = 64
    channels: int = 16
    steps: int = 5000
    batch: int = 128
    learning_rate: float = 2e-3
    rate_weight: float = 4.0
    held_out: float = 0.1
    seed: int = 0
    features: int = 64


@dataclass(frozen=True)
class Corrupted:
    """A batch as the encoder sees it, and what it is to tell.

    Attributes:
        one_hot: float32, shape ``(n, 4, length)``, 0.25 in each channel where masked.
        masked: bool, shape ``(n, length)``.
        substituted: bool, shape ``(n, length)``.
        rates: float32, shape ``(n,)``: each sequence's substitution rate.
    """

    one_hot: torch.Tensor
    masked: torch.Tensor
    substituted: torch.Tensor
    rates: torch.Tensor


def corrupt(codes: torch.Tensor, generator: torch.Generator) -> Corrupted:
    """Substitute and mask bases of ``codes``, int64 of shape ``(n, length)``.

    Half of the sequences get uniform bases, half get bases from elsewhere in the same sequence, which keep its
    composition; low rates are drawn more often than high ones.
    """
    n, length = codes.shape
    rates = HIGHEST_RATE * torch.rand(n, generator=generator) ** 2
    chosen = torch.rand(n, length, generator=generator) < rates[:, None]
    uniform = torch.randint(4, codes.shape, generator=generator)
    elsewhere = codes.gather(1, torch.randint(length, codes.shape, generator=generator))
    drawn = torch.where(torch.rand(n, 1, generator=generator) < 0.5, uniform, elsewhere)
    seen = torch.where(chosen, drawn, codes)
    starts = (torch.rand(n, 1, length, generator=generator) < MASKED / MASK_SPAN).float()
    masked = functional.max_pool1d(functional.pad(starts, (MASK_SPAN - 1, 0)), MASK_SPAN, 1)[:, 0] > 0
    one_hot = torch.where(masked[:, None], 0.25, _one_hot(seen))
    return Corrupted(one_hot, masked, (seen != codes) & ~masked, rates)


def train(sequences: np.ndarray, recipe: Recipe) -> tuple[Encoder, Decoder]:
    """Both networks after ``recipe.steps`` steps on ``sequences``, uint8 of shape ``(n, length)`` without N."""
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    encoder = Encoder(width=recipe.width, channels=recipe.channels)
    decoder = Decoder(width=recipe.decoder_width, channels=recipe.channels)
    head = nn.Sequential(nn.Linear(HEAD_BINS * recipe.channels, 64), nn.GELU(), nn.Linear(64, 1))
    parameters = [*encoder.parameters(), *decoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_factor(step, recipe.steps))
    for step in range(recipe.steps):
        rows = torch.randint(len(sequences), (recipe.batch,), generator=generator).numpy()
        codes = torch.from_numpy(sequences[rows]).long()
        batch = corrupt(codes, generator)
        hidden = encoder(batch.one_hot)
        reconstruction = functional.cross_entropy(decoder(hidden).reshape(-1, 4), codes.reshape(-1))
        rates = head(pool(hidden, HEAD_BINS))[:, 0]
        rate_error = functional.mse_loss(rates, batch.rates / HIGHEST_RATE)
        optimizer.zero_grad()
        loss = reconstruction + recipe.rate_weight * rate_error
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step} reconstruction {reconstruction:.4f} rate {rate_error:.4f}", flush=True)  # noqa: T201
    return encoder.eval(), decoder.eval()


def read_corpus(directory: Path) -> SequenceSet:
    """The promoters in a directory of FASTA files; UserError where one holds an N."""
    sequences = SequenceSet.from_fasta(directory)
    unknown = np.flatnonzero((sequences.codes > 3).any(1))
    if len(unknown):
        raise UserError(
            f"{directory}: {len(unknown)} sequences hold N, the first is {sequences.names[unknown[0]]}; "
            f"only A C G T can be used"
        )
    return sequences


def split(n: int, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Which of ``n`` sequences are held out, and which are trained on: indices."""
    order = np.random.default_rng(recipe.seed).permutation(n)
    held_out = round(recipe.held_out * n)
    return order[:held_out], order[held_out:]


def _rate_factor(step: int, steps: int) -> float:
    """Warm-up over 50 steps, then a half cosine."""
    return min(1.0, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))


@torch.no_grad()
def half_whitening(encoder: Encoder, sequences: np.ndarray, features: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pooled codes to features: the mean to subtract, shape ``(c,)``, and the matrix to apply, ``(c, features)``.

    Pooled codes of ``sequences`` are standardised, projected on their leading principal axes and divided by the fourth
    root of each axis's variance. As they are, a few axes (GC content above all) hold most of the variance and their
    sampling noise hides the rest; fully whitened, axes that hold nothing weigh as much as those.
    """
    batches = [_one_hot(torch.from_numpy(sequences[i : i + 256]).long()) for i in range(0, len(sequences), 256)]
    codes = torch.cat([pool(encoder(batch)) for batch in batches]).double()
    mean, deviation = codes.mean(0), codes.std(0)
    variances, axes = torch.linalg.eigh(((codes - mean) / deviation).T.cov())
    leading = variances.argsort(descending=True)[:features]
    matrix = axes[:, leading] / variances[leading] ** 0.25 / deviation[:, None]
    return mean.float(), matrix.float().contiguous()


@torch.no_grad()
def accuracy(encoder: Encoder, decoder: Decoder, sequences: np.ndarray, seed: int) -> dict[str, float]:
    """Share of bases restored, where nothing was done to the sequence and, when corrupted, at the masked bases."""
    codes = torch.from_numpy(sequences).long()
    batch = corrupt(codes, torch.Generator().manual_seed(seed))
    intact = decoder(encoder(_one_hot(codes))).argmax(-1) == codes
    restored = decoder(encoder(batch.one_hot)).argmax(-1) == codes
    return {
        "intact": round(intact.float().mean().item(), 4),
        "masked": round(restored[batch.masked].float().mean().item(), 4),
        "substituted": round(restored[batch.substituted].float().mean().item(), 4),
    }


def _one_hot(codes: torch.Tensor) -> torch.Tensor:
    return functional.one_hot(codes, 4).transpose(1, 2).float()


def write(encoder: Encoder, sequences: np.ndarray, out: Path, facts: dict[str, Any]) -> None:
    """`encoder.safetensors` and, beside it, `encoder.json` with its sha256 and how it came about."""
    mean, matrix = half_whitening(encoder, sequences, facts["recipe"]["features"])
    tensors = {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    out.mkdir(parents=True, exist_ok=True)
    weights = out / "encoder.safetensors"
    content = save({**tensors, "features.mean": mean, "features.matrix": matrix})
    weights.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (out / "encoder.json").write_text(json.dumps({"sha256": digest, **facts}, indent=2) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Read the promoters, train, measure on what was held out, write."""
    parser = argparse.ArgumentParser(description="Train FReD's encoder on a directory of FASTA files.")
    parser.add_argument("--data", type=Path, required=True, help="directory of FASTA files, one per species")
    parser.add_argument("--out", type=Path, required=True, help="where encoder.safetensors and encoder.json go")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recipe = Recipe(steps=options.steps, seed=options.seed)
    sequences = read_corpus(options.data)
    held_out, known = (sequences.codes[rows] for rows in split(len(sequences), recipe))
    encoder, decoder = train(known, recipe)
    facts = {
        "trained_on": {"sequences": len(known), "length": sequences.length, "digest": sequences.digest},
        "recipe": asdict(recipe),
        "accuracy_held_out": accuracy(encoder, decoder, held_out[:2000], recipe.seed),
    }
    write(encoder, known, options.out, facts)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
