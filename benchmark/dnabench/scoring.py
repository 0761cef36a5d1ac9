"""Scores of one set of sequences against another, with embeddings made once and finished scores looked up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
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
    from dnabench.specs import EmbedderSpec, Spec
    from dnabench.store import Store

    # For the digest of a set: the sets that it was drawn from, and its rows in these, one after the other.
    Wholes = Mapping[str, tuple[tuple[SequenceSet, ...], np.ndarray]]


#: Bytes, about, that a process keeps of what metrics have worked out of each sequence of a set.
REMEMBERED = 1 << 30


class Scorer:
    """Scores with one catalog, store, device, number of threads and set of training sequences.

    ``core``: the digest of dnabench itself, a part of every key.
    """

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        *,
        device: str,
        threads: int,
        core: str,
        train: SequenceSet | None,
        progress: Callable[[int, int, str], None],
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._device = device
        self._numerics = keys.numerics(device, threads, core)
        self._packages = cache(keys.package_digest)
        self._train = train
        self._progress = progress
        self._metrics: dict[str, Any] = {}
        self._embedders: dict[str, _LoadedEmbedder] = {}
        self._recent: dict[str, np.ndarray] = {}
        self._remembered: dict[tuple[str, ...], np.ndarray] = {}

    def digests(self, metrics: Iterable[PlannedMetric], length: int) -> dict[str, list[str]]:
        """Label -> what the files behind a metric and behind its embedder amount to, empty where there are none.

        A fitted embedder has none yet: its key holds what it is fitted to.

        Every metric is constructed and asked about sequences of ``length`` bp, so that options it cannot use, such as a
        missing file, are refused at once: UserError. Whatever else goes wrong is met again, and recorded, when the
        metric is to score.
        """
        found: dict[str, list[str]] = {}
        for metric in metrics:
            try:
                implementation = self._metric(metric)
                if hasattr(implementation, "check_length"):
                    implementation.check_length(length)
                found[metric.label] = [_digest_of(implementation), self._planned_digest(metric)]
            except UserError:
                raise
            except Exception:  # noqa: BLE001 - see above
                found[metric.label] = ["", ""]
        return found

    def score(
        self,
        metric: PlannedMetric,
        *,
        generated: SequenceSet,
        reference: SequenceSet,
        dataset: str,
        repeat: int,
        wholes: Wholes = MappingProxyType({}),
        for_plots: bool = False,
    ) -> tuple[dict[str, Any], bool]:
        """The score record and whether the store had it.

        ``wholes``: for the digest of a set that was drawn from others, those and the rows; they are embedded, once for
        all that is drawn from them.

        The record holds value, ci_low, ci_high, parts, n_generated, n_reference and embedder_sha256. Whatever the
        metric raises passes through.

        ``for_plots``: what is computed also leaves the table of its details in the store, and the record says where it
        and the embeddings are: ``details`` is its key, ``embeddings`` the keys of the generated and the real side. A
        score that an earlier version stored has neither.
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
                "package": self._package(spec),
                "numerics": self._numerics,
                "embedder": embedder.key if embedder else "",
                "generated": generated.digest,
                "reference": reference.digest,
                "train": train.digest if train is not None else "",
                "seed": seed,
            },
        )
        if (known := self._store.score(key)) is not None:
            return known, True
        with self._store.work(key) as scratch:
            if (known := self._store.score(key)) is not None:  # another process has just made it
                return known, True
            seed_globals(seed)
            context = Context(
                device=metric.device,
                seed=seed,
                length=generated.length,
                scratch=scratch,
                train=train,
                embedder=metric.embedder,
                for_plots=for_plots,
                progress=self._progress,
                embed_with=lambda name, sequences: self._embed_part(metric, name, sequences, wholes),
                remember_with=lambda name, sequences, compute: self._remember(spec, name, sequences, compute, wholes),
            )
            score = implementation.score(generated=generated, reference=reference, context=context)
            record = _record(score) | {
                "n_generated": len(generated),
                "n_reference": len(reference),
                "embedder_sha256": embedder.digest if embedder else "",
            }
            if for_plots and score.details is not None:
                self._store.put_details(
                    key, score.details.to_csv(index=False, float_format="%.9g", lineterminator="\n")
                )
                record["details"] = key
            if for_plots and embedder:
                record["embeddings"] = [self._embedding_key(embedder, side.digest) for side in (generated, reference)]
            self._store.put_score(key, record)
        return record, False

    def _remember(
        self,
        spec: Spec,
        name: str,
        sequences: SequenceSet,
        compute: Callable[[SequenceSet], np.ndarray],
        wholes: Wholes,
    ) -> np.ndarray:
        """``compute(sequences)``, or their rows of what was computed for the sets that they were drawn from."""
        if sequences.digest in wholes:
            sources, rows = wholes[sequences.digest]
            found = [self._remember(spec, name, source, compute, {}) for source in sources]
            return (found[0] if len(found) == 1 else np.concatenate(found))[rows]
        key = (keys.package_of(spec.target), name, sequences.digest)
        if key not in self._remembered:
            values = np.asarray(compute(sequences))
            if values.shape[:1] != (len(sequences),):
                raise ValueError(f"{spec.name}: {name} has shape {values.shape} for {len(sequences)} sequences")
            while self._remembered and self._kept_bytes() + values.nbytes > REMEMBERED:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[key] = values
        return self._remembered[key]

    def _kept_bytes(self) -> int:
        return sum(values.nbytes for values in self._remembered.values())

    def _embed_part(self, metric: PlannedMetric, name: str, sequences: SequenceSet, wholes: Wholes) -> np.ndarray:
        if sequences.digest not in wholes:
            return self._embed(metric, name, sequences)
        sources, rows = wholes[sequences.digest]
        found = [self._embed(metric, name, source) for source in sources]
        return (found[0] if len(found) == 1 else np.concatenate(found))[rows]

    def _embed(self, metric: PlannedMetric, name: str, sequences: SequenceSet) -> np.ndarray:
        """Vectors of ``sequences``: float32, shape ``(n, dimension)``; from memory or the store where known."""
        embedder = self._embedder(metric, name)
        key = self._embedding_key(embedder, sequences.digest)
        if key in self._recent:
            return self._recent[key]
        vectors = self._store.embedding(key)
        if vectors is None:
            with self._store.work(key) as scratch:
                vectors = self._store.embedding(key)  # another process may just have made it
                if vectors is None:
                    vectors = self._make_embedding(embedder.implementation, name, sequences, scratch)
                    self._store.put_embedding(key, vectors)
        # A run goes back and forth between one sample and the reference: a handful is all that is asked for again.
        while len(self._recent) >= 8:
            self._recent.pop(next(iter(self._recent)))
        self._recent[key] = vectors
        return vectors

    def _embedding_key(self, embedder: _LoadedEmbedder, digest: str) -> str:
        return keys.key("embedding", {"embedder": embedder.key, "numerics": self._numerics, "sequences": digest})

    def _make_embedding(self, embedder: Any, name: str, sequences: SequenceSet, scratch: Path) -> np.ndarray:
        context = Context(
            device=self._device,
            seed=derive_seed("embed", repeat=0, dataset=name),
            length=sequences.length,
            scratch=scratch,
            progress=self._progress,
        )
        vectors = np.asarray(embedder.embed(sequences, context=context))
        if vectors.ndim != 2 or len(vectors) != len(sequences) or not np.isfinite(vectors).all():
            raise ValueError(f"embedder {name} returned shape {vectors.shape} for {len(sequences)} sequences, or NaN")
        return vectors

    def _package(self, spec: Spec) -> str:
        return self._packages(keys.package_of(spec.target))

    def _metric(self, metric: PlannedMetric) -> Any:
        if metric.label not in self._metrics:
            spec = self._catalog.metric(metric.name).spec
            self._metrics[metric.label] = construct(spec, options.build(spec.options, metric.name, metric.options))
        return self._metrics[metric.label]

    def _planned_digest(self, metric: PlannedMetric) -> str:
        if not metric.embedder:
            return ""
        spec = self._catalog.embedder(metric.embedder).spec
        if spec.needs_training:
            construct(spec, options.build(spec.options, spec.name, metric.embedder_options))
            return ""
        return self._embedder(metric, metric.embedder).digest

    def _embedder(self, metric: PlannedMetric, name: str) -> _LoadedEmbedder:
        """The embedder called ``name``, with the metric's settings if it is the metric's own; fitted if need be."""
        if name not in self._embedders:
            spec = self._catalog.embedder(name).spec
            settings = metric.embedder_options if name == metric.embedder else {}
            implementation = construct(spec, options.build(spec.options, name, settings))
            what = {"name": name, "version": spec.version, "options": settings}
            if spec.needs_training:
                what["fitted"] = self._fit(implementation, spec, settings)
            identity = keys.key("embedder", what)
            digest = _digest_of(implementation) or identity
            self._embedders[name] = _LoadedEmbedder(
                implementation,
                digest,
                keys.key("embedder", {"is": [identity, digest, self._package(spec)]}),
            )
        return self._embedders[name]

    def _fit(self, embedder: Any, spec: EmbedderSpec, settings: Mapping[str, Any]) -> str:
        """Fit ``embedder`` to the training sequences, or load it where that has been done; its key.

        UserError without them.
        """
        if self._train is None:
            raise UserError(f"embedder {spec.name} is fitted to training sequences: give them with --train")
        parts = {
            "embedder": [spec.name, spec.version, dict(settings)],
            "package": self._package(spec),
            "numerics": self._numerics,
            "train": self._train.digest,
        }
        key = keys.key("embedder", parts)
        if self._store.cell("embedder", key) is None:
            with self._store.work(key) as work:
                if self._store.cell("embedder", key) is None:  # another process may just have fitted it
                    seed = derive_seed("fit", repeat=0, dataset=spec.name)
                    seed_globals(seed)
                    (work / "scratch").mkdir(exist_ok=True)
                    context = Context(
                        device=self._device,
                        seed=seed,
                        length=self._train.length,
                        scratch=work / "scratch",
                        progress=self._progress,
                    )
                    embedder.fit(self._train, context=context)
                    fitted = work / "embedder"
                    shutil.rmtree(fitted, ignore_errors=True)
                    fitted.mkdir()
                    embedder.save(fitted)
                    self._store.put_files("embedder", key, fitted)
                    self._store.put_cell("embedder", key, parts, {})
        embedder.load(self._store.files("embedder", key))
        return key


class _LoadedEmbedder(NamedTuple):
    """An embedder, the digest that is published for it, and the key that also covers its code."""

    implementation: Any
    digest: str
    key: str


def _digest_of(implementation: Any) -> str:
    """What a plugin says its weights or files amount to; empty when it has none."""
    return str(implementation.digest()) if hasattr(implementation, "digest") else ""


def mean_record(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A floor from its draws: the mean values of the scores and of the parts that all of them have.

    ``draws`` holds every draw's value; there is no interval.
    """
    first, *others = records
    shared = [part for part in first["parts"] if all(part in other["parts"] for other in others)]
    values = [record["value"] for record in records]
    return {
        **first,
        "value": sum(values) / len(values),
        "ci_low": None,
        "ci_high": None,
        "draws": values,
        "parts": {part: mean_record([record["parts"][part] for record in records]) for part in shared},
    }


def _record(score: Score) -> dict[str, Any]:
    return {
        "value": float(score.value),
        "ci_low": None if score.ci_low is None else float(score.ci_low),
        "ci_high": None if score.ci_high is None else float(score.ci_high),
        "direction": score.direction,
        "parts": {name: _record(part) for name, part in sorted(score.parts.items())},
    }
