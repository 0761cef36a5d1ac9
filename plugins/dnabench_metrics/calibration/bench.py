"""Scores by the records' metrics, with what is worked out of a sequence worked out once."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from dnabench import Context, EmbedderSpec, MetricSpec, Score, SequenceSet, UserError
from dnabench_metrics import dnabench_embedders, dnabench_metrics


class Bench:
    """Every metric of this package that runs as it is, and a memory of embeddings, scans and other work on sequences.

    Attributes:
        metrics: name -> its record. What its default options do not suffice for, such as a metric that needs published
            weights, is left out.
        made: name -> the metric itself, and every embedder that was asked for.
        embedders: name -> record.
        train: what metrics that need training sequences get; without it they are left out.
    """

    def __init__(self, train: SequenceSet | None = None) -> None:
        self.train = train
        self.metrics: dict[str, MetricSpec] = {}
        self.made: dict[str, Any] = {}
        for record in dnabench_metrics():
            if record.needs_train and train is None:
                continue
            try:
                self.made[record.name] = construct(record)
            except UserError:
                continue
            self.metrics[record.name] = record
        self.embedders = {record.name: record for record in dnabench_embedders()}
        self._rows: dict[str, dict[bytes, np.ndarray]] = {}

    def score(self, metric: str, *, generated: SequenceSet, reference: SequenceSet) -> Score:
        """The metric's score with its default options, on one device and without a scratch directory."""
        context = Context(
            length=reference.length,
            scratch=Path(),
            train=self.train,
            embedder=self.metrics[metric].embedder,
            embed_with=self.embed,
            remember_with=self.remember,
        )
        score: Score = self.made[metric].score(generated=generated, reference=reference, context=context)
        return score

    def embed(self, name: str, sequences: SequenceSet) -> np.ndarray:
        """Embeddings by the embedder called ``name``: shape ``(n, dimension)``."""
        if name not in self.made:
            self.made[name] = construct(self.embedders[name])
        embedder, context = self.made[name], Context(length=sequences.length, scratch=Path())
        return self.remember(f"embedding {name}", sequences, lambda new: embedder.embed(new, context=context))

    def remember(self, name: str, sequences: SequenceSet, compute: Callable[[SequenceSet], np.ndarray]) -> np.ndarray:
        """``compute(sequences)``, of sequences that it has not been asked for before: shape ``(n, ...)``."""
        known = self._rows.setdefault(name, {})
        keys = [row.tobytes() for row in sequences.codes]
        new = {key: i for i, key in enumerate(keys) if key not in known}
        if new:
            known.update(zip(new, compute(sequences.take(np.array(list(new.values())))), strict=True))
        return np.stack([known[key] for key in keys])


def construct(record: MetricSpec | EmbedderSpec) -> Any:
    """An instance of the class behind a record, with its default options."""
    module, _, name = record.target.partition(":")
    cls = getattr(import_module(module), name)
    return cls() if record.options is None else cls(record.options())
