"""What the classes behind the records must offer, and the score they return."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dnabench.context import Context
    from dnabench.sequences import SequenceSet


class Generator(Protocol):
    """Constructed as ``MyModel(options)``; learns from real sequences and samples new ones."""

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Learn from ``train`` alone. Randomness comes from ``context`` only."""

    def sample(self, n: int, *, context: Context) -> SequenceSet | np.ndarray:
        """``n`` sequences of ``context.length`` bp: a SequenceSet, or uint8 codes of shape ``(n, length)``."""

    def save(self, directory: Path) -> None:
        """Write all that ``sample`` needs into an existing empty directory: safetensors and JSON, never a pickle.

        The name ``dnabench.json`` is the core's.
        """

    def load(self, directory: Path) -> None:
        """Restore what ``save`` wrote."""


class Metric(Protocol):
    """Constructed as ``MyMetric(options)``; scores generated sequences against real ones.

    A metric whose options name files also offers ``digest() -> str``, a sha256 of what it read from them: a score is
    looked up by it.
    """

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The score with its interval. Metrics on features ask ``context.embed(context.embedder, sequences)``."""


class Embedder(Protocol):
    """Constructed as ``MyEmbedder(options)``; maps every sequence to a vector.

    A sequence's vector depends on that sequence alone. An embedder with weights also offers ``digest() -> str``, their
    sha256 in hexadecimal, which is written beside every score that rests on it.
    """

    def embed(self, sequences: SequenceSet, *, context: Context) -> np.ndarray:
        """float32, shape ``(n, dimension)``."""


class Dataset(Protocol):
    """Constructed as ``MyDataset(options)``; the core splits what it loads."""

    def load(self, *, context: Context) -> SequenceSet:
        """The whole set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A metric's answer.

    Attributes:
        value: finite; a NaN is a defect of the metric and raises ValueError.
        ci_low, ci_high: ends of a 95 % interval of the value over draws of both sets, both or neither.
        parts: name -> Score, written as rows named ``metric.part``; not ranked.
        details: a table for plots.
    """

    value: float
    ci_low: float | None = None
    ci_high: float | None = None
    parts: Mapping[str, Score] = field(default_factory=dict)
    details: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if (self.ci_low is None) != (self.ci_high is None):
            raise ValueError("a score has both ends of its interval or neither")
        for name in ("value", "ci_low", "ci_high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"the score's {name} is {number}; a score must be a finite number")
