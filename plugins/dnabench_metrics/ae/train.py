"""Train FReD's encoder: ``python -m dnabench_metrics.ae.train --data DIR --out DIR``.

A denoising autoencoder with readings. Real promoters are damaged in eight ways by known amounts
(:mod:`dnabench_metrics.ae.corruption`), spans of bases are masked; the decoder restores the bases that were there
before masking and substitution, and a small network reads the amounts off the pooled activations. The readings make
the averages that FReD compares tell intact from damaged DNA. The decoder is not kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import nn
from torch.nn import functional

from dnabench import SequenceSet, UserError
from dnabench_metrics.ae.corruption import KINDS, Corruption
from dnabench_metrics.ae.network import Decoder, Encoder

MASK_SPAN = 4
MASKED = 0.10


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, beside the data."""

    width: int = 96
    decoder_width: int = 64
    codes: int = 16
    signals: int = 24
    hidden: int = 96
    steps: int = 6000
    batch: int = 128
    learning_rate: float = 2e-3
    reconstruction_weight: float = 0.3
    held_out: float = 0.1
    seed: int = 0
    axes: int = 56
    reading_weight: float = 2.5


def train(
    sequences: SequenceSet,
    recipe: Recipe,
    progress: Callable[[int, float, np.ndarray], None],
    *,
    device: str = "cpu",
) -> tuple[Encoder, Decoder]:
    """Both networks after ``recipe.steps`` steps on ``sequences``, which hold no N; they come back on the CPU.

    ``progress(step, reconstruction, readings)`` is told the cross-entropy in nats per base and, for each kind of
    damage, the squared error as a share of the amounts' variance.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    corruption = Corruption(sequences.codes, groups_of(sequences), rng)
    encoder, decoder = networks(recipe)
    encoder, decoder = encoder.to(device), decoder.to(device)
    parameters = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate_factor(step, recipe.steps))
    drawn = np.concatenate([corruption.batch(recipe.batch, rng).amounts for _ in range(20)])
    variance = torch.from_numpy(drawn.var(axis=0)).to(device)
    for step in range(recipe.steps):
        batch = corruption.batch(recipe.batch, rng)
        target = torch.from_numpy(batch.target.astype(np.int64)).to(device)
        codes, _, readings = encoder(masked(batch.seen, rng).to(device))
        reconstruction = functional.cross_entropy(decoder(codes).reshape(-1, 4), target.reshape(-1))
        # Several readings at once: a share of each one's variance, so that none drowns the others.
        errors = ((readings - torch.from_numpy(batch.amounts).to(device)) ** 2 / variance).mean(dim=0)
        optimizer.zero_grad()
        loss = recipe.reconstruction_weight * reconstruction + errors.mean()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        progress(step, reconstruction.item(), errors.detach().cpu().numpy())
    return encoder.cpu().eval(), decoder.cpu().eval()


def networks(recipe: Recipe) -> tuple[Encoder, Decoder]:
    """Encoder and decoder of the recipe's sizes, untrained."""
    encoder = Encoder(
        width=recipe.width,
        codes=recipe.codes,
        signals=recipe.signals,
        hidden=recipe.hidden,
        readings=len(KINDS),
    )
    return encoder, Decoder(width=recipe.decoder_width, codes=recipe.codes)


def groups_of(sequences: SequenceSet) -> np.ndarray:
    """The label ``species`` of every sequence, or one group of all where there is none: text, shape ``(n,)``."""
    labels = sequences.labels
    if "species" not in labels:
        return np.full(len(sequences), "")
    return np.asarray(labels["species"], str)


def masked(codes: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """One-hot, with spans of 4 bp masked in half of the sequences: float32 ``(n, 4, length)``, 0.25 where masked."""
    starts = rng.random(codes.shape) < MASKED / MASK_SPAN
    hidden = starts.copy()
    for offset in range(1, MASK_SPAN):
        hidden[:, offset:] |= starts[:, :-offset]
    hidden &= rng.random((len(codes), 1)) < 0.5
    return torch.where(torch.from_numpy(hidden)[:, None], 0.25, one_hot(codes))


def one_hot(codes: np.ndarray) -> torch.Tensor:
    """Codes without N, uint8 ``(n, length)``, as float32 ``(n, 4, length)``."""
    return functional.one_hot(torch.from_numpy(codes.astype(np.int64)), 4).transpose(1, 2).float()


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
def feature_maps(encoder: Encoder, sequences: np.ndarray, recipe: Recipe) -> dict[str, torch.Tensor]:
    """How pooled activations and readings become features, measured on intact ``sequences``.

    Pooled activations are standardised, projected on their ``axes`` leading principal axes and divided by the fourth
    root of each axis's variance. As they are, a few axes (GC content above all) hold most of the variance and their
    sampling noise hides the rest; fully whitened, axes that hold nothing weigh as much as those. Readings get mean 0
    and the standard deviation ``reading_weight``.
    """
    outputs = [encoder(one_hot(sequences[i : i + 256]))[1:] for i in range(0, len(sequences), 256)]
    pooled, readings = (torch.cat(parts).double() for parts in zip(*outputs, strict=True))
    mean, deviation = pooled.mean(0), pooled.std(0).clamp_min(1e-6)
    variances, axes = torch.linalg.eigh(((pooled - mean) / deviation).T.cov())
    leading = variances.argsort(descending=True)[: recipe.axes]
    matrix = axes[:, leading] / variances[leading] ** 0.25 / deviation[:, None]
    return {
        "features.mean": mean.float(),
        "features.matrix": matrix.float().contiguous(),
        "readings.mean": readings.mean(0).float(),
        "readings.scale": (recipe.reading_weight / readings.std(0)).float(),
    }


@torch.no_grad()
def accuracy(encoder: Encoder, decoder: Decoder, sequences: SequenceSet, seed: int) -> dict[str, Any]:
    """What the networks restore and read: shares of bases, intact and masked, and each reading's correlation."""
    rng = np.random.default_rng(seed)
    target = torch.from_numpy(sequences.codes.astype(np.int64))
    damaged = masked(sequences.codes, rng)
    intact = decoder(encoder(one_hot(sequences.codes))[0]).argmax(-1) == target
    restored = decoder(encoder(damaged)[0]).argmax(-1) == target
    corrupted = Corruption(sequences.codes, groups_of(sequences), rng).batch(max(len(sequences), 1000), rng)
    readings = encoder(one_hot(corrupted.seen))[2].numpy()
    correlations = [
        np.corrcoef(read, amount)[0, 1] for read, amount in zip(readings.T, corrupted.amounts.T, strict=True)
    ]
    return {
        "intact": round(intact.float().mean().item(), 4),
        "masked": round(restored[(damaged == 0.25).all(1)].float().mean().item(), 4),
        "readings": {kind: round(float(r), 3) for kind, r in zip(KINDS, correlations, strict=True)},
    }


def write(encoder: Encoder, sequences: np.ndarray, out: Path, recipe: Recipe, facts: dict[str, Any]) -> None:
    """`encoder.safetensors` and, beside it, `encoder.json` with its sha256, the recipe and how it came about."""
    tensors = {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    out.mkdir(parents=True, exist_ok=True)
    content = save({**tensors, **feature_maps(encoder, sequences, recipe)})
    (out / "encoder.safetensors").write_bytes(content)
    described = {"sha256": hashlib.sha256(content).hexdigest(), "recipe": asdict(recipe), **facts}
    (out / "encoder.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Read the promoters, train, measure on what was held out, write."""
    parser = argparse.ArgumentParser(description="Train FReD's encoder on a directory of FASTA files.")
    parser.add_argument("--data", type=Path, required=True, help="directory of FASTA files, one per species")
    parser.add_argument("--out", type=Path, required=True, help="where encoder.safetensors and encoder.json go")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    parser.add_argument("--device", default="cpu", help="cpu or cuda; the shipped weights were trained on a CPU")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recipe = Recipe(steps=options.steps, seed=options.seed)
    sequences = read_corpus(options.data)
    held_out, known = (sequences.take(rows) for rows in split(len(sequences), recipe))
    encoder, decoder = train(known, recipe, _report, device=options.device)
    facts = {
        "trained_on": {"sequences": len(known), "length": sequences.length, "digest": known.digest},
        "held_out": accuracy(encoder, decoder, held_out, recipe.seed),
    }
    write(encoder, known.codes, options.out, recipe, facts)


def _report(step: int, reconstruction: float, errors: np.ndarray) -> None:
    if step % 100 == 0:
        print(f"step {step} reconstruction {reconstruction:.4f} readings {errors.round(2)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
