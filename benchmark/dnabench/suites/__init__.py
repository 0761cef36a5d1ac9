"""Suites: frozen protocols, one TOML file each, named by their file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from dnabench.errors import UserError, did_you_mean

DEFAULT = "promoters-sim-v1"
# What a row says in place of a suite whose protocol it does not keep to.
CUSTOM = "custom"
SPLIT_METHODS = ("groups", "random")


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The generators that every table holds, by the part they play (design rule 5.4).

    Attributes:
        floor: real held-out sequences: the best there can be.
        memoriser: training sequences again.
        blank: what a metric must tell from held-out real DNA, else it is blind.
        useless: whose score is 1 on the normalised scale, where the floor is 0; empty for none.
    """

    floor: str
    memoriser: str
    blank: tuple[str, ...]
    useless: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (self.floor, self.memoriser, *self.blank)


@dataclass(frozen=True, kw_only=True)
class SplitRule:
    """How sequences are divided.

    Attributes:
        method: ``groups`` keeps relatives together, ``random`` does not.
        fractions: of train, validation and test.
        k: sequences sharing an exact k-mer on either strand are relatives.
    """

    method: str = "groups"
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)
    k: int = 50

    @property
    def protocol(self) -> str:
        """What a row of results says of it: ``groups-50mer-80:10:10`` or ``random-80:10:10``."""
        shares = ":".join(f"{fraction * 100:.12g}" for fraction in self.fractions)
        return f"groups-{self.k}mer-{shares}" if self.method == "groups" else f"{self.method}-{shares}"


def relatives_of(protocol: str) -> int:
    """The k of the k-mers that relatives share, as :attr:`SplitRule.protocol` tells it; else the default."""
    found = re.search(r"-(\d+)mer-", protocol)
    return int(found.group(1)) if found else SplitRule.k


@dataclass(frozen=True, kw_only=True)
class SuiteData:
    """What a suite is measured on.

    Attributes:
        name: of a dataset plugin or a stored set; for a suite of the user's own, ``path`` may take its place.
        path: a file or directory, relative to the suite's own file.
        options: of the dataset plugin.
        species: the values of the label ``species`` that take part; empty for all.
        sha256: the digest of the set; empty where none has been pinned.
        fetch: what ``dnabench data fetch`` takes to bring it.
        source: where the published set is.
        tss: index of the transcription start site in sequences of the suite's length, from 0, for plots; None where
            none is known.
    """

    name: str = ""
    path: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    species: tuple[str, ...] = ()
    sha256: str = ""
    fetch: str = ""
    source: str = ""
    tss: int | None = None

    @property
    def title(self) -> str:
        """The name, or the path in its place."""
        return self.name or str(self.path)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A protocol: what is measured on what, and how often.

    Attributes:
        length: bp; None takes the length of the data.
        samples: sequences on each side of a comparison.
        slices: label columns whose values are scored one by one, for generators whose samples carry them.
    """

    name: str
    summary: str
    samples: int
    metrics: tuple[str, ...]
    seeds: tuple[int, ...]
    dataset: SuiteData
    controls: Controls
    split: SplitRule = SplitRule()
    slices: tuple[str, ...] = ()
    length: int | None = None


def names() -> list[str]:
    """The names of the suites that come with dnabench."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in files(__name__).iterdir() if entry.name.endswith(".toml")
    )


def load(text: str) -> Suite:
    """The suite of that name, or of the user's own file (``my.toml``); UserError with what is wrong otherwise."""
    if text in names():
        content = files(__name__).joinpath(f"{text}.toml").read_text(encoding="utf-8")
        return _parse(text, tomllib.loads(content), f"suite {text}", Path())
    path = Path(text)
    if path.suffix != ".toml":
        raise UserError(f"no suite named {text!r}; {did_you_mean(text, names())}; your own is a file: --suite my.toml")
    if path.stem in (*names(), CUSTOM):
        raise UserError(f"{path}: {path.stem} is a name of dnabench's own; give your suite another")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not TOML: {error}") from None
    return _parse(path.stem, table, str(path), path.parent)


_NOUNS: Mapping[type, str] = {str: "text", int: "a whole number", dict: "a table"}
_LISTED: Mapping[type, str] = {str: "texts", int: "whole numbers", float: "numbers"}


class _Table:
    """A TOML table that is taken apart key by key; what is left at the end is a mistake."""

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values = dict(values)
        self._known: list[str] = []
        self._where = where

    def take(self, key: str, kind: type | tuple[type, list[type]], default: Any = None) -> Any:
        """The value of a key, checked; required where there is no default. A list comes as a tuple."""
        self._known.append(key)
        if key not in self._values:
            if default is None:
                raise UserError(f"{self._where}: {key!r} is missing")
            return default
        value = self._values.pop(key)
        if isinstance(kind, tuple):
            inner = tuple(kind[1])
            if not isinstance(value, list) or not all(isinstance(v, inner) and not isinstance(v, bool) for v in value):
                raise UserError(f"{self._where}: {key} = {value!r} is not a list of {_LISTED[inner[0]]}")
            return tuple(value)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise UserError(f"{self._where}: {key} = {value!r} is not {_NOUNS[kind]}")
        return value

    def table(self, key: str) -> _Table:
        """A table within; empty where it is not given."""
        return _Table(self.take(key, dict, {}), f"{self._where}: [{key}]")

    def end(self) -> None:
        """UserError for a key that nobody took."""
        for key in self._values:
            raise UserError(f"{self._where}: no key is called {key!r}; {did_you_mean(key, self._known)}")


def _parse(name: str, values: Mapping[str, Any], where: str, directory: Path) -> Suite:
    top = _Table(values, where)
    data, split, controls = top.table("dataset"), top.table("split"), top.table("controls")
    path = data.take("path", str, "")
    suite = Suite(
        name=name,
        summary=top.take("summary", str, ""),
        length=top.take("length", int, 0) if "length" in values else None,
        samples=top.take("samples", int),
        metrics=top.take("metrics", (list, [str])),
        seeds=top.take("seeds", (list, [int])),
        slices=top.take("slices", (list, [str]), ()),
        dataset=SuiteData(
            name=data.take("name", str, ""),
            path=directory / path if path else None,
            options=data.take("options", dict, {}),
            species=data.take("species", (list, [str]), ()),
            sha256=data.take("sha256", str, ""),
            fetch=data.take("fetch", str, ""),
            source=data.take("source", str, ""),
            tss=data.take("tss", int) if "tss" in values.get("dataset", {}) else None,
        ),
        split=SplitRule(
            method=split.take("method", str, "groups"),
            k=split.take("k", int, 50),
            fractions=split.take("fractions", (list, [float, int]), (0.8, 0.1, 0.1)),
        ),
        controls=Controls(
            floor=controls.take("floor", str, "holdout"),
            memoriser=controls.take("memoriser", str, "bootstrap"),
            blank=controls.take("blank", (list, [str]), ("dinucleotide-shuffle", "random")),
            useless=controls.take("useless", str, "random"),
        ),
    )
    for table in (top, data, split, controls):
        table.end()
    _check(suite, where)
    return suite


def _check(suite: Suite, where: str) -> None:
    split = suite.split
    checks = {
        "[dataset] names a set (name) or a file (path), one of the two": bool(suite.dataset.name)
        != (suite.dataset.path is not None),
        "[dataset] options are those of a name, not of a path": suite.dataset.path is None or not suite.dataset.options,
        "samples is at least 2": suite.samples >= 2,
        "length is at least 1": suite.length is None or suite.length >= 1,
        "[dataset] tss is within the length": suite.dataset.tss is None
        or (suite.length is not None and 0 <= suite.dataset.tss < suite.length),
        "metrics names at least one metric": bool(suite.metrics),
        "seeds are whole numbers from 0, at least one": bool(suite.seeds) and min(suite.seeds) >= 0,
        f"[split] method is one of {', '.join(SPLIT_METHODS)}": split.method in SPLIT_METHODS,
        "[split] k is at least 1": split.k >= 1,
        "[split] fractions are three positive numbers that sum to 1": len(split.fractions) == 3
        and min(split.fractions) > 0
        and abs(sum(split.fractions) - 1) < 1e-9,
    }
    for rule, holds in checks.items():
        if not holds:
            raise UserError(f"{where}: must be: {rule}")
