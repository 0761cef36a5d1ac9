"""The figures of a report as files for papers, by matplotlib."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from dnabench.errors import UserError
from dnabench.report.plots import Content, Figure, Heat, Logo, Panel, Series

if TYPE_CHECKING:
    from dnabench.report.page import Sections

#: Okabe and Ito's palette, which colour-blind readers tell apart (jfly.uni-koeln.de/color, 2008).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
ROLES = {"real": "#000000", "model": PALETTE[0], "baseline": PALETTE[1], "control": "#777777"}
MARKS = {"floor": PALETTE[2], "random": PALETTE[3], "tss": "#777777"}
BASES = {"A": PALETTE[2], "C": PALETTE[0], "G": PALETTE[4], "T": PALETTE[1]}
#: Files hold no dates and no random names, so that the same figure gives the same bytes.
_SETTINGS: Any = {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "dnabench",
             "pdf.fonttype": 42, "svg.fonttype": "none", "figure.dpi": 200, "text.parse_math": False}  # fmt: skip
_METADATA: dict[str, dict[str, Any]] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {"Software": None}}
_WIDTH, _HEIGHT = 3.4, 2.4  # inches of a panel
_CELLS = 12  # columns of a heat map that have room for numbers
_LABEL = 40  # letters of a line of an axis's title


def write_figures(sections: Sections, directory: Path, ending: str) -> list[Path]:
    """Every figure of a report, one file for each choice: ``FIGURE.ending`` or ``FIGURE-CHOICE.ending``.

    Figures of a metric are named after it. UserError when they cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    written: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context(_SETTINGS):
            for name, figure in _named(sections):
                for choice, contents in figure.choices.items():
                    canvas = Canvas(layout="constrained")
                    _draw(canvas, contents)
                    text = _file_name(f"{name}-{choice}" if choice else name)
                    others = (f"{text}-{number}" for number in count(2))  # for names that differ in signs alone
                    paths = (directory / f"{free}.{ending}" for free in chain([text], others))
                    written.append(next(path for path in paths if path not in written))
                    canvas.savefig(written[-1], metadata=_METADATA[ending])
    except OSError as error:
        raise UserError(f"{directory}: cannot be written: {error.strerror}") from None
    return written


def _named(sections: Sections) -> Iterator[tuple[str, Figure]]:
    for card in sections.cards:
        yield from ((f"{card.metric}-{figure.id.partition('-')[0]}", figure) for figure in card.figures)
    for section in sections.others:
        yield from ((figure.id, figure) for figure in section.figures)


def _file_name(text: str) -> str:
    """``text`` as the name of a file: what a path could make more of becomes ``_``."""
    return re.sub(r"[^\w.=@+-]", "_", text).lstrip(".")[:120]


def _draw(canvas: Any, contents: Any) -> None:
    columns = 1 if isinstance(contents[0], (Heat, Logo)) else min(2, len(contents))
    rows = -(-len(contents) // columns)
    width = 2 * _WIDTH if columns == 1 else columns * _WIDTH
    canvas.set_size_inches(
        width, sum(max(map(_height, contents[at : at + columns])) for at in range(0, len(contents), columns))
    )
    grid = list(canvas.subplots(rows, columns, squeeze=False).flat)
    for axes, content in zip(grid, contents, strict=False):
        _DRAWN[type(content)](axes, content)
    for axes in grid[len(contents) :]:
        axes.set_visible(False)


def _height(content: Content) -> float:
    if isinstance(content, Logo):
        return 1.4
    names = content.rows if isinstance(content, Heat) else content.names
    return max(_HEIGHT, 0.6 + 0.22 * len(names)) if names else _HEIGHT


def _panel(axes: Any, panel: Panel) -> None:
    for series in panel.series:
        (_on_names if panel.names else _on_numbers)(axes, panel, series)
    if panel.names:
        axes.set_yticks(range(len(panel.names)), panel.names)
        axes.set_ylim(len(panel.names) - 0.4, -0.6)
    elif panel.diagonal:
        axes.axline((0, 0), slope=1, color=MARKS["tss"], linewidth=0.6, linestyle=":")
    if panel.logarithmic:
        _logarithmic(axes)
    for mark in panel.marks:
        line = axes.axvline if mark.axis == "x" else axes.axhline
        line(
            mark.at,
            color=MARKS[mark.role],
            linewidth=1,
            linestyle="-" if mark.role == "floor" else ":",
            label=mark.label,
        )
    if panel.bare:
        axes.set_xticks([])
        axes.set_yticks([])
    _label(axes, panel.title, panel.x_title, panel.y_title)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=6, frameon=False)


def _logarithmic(axes: Any) -> None:
    """A logarithmic horizontal axis with a few plain numbers; matplotlib's own are formulas, which are not set here."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    axes.set_xscale("log")
    low, high = axes.get_xlim()
    within_a_decade = MaxNLocator(4, steps=[1, 2, 5, 10])
    subs = (1.0, 2.0, 5.0) if high < 100 * low else (1.0,)
    axes.xaxis.set_major_locator(within_a_decade if high < 10 * low else LogLocator(subs=subs, numticks=6))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _on_names(axes: Any, panel: Panel, series: Series) -> None:
    y = [panel.names.index(name) for name in series.y]
    colour = ROLES[series.role]
    if series.shape == "bars":
        axes.barh(y, series.x, color=colour, height=0.6)
        return
    if series.shape == "spread":
        at = [place + (-0.18 if series.role == "real" else 0.18) for place in y]
        axes.hlines(at, series.low, series.high, color=colour, linewidth=0.7)
        axes.hlines(at, series.inner_low, series.inner_high, color=colour, linewidth=2.5)
        axes.plot(series.x, at, "D", color=colour, markersize=4, markeredgecolor="white", label=series.name)
        return
    shifted = [place + (0.2 if series.faint else -0.15) for place in y]
    if series.low:
        below = [0 if low is None else x - low for x, low in zip(series.x, series.low, strict=True)]
        above = [0 if high is None else high - x for x, high in zip(series.x, series.high, strict=True)]
        axes.errorbar(series.x, shifted, xerr=[below, above], fmt="none", color=colour, linewidth=0.5)
    axes.plot(series.x, shifted, "." if series.faint else "D", color=colour, markersize=3 if series.faint else 4)


def _on_numbers(axes: Any, panel: Panel, series: Series) -> None:
    colour = PALETTE[(series.colour - 1) % len(PALETTE)] if series.colour else ROLES.get(series.role, ROLES["real"])
    if series.shape == "bars":
        width = (series.x[1] - series.x[0]) if len(series.x) > 1 else 1
        axes.bar(series.x, series.y, width=width, color=colour, label=series.name)
    elif series.shape == "points":
        marker = "o" if series.faint or not panel.bare else "x"
        axes.plot(series.x, series.y, marker, color=colour, markersize=2, alpha=0.6, label=series.name)
    else:
        axes.plot(
            series.x, series.y, color=colour, linewidth=1.2, label=series.name,
            drawstyle="steps-mid" if series.shape == "steps" else "default",
        )  # fmt: skip


def _heat(axes: Any, heat: Heat) -> None:
    values = [[float("nan") if value is None else value for value in row] for row in heat.values]
    image = axes.imshow(values, aspect="auto", cmap="cividis_r" if heat.direction == "lower" else "cividis")
    axes.set_xticks(range(len(heat.columns)), heat.columns)
    axes.set_yticks(range(len(heat.rows)), heat.rows)
    axes.figure.colorbar(image, ax=axes)
    for y, row in enumerate(values if len(heat.columns) <= _CELLS else []):
        for x, value in enumerate(row):
            if not math.isnan(value):
                dark = sum(image.cmap(image.norm(value))[:3]) < 1.5
                said = f"{float(f'{value:.3g}'):g}".replace("-", "\N{MINUS SIGN}")
                axes.text(x, y, said, ha="center", va="center", fontsize=6, color="white" if dark else "black")
    _label(axes, heat.title, "", "")


def _logo(axes: Any, logo: Logo) -> None:
    from dnabench.report.page import glyphs

    for column, heights in enumerate(logo.heights, start=logo.first):
        bottom = 0.0
        for height, letter in sorted(zip(heights, "ACGT", strict=True)):
            for polygon in glyphs()[letter] if height > 0 else ():
                x, y = zip(*polygon, strict=True)
                axes.fill(
                    [column - 0.46 + 0.92 * at for at in x], [bottom + height * at for at in y], color=BASES[letter]
                )
            bottom += height
    for mark in logo.marks:
        axes.axvline(mark.at, color=MARKS[mark.role], linewidth=0.8, linestyle=":")
    axes.set_xlim(logo.first - 0.7, logo.first + len(logo.heights) - 0.3)
    axes.set_ylim(bottom=0)
    _label(axes, logo.title, logo.x_title, "bits")


def _label(axes: Any, title: str, x_title: str, y_title: str) -> None:
    axes.set_title(title, fontsize=8, loc="left")
    axes.set_xlabel(fill(x_title, _LABEL))
    axes.set_ylabel(fill(y_title, _LABEL))


_DRAWN: dict[type[Content], Any] = {Panel: _panel, Heat: _heat, Logo: _logo}
