"""What the classes behind the records must offer, and the score they return."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dnabench.context import Context
    from dnabench.data.records import Cleaned, Reading
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
    looked up by it. One that is not for sequences of every length offers ``check_length(length)``, which raises
    UserError: it is asked before anything is trained.
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


class FittedEmbedder(Embedder, Protocol):
    """An embedder that learns from the training sequences; its record says ``needs_training``.

    Fitted once for each training set and kept; what embeds is always an instance that has loaded what was saved.
    """

    def fit(self, train: SequenceSet, *, context: Context) -> None:
        """Learn from ``train`` alone. Randomness comes from ``context`` only."""

    def save(self, directory: Path) -> None:
        """Write all that ``embed`` needs into an existing empty directory: safetensors and JSON, never a pickle."""

    def load(self, directory: Path) -> None:
        """Restore what ``save`` wrote."""

    def digest(self) -> str:
        """sha256 of the weights that were loaded, in hexadecimal."""


class Dataset(Protocol):
    """Constructed as ``MyDataset(options)``; the core splits what it loads."""

    def load(self, *, context: Context) -> SequenceSet:
        """The whole set."""


class FetchedDataset(Protocol):
    """Constructed as ``MyDataset(options)``; its record names the ``sets`` or the ``files`` that it brings.

    ``dnabench data fetch`` calls it once and keeps what it yields in the user's cache, each whole or not at all.
    """

    def fetch(self, *, fetcher: Fetcher) -> Iterator[FetchedSet | FetchedFile]:
        """Yield the sets or files. UserError when what was downloaded is not what was published."""


class Fetcher(Protocol):
    """What ``fetch`` is handed.

    Attributes:
        scratch: an empty directory, gone afterwards; on the disk of the downloads.
    """

    scratch: Path

    def download(self, url: str, *, name: str, sha256: str | None = None, md5: str | None = None) -> Path:
        """The file at ``url``, kept in the cache as ``name``; resumed, retried and verified. UserError otherwise.

        One that is of no more use once its contents are kept may be removed.
        """

    def read(self, paths: Sequence[Path], *, sequence_column: str | None = None) -> Reading:
        """The records of files, as ``dnabench data import`` reads them; their ``clean()`` makes a set."""

    def clean(self, sequences: SequenceSet, *, keep_n: bool = False) -> Cleaned:
        """``sequences`` without those that hold N and without repetitions, and how many were dropped and why."""

    def warn(self, text: str) -> None:
        """One line for the user."""

    def progress(self, done: int, total: int, stage: str) -> None:
        """How far the work is, as often as the plugin likes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedSet:
    """A set to be kept.

    Attributes:
        name: what ``--dataset`` calls it: lower-case words joined by hyphens.
        dropped: how many records are not in it, by reason.
        about: plain data for its record: where it comes from, checksums.
        published: whether it has been verified to be the published set, which suites may name.
    """

    name: str
    sequences: SequenceSet
    dropped: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)
    published: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchedFile:
    """A file to be kept, for an option of some plugin to name.

    Attributes:
        name: one of the record's ``files``.
        path: where it lies now, in ``Fetcher.scratch`` or as ``Fetcher.download`` returned it; it is moved from there.
        uses: the options that take it, with ``PATH`` for where it is kept: ``--set my-oracle.weights=PATH``.
        about: plain data for its record: where it comes from, checksums, what they were compared with.
    """

    name: str
    path: Path
    uses: tuple[str, ...] = ()
    about: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """A metric's answer.

    Attributes:
        value: finite; a NaN is a defect of the metric and raises ValueError.
        ci_low, ci_high: ends of a 95 % interval of the value over draws of both sets, both or neither.
        parts: name -> Score, written as rows named ``metric.part``; not ranked.
        details: a table for plots. A run keeps that of the whole sample as ``details/GENERATOR/seedK/METRIC.csv``. The
            report draws it where its columns say how: with ``generated`` and ``reference``, numbers on one scale, as
            curves over ``position`` (bases from a sequence's first, 0) or ``distance`` (bp), in a panel for each value
            of the columns of names before it (rows without a position are left out); over ``quantile`` (0.05, 0.25,
            0.5, 0.75 and 0.95) as the spread of both sides, a line for each value of the columns of names before it;
            without one of these three as points, a row each, named by the columns of names. With ``identity`` (a share
            from 0 to 1) as its histogram. Columns of names are those that stand before all of the six above, even
            where each name is a number, and those that hold any text. Two columns of text are about the table itself:
            ``quantity`` says in words what ``generated`` and ``reference`` are, with the unit, which titles axes, and
            ``view`` holds several tables in one: the rows of each of its values, which is the title, are a figure of
            their own, drawn by the columns that hold something in them.
        direction: of a part, which way is better: ``lower``, ``higher``, or ``none`` where neither is; None for the
            metric's own.
    """

    value: float
    ci_low: float | None = None
    ci_high: float | None = None
    parts: Mapping[str, Score] = field(default_factory=dict)
    details: pd.DataFrame | None = None
    direction: Literal["lower", "higher", "none"] | None = None

    def __post_init__(self) -> None:
        if (self.ci_low is None) != (self.ci_high is None):
            raise ValueError("a score has both ends of its interval or neither")
        for name in ("value", "ci_low", "ci_high"):
            number = getattr(self, name)
            if number is not None and not math.isfinite(number):
                raise ValueError(f"the score's {name} is {number}; a score must be a finite number")
        if self.direction not in (None, "lower", "higher", "none"):
            raise ValueError(f"the score's direction is {self.direction!r}; it is lower, higher, none or None")
