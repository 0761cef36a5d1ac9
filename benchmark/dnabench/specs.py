"""The records that plugins yield: everything the planner needs to know about a plugin without importing it.

A record names its implementation as ``target="module:Class"``; the module is imported only in the process that runs it.
This module imports the standard library alone, so that a plugin's entry-point module stays light.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
FILE_PATTERN = re.compile(r"\w[\w.-]*")
TARGET_PATTERN = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

# The grouping of Sarkar et al. 2024, bioRxiv 2024.05.23.595630: what sequences do, which sequences they are, and what
# elements they are composed of. A leaderboard gives each family of metrics one voice.
Family = Literal["functional", "sequence", "compositional"]
FAMILIES: tuple[str, ...] = ("functional", "sequence", "compositional")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What every record carries.

    Attributes:
        name: lower-case words joined by hyphens; unique within its kind.
        target: ``"package.module:Class"``. The class is constructed as ``Class(options)``.
        summary: one line for ``dnabench list``.
        version: raised by the author whenever the same input gives another output on purpose.
        options: a frozen dataclass from a light module whose fields all have defaults, or None (then ``Class()``).
        batch_option: the option that says how many sequences it works on at once, where results do not depend on that;
            the conformance kit holds it to this.
        citation: where the method is described.
    """

    noun: ClassVar[str] = "plugin"

    name: str
    target: str
    summary: str
    version: int = 1
    options: type | None = None
    batch_option: str | None = None
    citation: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME_PATTERN.fullmatch(self.name):
            raise ValueError(f"name {self.name!r} is not lower-case words joined by hyphens")
        if not isinstance(self.target, str) or not TARGET_PATTERN.fullmatch(self.target):
            raise ValueError(f"{self.name}: target {self.target!r} is not of the form 'package.module:Class'")
        if not isinstance(self.summary, str) or len(self.summary.splitlines()) > 1:
            raise ValueError(f"{self.name}: summary {self.summary!r} is not one line")
        if not isinstance(self.version, int) or self.version < 1:
            raise ValueError(f"{self.name}: version {self.version!r} is not a whole number from 1")
        if self.options is not None and not _is_frozen_dataclass(self.options):
            raise ValueError(f"{self.name}: options {self.options!r} is not a frozen dataclass")
        self._check_names_an_option("batch_option")

    def _check_names_an_option(self, role: str) -> None:
        known = {field.name for field in dataclasses.fields(self.options)} if self.options else set()
        named = getattr(self, role)
        if named is not None and named not in known:
            raise ValueError(f"{self.name}: {role} {named!r} is not one of its options")


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratorSpec(Spec):
    """A model, baseline or control that generates sequences (see :class:`dnabench.Generator`).

    Attributes:
        kind: ``model`` and ``baseline`` are ranked, ``control`` is not. Only a control is handed ``context.held_out``.
        devices: the device types it runs on.
        lengths: smallest and largest sequence length in bp, inclusive; None for any.
        length_multiple: lengths must be a multiple of this many bp.
        uses_labels: whether it reads ``SequenceSet.labels`` and its samples carry labels, so that slices can be scored.
        label_option: the option that names the label column it conditions on, or several joined by commas; empty for
            none. Where there is such an option, its samples carry those columns.
        variant: the option that ``NAME=VALUE`` on the command line sets, so that one run compares several values.
        devices_option: the option that says on how many devices it trains. ``fit`` is then called in as many processes
            at once, which share a process group of ``torch.distributed`` (``context.rank``, ``context.ranks``), and the
            model of the first is kept.
        needs_training: False when ``fit`` does nothing.
        datasets: names of the only data sets that it is for, uncropped; empty for any.
        presets: preset name -> the options it changes; the preset ``quick`` should take minutes on two CPU cores.
    """

    noun: ClassVar[str] = "generator"

    kind: Literal["model", "baseline", "control"] = "model"
    devices: tuple[str, ...] = ("cpu",)
    lengths: tuple[int, int] | None = None
    length_multiple: int = 1
    uses_labels: bool = False
    label_option: str | None = None
    variant: str | None = None
    devices_option: str | None = None
    needs_training: bool = True
    datasets: tuple[str, ...] = ()
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Spec.__post_init__(self)
        if self.kind not in ("model", "baseline", "control"):
            raise ValueError(f"{self.name}: kind {self.kind!r} is none of model, baseline, control")
        for role in ("label_option", "variant", "devices_option"):
            self._check_names_an_option(role)


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSpec(Spec):
    """A score of generated sequences against real ones (see :class:`dnabench.Metric`).

    Attributes:
        direction: which way is better.
        min_samples: the fewest sequences, on either side, that it accepts.
        embedder: the embedder it works on unless told otherwise (``metric@embedder``); None when it takes sequences.
        encoders: values of its option ``encoder``, and the embedder that each of them stands for; the default's is
            ``embedder``. Empty where it has no such option.
        devices: device types that it runs on where it takes sequences; on embeddings, it is where the embedder is.
        samples_exceed_dimension: whether either side must hold more sequences than the embedding has dimensions.
        needs_train: whether it reads ``context.train``.
        uses_labels: whether it reads ``SequenceSet.labels``.
        datasets: names of the only data sets that it is for, uncropped; empty for any.
        family: with which metrics it shares a voice in the mean rank: ``functional`` (what sequences do, as models and
            embedders tell it), ``sequence`` (k-mers, identity, a classifier's view) or ``compositional`` (motifs). None
            stands for its embedder's, and for ``sequence`` where it takes sequences.
    """

    noun: ClassVar[str] = "metric"

    direction: Literal["lower", "higher"]
    min_samples: int = 2
    embedder: str | None = None
    encoders: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[str, ...] = ("cpu",)
    samples_exceed_dimension: bool = False
    needs_train: bool = False
    uses_labels: bool = False
    datasets: tuple[str, ...] = ()
    family: Family | None = None

    def __post_init__(self) -> None:
        Spec.__post_init__(self)
        if self.family is not None:
            _check_family(self.name, self.family)
        if self.direction not in ("lower", "higher"):
            raise ValueError(f"{self.name}: direction {self.direction!r} is neither lower nor higher")
        defaults = {field.name: field.default for field in dataclasses.fields(self.options)} if self.options else {}
        if self.encoders and (
            "encoder" not in defaults or self.encoders.get(str(defaults["encoder"])) != self.embedder
        ):
            raise ValueError(f"{self.name}: encoders does not map the default of its option encoder to its embedder")


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbedderSpec(Spec):
    """A map from sequences to vectors (see :class:`dnabench.Embedder`).

    Attributes:
        dimension: the length of a vector.
        min_length: the shortest sequence it takes, in bp.
        needs_training: whether it is fitted to the training sequences first (see :class:`dnabench.FittedEmbedder`).
        min_training: the fewest training sequences that it can be fitted to.
        family: that of the metrics on it (see :class:`MetricSpec`): ``functional`` for features that a model has
            learned.
    """

    noun: ClassVar[str] = "embedder"

    dimension: int
    min_length: int = 1
    needs_training: bool = False
    min_training: int = 0
    family: Family = "functional"

    def __post_init__(self) -> None:
        Spec.__post_init__(self)
        _check_family(self.name, self.family)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetSpec(Spec):
    """A set of real or simulated sequences (see :class:`dnabench.Dataset`), or files that are published.

    Attributes:
        sets: names of the sets that ``dnabench data fetch`` makes of it (see :class:`dnabench.FetchedDataset`).
        files: names of the files, such as weights, that it brings in their place. With neither sets nor files a
            dataset is loaded at once.
    """

    noun: ClassVar[str] = "dataset"

    sets: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Spec.__post_init__(self)
        if self.sets and self.files:
            raise ValueError(f"{self.name}: it brings either sets or files, not both")
        for name in self.files:
            if not FILE_PATTERN.fullmatch(name):
                raise ValueError(f"{self.name}: {name!r} is not the name of a file")


def label_columns(option: str) -> tuple[str, ...]:
    """The columns that a record's ``label_option`` names: ``species`` or ``species,class``; none where it is empty."""
    columns = (column.strip() for column in option.split(","))
    return tuple(dict.fromkeys(column for column in columns if column))


def _check_family(name: str, family: str) -> None:
    if family not in FAMILIES:
        raise ValueError(f"{name}: family {family!r} is none of {', '.join(FAMILIES)}")


def _is_frozen_dataclass(cls: object) -> bool:
    return isinstance(cls, type) and dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
