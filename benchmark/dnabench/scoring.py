"""Scores of one set of sequences against another, with embeddings made once and finished scores looked up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench import keys, options
from dnabench.context import Context
from dnabench.errors import UserError
from dnabench.plugins import Catalog, construct
from dnabench.seeds import derive_seed

if TYPE_CHECKING:
    from dnabench.plan import PlannedMetric
    from dnabench.protocols import Score
    from dnabench.sequences import SequenceSet
    from dnabench.store import Store


class Scorer:
    """Scores with one catalog, store, device and set of training sequences."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        *,
        device: str,
        scratch: Path,
        train: SequenceSet | None,
        progress: Callable[[int, int, str], None],
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._device = device
        self._scratch = scratch
        self._train = train
        self._progress = progress
        self._embedders: dict[str, tuple[Any, str]] = {}
        self._recent: dict[str, np.ndarray] = {}

    def score(
        self, metric: PlannedMetric, *, generated: SequenceSet, reference: SequenceSet, dataset: str, repeat: int
    ) -> dict[str, Any]:
        """The score record: value, ci_low, ci_high, parts, n_generated, n_reference, embedder_sha256.

        Whatever the metric raises passes through.
        """
        spec = self._catalog.metric(metric.name).spec
        if spec.needs_train and self._train is None:
            raise UserError(f"metric {metric.name} needs training sequences: give them with --train")
        seed = derive_seed("score", repeat=repeat, dataset=dataset)
        embedder_sha256 = self._embedder(metric)[1] if metric.embedder else ""
        key = keys.key(
            "score",
            {
                "metric": [metric.name, metric.version, metric.options],
                "package": keys.package_digest(spec.target),
                "embedder": [metric.embedder, embedder_sha256],
                "generated": generated.digest,
                "reference": reference.digest,
                "train": self._train.digest if spec.needs_train and self._train is not None else "",
                "seed": seed,
                "device": self._device.partition(":")[0],
            },
        )
        if (known := self._store.score(key)) is not None:
            return known
        chosen = options.build(spec.options, metric.name, metric.options)
        context = Context(
            device=self._device,
            seed=seed,
            length=generated.length,
            scratch=self._scratch,
            train=self._train,
            embedder=metric.embedder,
            progress=self._progress,
            embed_with=lambda name, sequences: self.embed(metric, name, sequences),
        )
        score = construct(spec, chosen).score(generated=generated, reference=reference, context=context)
        record = _record(score) | {
            "n_generated": len(generated),
            "n_reference": len(reference),
            "embedder_sha256": embedder_sha256,
        }
        self._store.put_score(key, record)
        return record

    def embed(self, metric: PlannedMetric, name: str, sequences: SequenceSet) -> np.ndarray:
        """Vectors of ``sequences``: float32, shape ``(n, dimension)``; from memory or the store where known."""
        embedder, digest = self._embedder(metric, name)
        key = keys.key(
            "embedding",
            {"embedder": [name, digest], "sequences": sequences.digest, "device": self._device.partition(":")[0]},
        )
        if key in self._recent:
            return self._recent[key]
        vectors = self._store.embedding(key)
        if vectors is None:
            context = Context(
                device=self._device,
                seed=derive_seed("embed", repeat=0, dataset=name),
                length=sequences.length,
                scratch=self._scratch,
                train=self._train,
                progress=self._progress,
            )
            vectors = np.asarray(embedder.embed(sequences, context=context))
            if vectors.ndim != 2 or len(vectors) != len(sequences) or not np.isfinite(vectors).all():
                raise ValueError(
                    f"embedder {name} returned shape {vectors.shape} for {len(sequences)} sequences, or NaN"
                )
            self._store.put_embedding(key, vectors)
        # A run goes back and forth between one sample and the reference: a handful is all that is asked for again.
        while len(self._recent) >= 8:
            self._recent.pop(next(iter(self._recent)))
        self._recent[key] = vectors
        return vectors

    def _embedder(self, metric: PlannedMetric, name: str | None = None) -> tuple[Any, str]:
        """The embedder and the digest that stands for it: of its weights where it has any, else of its settings."""
        name = name or metric.embedder or ""
        if name not in self._embedders:
            offer = self._catalog.embedder(name)
            settings = metric.embedder_options if name == metric.embedder else {}
            embedder = construct(offer.spec, options.build(offer.spec.options, name, settings))
            if hasattr(embedder, "digest"):
                digest = embedder.digest()
            else:
                digest = keys.key("embedder", {"name": name, "version": offer.spec.version, "options": settings})
            self._embedders[name] = (embedder, digest)
        return self._embedders[name]


def _record(score: Score) -> dict[str, Any]:
    return {
        "value": float(score.value),
        "ci_low": None if score.ci_low is None else float(score.ci_low),
        "ci_high": None if score.ci_high is None else float(score.ci_high),
        "parts": {name: _record(part) for name, part in sorted(score.parts.items())},
    }
