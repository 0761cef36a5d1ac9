"""What a figure shows, as plain data: for Plotly in the page, and for matplotlib on paper."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

#: Digits that a plot can show; more only make the page larger.
DIGITS = 4

Number = float | None
Role = Literal["real", "model", "baseline", "control", "other"]


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points, a curve or bars.

    Attributes:
        role: what colour it has: that of real DNA, of a kind of generator, or one of its own (``other``).
        x, y: equally long; numbers, or names on an axis of names.
        low, high: ends of intervals along x, for points on an axis of names; of the longer line of a spread.
        inner_low, inner_high: ends of the shorter, thicker line of a spread, whose ``x`` is the middle.
        text: what is said of each point; empty for its coordinates.
        of: the generator of each point, where they are of several; those of hidden ones are left out.
        colour: the how manyth of the palette, from 1 on; 0: by its role, ``other`` as text.
        faint: one of many, drawn small.
    """

    name: str
    role: Role
    shape: Literal["line", "points", "steps", "bars", "spread"]
    x: Sequence[Any]
    y: Sequence[Any]
    low: Sequence[Number] = ()
    high: Sequence[Number] = ()
    inner_low: Sequence[Number] = ()
    inner_high: Sequence[Number] = ()
    text: Sequence[str] = ()
    of: Sequence[str] = ()
    colour: int = 0
    faint: bool = False


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A line across a panel, at a number on one axis."""

    axis: Literal["x", "y"]
    at: float
    label: str
    role: Literal["floor", "random", "tss"]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One pair of axes.

    Attributes:
        names: the names on the vertical axis, from the top; empty where it has numbers.
        diagonal: whether the line of equal x and y is drawn.
        logarithmic: whether the horizontal axis is.
        bare: axes without numbers, as of a map whose directions mean nothing.
    """

    title: str
    x_title: str
    y_title: str
    series: Sequence[Series]
    marks: Sequence[Mark] = ()
    names: Sequence[str] = ()
    diagonal: bool = False
    logarithmic: bool = False
    bare: bool = False


@dataclass(frozen=True, kw_only=True)
class Heat:
    """A table of numbers as colours.

    Attributes:
        values: a row for each of ``rows``, a column for each of ``columns``; None where there is none.
        direction: which numbers are better: ``lower`` or ``higher``.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[str]
    values: Sequence[Sequence[Number]]
    direction: str


@dataclass(frozen=True, kw_only=True)
class Logo:
    """A sequence logo.

    Attributes:
        first: the position of the first column.
        heights: of A, C, G and T in each column, in bits.
    """

    title: str
    x_title: str
    first: int
    heights: Sequence[Sequence[float]]
    marks: Sequence[Mark] = ()


Content = Panel | Heat | Logo


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure.

    Attributes:
        id: a name of lower-case words and hyphens, unique in the page.
        says: what can be seen, for those who do not see it.
        choices: the contents that can be chosen from, by name; a single one has the name ``""``.
        chooses: what is chosen: ``generator`` or ``metric``; empty for a single one.
        half: whether two of its width stand side by side where there is room.
        panels: titles of its panels, where a reader may choose one of them; empty where all are shown.
    """

    id: str
    title: str
    says: str
    choices: Mapping[str, Sequence[Content]]
    chooses: Literal["", "generator", "metric"] = ""
    half: bool = False
    panels: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Section:
    """Figures and paragraphs under one heading.

    Attributes:
        id: a name of lower-case words and hyphens, unique in the page.
        text: what the section shows and how it was made, in paragraphs.
        tables: tables below the figures.
    """

    id: str
    title: str
    text: Sequence[str]
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A plain table; ``numbers`` are the columns that are set as such."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = field(default_factory=frozenset)


def rounded(values: Iterable[float]) -> list[Number]:
    """Numbers with the digits that a plot shows; None for those that are not finite."""
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values]


def plain(figure: Figure) -> dict[str, Any]:
    """A figure for JSON, without what is empty; each content says its ``type``."""
    return {
        "id": figure.id,
        "says": figure.says,
        "chooses": figure.chooses,
        "choices": [
            [name, [{"type": type(content).__name__.lower()} | _bare(content) for content in contents]]
            for name, contents in figure.choices.items()
        ],
    }


def _bare(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        items = ((item.name, getattr(value, item.name)) for item in dataclasses.fields(value))
        return {name: _bare(item) for name, item in items if not _is_empty(item)}
    return [_bare(item) for item in value] if isinstance(value, (list, tuple)) else value


def _is_empty(value: Any) -> bool:
    return value is False or (isinstance(value, (str, list, tuple)) and not value)
