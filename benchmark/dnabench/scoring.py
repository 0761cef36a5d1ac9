"""Scores of one set of sequences against another, with embeddings made once and finished scores looked up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dnabench import keys, options
from dnabench.context import Context
from dnabench.errors import UserError
from dnabench.plugins import Catalog, construct
from dnabench.seeds import derive_seed, seed_globals

if TYPE_CHECKING:
    from dnabench.plan import PlannedMetric
    from dnabench.protocols import Score
    from dnabench.sequences import SequenceSet
    from dnabench.store import Store

    Wholes = Mapping[str, tuple[SequenceSet, np.ndarray]]


class Scorer:
    """Scores with one catalog, store, device and set of training sequences."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        *,
        device: str,
        train: SequenceSet | None,
        progress: Callable[[int, int, str], None],
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._device = device
        self._train = train
        self._progress = progress
        self._metrics: dict[str, Any] = {}
        self._embedders: dict[str, _LoadedEmbedder] = {}
        self._recent: dict[str, np.ndarray] = {}

    def check(self, metrics: Iterable[PlannedMetric]) -> None:
        """Construct the metrics, so that options they cannot use, such as a missing file, are refused at once.

        Raises UserError. Whatever else goes wrong shows in the scores.
        """
        for metric in metrics:
            try:
                self._metric(metric)
            except UserError:
                raise
            except Exception:  # noqa: BLE001, S112 - met again, and recorded, when the metric is to score
                continue

    def score(
        self,
        metric: PlannedMetric,
        *,
        generated: SequenceSet,
        reference: SequenceSet,
        dataset: str,
        repeat: int,
        wholes: Wholes = MappingProxyType({}),
    ) -> tuple[dict[str, Any], bool]:
        """The score record and whether the store had it.

        ``wholes``: for the digest of a set that is a part of another, that one and the rows; it is embedded as a part
        of it, once for all parts.

        The record holds value, ci_low, ci_high, parts, n_generated, n_reference and embedder_sha256. Whatever the
        metric raises passes through.
        """
        spec = self._catalog.metric(metric.name).spec
        if spec.needs_train and self._train is None:
            raise UserError(f"metric {metric.name} needs training sequences: give them with --train")
        train = self._train if spec.needs_train else None
        seed = derive_seed("score", repeat=repeat, dataset=dataset)
        implementation = self._metric(metric)
        embedder = self._embedder(metric, metric.embedder) if metric.embedder else None
        key = keys.key(
            "score",
            {
                "metric": [metric.name, metric.version, metric.options, _digest_of(implementation)],
                "package": keys.package_digest(spec.target),
                "versions": keys.versions(),
                "embedder": embedder.key if embedder else "",
                "generated": generated.digest,
                "reference": reference.digest,
                "train": train.digest if train is not None else "",
                "seed": seed,
                "device": self._device.partition(":")[0],
            },
        )
        if (known := self._store.score(key)) is not None:
            return known, True
        seed_globals(seed)
        with self._store.work(key) as scratch:
            context = Context(
                device=self._device,
                seed=seed,
                length=generated.length,
                scratch=scratch,
                train=train,
                embedder=metric.embedder,
                progress=self._progress,
                embed_with=lambda name, sequences: self._embed_part(metric, name, sequences, wholes),
            )
            score = implementation.score(generated=generated, reference=reference, context=context)
            record = _record(score) | {
                "n_generated": len(generated),
                "n_reference": len(reference),
                "embedder_sha256": embedder.digest if embedder else "",
            }
            self._store.put_score(key, record)
        return record, False

    def _embed_part(self, metric: PlannedMetric, name: str, sequences: SequenceSet, wholes: Wholes) -> np.ndarray:
        if sequences.digest not in wholes:
            return self._embed(metric, name, sequences)
        whole, rows = wholes[sequences.digest]
        return self._embed(metric, name, whole)[rows]

    def _embed(self, metric: PlannedMetric, name: str, sequences: SequenceSet) -> np.ndarray:
        """Vectors of ``sequences``: float32, shape ``(n, dimension)``; from memory or the store where known."""
        embedder = self._embedder(metric, name)
        key = keys.key(
            "embedding",
            {
                "embedder": embedder.key,
                "versions": keys.versions(),
                "sequences": sequences.digest,
                "device": self._device.partition(":")[0],
            },
        )
        if key in self._recent:
            return self._recent[key]
        vectors = self._store.embedding(key)
        if vectors is None:
            with self._store.work(key) as scratch:
                context = Context(
                    device=self._device,
                    seed=derive_seed("embed", repeat=0, dataset=name),
                    length=sequences.length,
                    scratch=scratch,
                    progress=self._progress,
                )
                vectors = np.asarray(embedder.implementation.embed(sequences, context=context))
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

    def _metric(self, metric: PlannedMetric) -> Any:
        if metric.label not in self._metrics:
            spec = self._catalog.metric(metric.name).spec
            self._metrics[metric.label] = construct(spec, options.build(spec.options, metric.name, metric.options))
        return self._metrics[metric.label]

    def _embedder(self, metric: PlannedMetric, name: str) -> _LoadedEmbedder:
        """The embedder called ``name``, with the metric's settings if it is the metric's own."""
        if name not in self._embedders:
            spec = self._catalog.embedder(name).spec
            settings = metric.embedder_options if name == metric.embedder else {}
            implementation = construct(spec, options.build(spec.options, name, settings))
            identity = keys.key("embedder", {"name": name, "version": spec.version, "options": settings})
            digest = _digest_of(implementation) or identity
            self._embedders[name] = _LoadedEmbedder(
                implementation,
                digest,
                keys.key("embedder", {"is": [identity, digest, keys.package_digest(spec.target)]}),
            )
        return self._embedders[name]


class _LoadedEmbedder(NamedTuple):
    """An embedder, the digest that is published for it, and the key that also covers its code."""

    implementation: Any
    digest: str
    key: str


def _digest_of(implementation: Any) -> str:
    """What a plugin says its weights or files amount to; empty when it has none."""
    return str(implementation.digest()) if hasattr(implementation, "digest") else ""


def _record(score: Score) -> dict[str, Any]:
    return {
        "value": float(score.value),
        "ci_low": None if score.ci_low is None else float(score.ci_low),
        "ci_high": None if score.ci_high is None else float(score.ci_high),
        "parts": {name: _record(part) for name, part in sorted(score.parts.items())},
    }
