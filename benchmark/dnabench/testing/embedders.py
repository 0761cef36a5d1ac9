"""Checks of embedders: a sequence's vector depends on that sequence alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench.errors import UserError
from dnabench.testing.outcomes import Check, SkippedError, broken, promised
from dnabench.testing.pickles import pickled
from dnabench.testing.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from dnabench.sequences import SequenceSet

CHECKS: list[Check] = []

RELATIVE, ABSOLUTE = 1e-4, 1e-5
"""What sums of float32 in another order may differ by."""


class EmbedderSubject(Subject):
    """An embedder, fitted if need be, and sequences."""

    @property
    def length(self) -> int:
        """As asked for, but no shorter than the record allows."""
        return max(self.setup.length, int(self.spec.min_length))

    @cached_property
    def sequences(self) -> SequenceSet:
        """Those that are embedded."""
        return self.real(self.n, 11)

    @cached_property
    def fitted(self) -> Any:
        """An instance that was fitted to training sequences."""
        embedder = self.construct()
        train = self.real(max(self.n, self.spec.min_training), 10)
        embedder.fit(train, context=self.context("fit"))
        return embedder

    @cached_property
    def saved(self) -> Path:
        """What it saved."""
        directory = self.new_directory("saved")
        self.fitted.save(directory)
        return directory

    @cached_property
    def embedder(self) -> Any:
        """An instance that embeds."""
        return self.ready()

    def ready(self, **changes: Any) -> Any:
        """A new instance with ``changes`` to its options; where there is training, it loads what a fitted one saved."""
        embedder = self.construct(**changes)
        if self.spec.needs_training:
            embedder.load(self.saved)
        return embedder

    @cached_property
    def vectors(self) -> np.ndarray:
        """Of the sequences."""
        return self.embed(self.sequences)

    def embed(self, sequences: SequenceSet, embedder: Any = None, seed: int = 1) -> np.ndarray:
        """What ``embed`` returns."""
        context = self.context("embed", seed=seed)
        vectors: np.ndarray = np.asarray((embedder or self.embedder).embed(sequences, context=context))
        return vectors


@promised(CHECKS, needs=("constructed",))
def embeds(subject: EmbedderSubject) -> None:
    """It gives a vector of finite numbers for each sequence."""
    try:
        vectors = subject.vectors
    except UserError as error:
        raise SkippedError(f"it does not take the sequences of this check: {error}") from None
    if vectors.ndim != 2 or len(vectors) != subject.n:
        broken(
            f"{subject.n} vectors of {subject.n} sequences", f"shape {vectors.shape}", "Return shape (n, dimension)."
        )
    if not np.isfinite(vectors).all():
        broken("finite numbers", f"{np.sum(~np.isfinite(vectors))} that are not", "Look for divisions by 0.")


@promised(CHECKS, needs=("embeds",))
def dimension_of_record(subject: EmbedderSubject) -> None:
    """Vectors have the dimension that the record says."""
    seen, said = subject.vectors.shape[1], subject.spec.dimension
    if seen != said:
        broken(f"{said} dimensions, as the record says", str(seen), "Correct the record's dimension.")


@promised(CHECKS, needs=("embeds",))
def float32(subject: EmbedderSubject) -> None:
    """Vectors are float32."""
    if subject.vectors.dtype != np.float32:
        broken("dtype float32", str(subject.vectors.dtype), "Return vectors.astype(np.float32).")


@promised(CHECKS, needs=("embeds",))
def same_sequences_same_vectors(subject: EmbedderSubject) -> None:
    """The same sequences have the same vectors, whatever the seed."""
    again = subject.embed(subject.sequences, seed=2)
    if not np.array_equal(again, subject.vectors):
        broken(
            "the same numbers with another seed of the context",
            f"differences up to {np.abs(again - subject.vectors).max():.3g}",
            "Switch dropout off (module.eval()), and draw nothing: an embedding is kept and used again.",
        )


@promised(CHECKS, needs=("same_sequences_same_vectors",))
def order_does_not_matter(subject: EmbedderSubject) -> None:
    """The vectors of sequences in another order are the same, in that order."""
    order = np.random.default_rng(1).permutation(subject.n)
    vectors = subject.embed(subject.sequences.take(order))
    _compare(vectors, subject.vectors[order], "in another order", "Return the vectors in the order of the sequences.")


@promised(CHECKS, needs=("order_does_not_matter",))
def one_by_one(subject: EmbedderSubject) -> None:
    """A sequence has the same vector whatever is embedded with it: alone, or in a batch of seven."""
    rows = np.arange(subject.n)
    parts = [rows[:1], rows[1:8], rows[8:]]
    vectors = np.concatenate([subject.embed(subject.sequences.take(part)) for part in parts if len(part)])
    _compare(vectors, subject.vectors, "alone or with others", "Use no statistics of the batch (module.eval()).")


@promised(CHECKS, needs=("same_sequences_same_vectors",))
def batch_does_not_matter(subject: EmbedderSubject) -> None:
    """Where the record names a ``batch_option``, the vectors do not depend on it."""
    changes = subject.other_batch()
    vectors = subject.embed(subject.sequences, subject.ready(**changes))
    _compare(vectors, subject.vectors, f"with {changes}", "Use no statistics of the batch.")


@promised(CHECKS, needs=("same_sequences_same_vectors",))
def saved_and_loaded(subject: EmbedderSubject) -> None:
    """What a fitted one saves is no pickle, and gives every instance that loads it the same digest and vectors."""
    if not subject.spec.needs_training:
        raise SkippedError("the record says that it needs no training")
    for path in (path for path in sorted(subject.saved.rglob("*")) if path.is_file()):
        if reason := pickled(path):
            broken("safetensors, JSON and the like", f"{path.name}, a pickle {reason}", "Write safetensors.")
    other = subject.ready()
    _compare(subject.embed(subject.sequences, other), subject.vectors, "after load", "Save all that embed needs.")
    if other.digest() != subject.ready().digest():
        broken("one digest of what was saved", "two", "Make it the sha256 of the weights' bytes.")


def _compare(seen: np.ndarray, expected: np.ndarray, where: str, change: str) -> None:
    if seen.shape != expected.shape or not np.allclose(seen, expected, rtol=RELATIVE, atol=ABSOLUTE):
        gap = np.abs(seen - expected).max() if seen.shape == expected.shape else f"shape {seen.shape}"
        broken(f"the same vectors {where}", f"differences up to {gap}", change)
