"""The page: the sections of a run put into the template, with all that it needs to show them."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

import dnabench
from dnabench.report.plots import Section, plain
from dnabench.report.sections import cards, cost, head, latent, provenance, sequences, slices, table, training

if TYPE_CHECKING:
    from dnabench.report.collect import Run

_ASSETS = files("dnabench.report") / "assets"
_SCRIPTS = ("theme.js", "table.js", "traces.js", "plots.js")


@dataclass(frozen=True, kw_only=True)
class Sections:
    """All that is shown of a run."""

    head: head.Head
    ranking: table.Ranking
    cards: Sequence[cards.Card]
    others: Sequence[Section]
    provenance: provenance.Provenance


def sections_of(run: Run) -> Sections:
    """The sections that the run has data for."""
    others = [module.build(run) for module in (slices, sequences, latent, training, cost)]
    return Sections(
        head=head.build(run),
        ranking=table.build(run),
        cards=cards.build(run),
        others=[section for section in others if section is not None],
        provenance=provenance.build(run),
    )


def render(run: Run, sections: Sections) -> str:
    """The page as text: it asks for nothing from anywhere, and a browser that obeys it could not."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: (_ASSETS / name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    shown = [figure for card in sections.cards for figure in card.figures]
    shown += [figure for section in sections.others for figure in section.figures]
    return environment.get_template("page.html").render(
        sections=sections,
        run=run,
        version=dnabench.__version__,
        style=_asset("report.css"),
        scripts=[_asset(name) for name in _SCRIPTS],
        data={
            "figures": [plain(figure) for figure in shown],
            "generators": run.generators,
            "kinds": {name: run.kind(name) for name in run.generators},
            "metrics": run.metrics,
            "glyphs": glyphs() if any(figure.id == "logos" for figure in shown) else {},
        },
        plotly=plotly() if shown else "",
    )


def number(value: float, decimals: int) -> str:
    """A number of a table, with a true minus sign, but none before zero, and commas at thousands."""
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _asset(name: str) -> Markup:
    """A file of this package, which is not escaped."""
    return Markup((_ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704 - our own


@cache
def plotly() -> str:
    """Plotly's script as the installed package brings it, compressed, in base64; the browser unpacks it."""
    script = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    return base64.b64encode(gzip.compress(script, compresslevel=6, mtime=0)).decode()


@cache
def glyphs() -> dict[str, list[list[list[float]]]]:
    """Outlines of A, C, G and T in the unit square, as matplotlib's own typeface has them: letter -> polygons."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    face = FontProperties(family="DejaVu Sans", weight="bold")
    found: dict[str, list[list[list[float]]]] = {}
    for letter in "ACGT":
        polygons: list[Any] = TextPath((0, 0), letter, size=100, prop=face).to_polygons()
        low, high = (getattr(polygons[0], end)(axis=0) for end in ("min", "max"))
        found[letter] = [((polygon - low) / (high - low)).round(3).tolist() for polygon in polygons]
    return found
