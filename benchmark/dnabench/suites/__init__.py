"""Suites: frozen protocols, one TOML file each, named by their file."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from dnabench.errors import UserError, did_you_mean

DEFAULT = "promoters-sim-v1"


@dataclass(frozen=True, kw_only=True)
class Controls:
    """The generators that every table holds, by the part they play (design rule 5.4).

    Attributes:
        floor: real held-out sequences: the best there can be.
        memoriser: training sequences again.
        blank: what a metric must tell from held-out real DNA, else it is blind.
    """

    floor: str
    memoriser: str
    blank: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (self.floor, self.memoriser, *self.blank)


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A protocol: what is measured on what, and how often.

    Attributes:
        length: bp; None takes the length of the data.
        samples: sequences on each side of a comparison.
        fractions: of train, validation and test.
        k: sequences sharing an exact k-mer on either strand stay together.
        dataset: name of a dataset plugin.
        dataset_options: its options.
    """

    name: str
    summary: str
    samples: int
    metrics: tuple[str, ...]
    seeds: tuple[int, ...]
    fractions: tuple[float, float, float]
    k: int
    controls: Controls
    dataset: str
    dataset_options: dict[str, Any] = field(default_factory=dict)
    length: int | None = None


def names() -> list[str]:
    """The names of the suites that come with dnabench."""
    return sorted(
        entry.name.removesuffix(".toml") for entry in files(__name__).iterdir() if entry.name.endswith(".toml")
    )


def load(name: str) -> Suite:
    """The suite called ``name``; UserError with near matches otherwise."""
    if name not in names():
        raise UserError(f"no suite named {name!r}; {did_you_mean(name, names())}")
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return Suite(
        name=name,
        summary=table["summary"],
        length=table["length"],
        samples=table["samples"],
        metrics=tuple(table["metrics"]),
        seeds=tuple(table["seeds"]),
        fractions=tuple(table["split"]["fractions"]),
        k=table["split"]["k"],
        dataset=table["dataset"]["name"],
        dataset_options=table["dataset"].get("options", {}),
        controls=Controls(
            floor=table["controls"]["floor"],
            memoriser=table["controls"]["memoriser"],
            blank=tuple(table["controls"]["blank"]),
        ),
    )
