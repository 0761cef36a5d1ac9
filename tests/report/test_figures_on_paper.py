"""Figures for papers: what stands on their axes and in their cells."""

from __future__ import annotations

import re
from itertools import pairwise
from types import SimpleNamespace

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure as Canvas

from dnabench.report import figures
from dnabench.report.figures import write_figures
from dnabench.report.plots import Figure, Heat, Panel, Series

HOSTILE = r"$\frac{a}{b}$"


def drawn(tmp_path, *contents) -> list[str]:
    """The texts of a figure, in their order."""
    figure = Figure(id="f", title="", says="", choices={"": contents})
    sections = SimpleNamespace(cards=[], others=[SimpleNamespace(figures=[figure])])
    (path,) = write_figures(sections, tmp_path, "svg")
    return re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text())


def timed(seconds: list[float]) -> Panel:
    names = [f"{HOSTILE}{number}" for number in range(len(seconds))]
    series = Series(name="model", role="model", shape="bars", x=seconds, y=names)
    return Panel(title="Sampling (s)", x_title="", y_title="", series=[series], names=names, logarithmic=True)


@pytest.mark.parametrize(
    "seconds", [[5.0], [1.05, 1.95], [0.004, 0.009], [0.1, 1.1], [0.02, 4.0], [0.01, 50.0], [1e-4, 900.0]]
)
def test_logarithmic_axes_have_a_few_plain_numbers(tmp_path, seconds):
    texts = drawn(tmp_path, timed(seconds))
    assert [text for text in texts if HOSTILE in text] == [f"{HOSTILE}{number}" for number in range(len(seconds))]
    ticks = [float(text) for text in texts if text != "Sampling (s)" and HOSTILE not in text]
    assert 2 <= len(ticks) <= 8
    assert ticks == sorted(set(ticks))


def test_labels_of_a_logarithmic_axis_do_not_overlap():
    with mpl.rc_context(figures._SETTINGS):
        canvas = Canvas(layout="constrained")
        figures._draw(canvas, [timed([0.004, 3.0]), timed([0.03, 700.0]), timed([2.0, 190.0])])
        canvas.draw_without_rendering()
        for axes in canvas.axes[:3]:
            boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
            assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def heat(columns: int) -> Heat:
    names = [f"s{number}" for number in range(columns)]
    values = [[-0.25, *[None] * (columns - 1)], [12345.6, *[7.5] * (columns - 1)]]
    return Heat(title="", columns=names, rows=["one", "two"], values=values, direction="lower")


def test_heat_maps_have_a_scale_and_numbers_where_there_is_room(tmp_path):
    scale = [str(tick) for tick in range(2000, 12001, 2000)]
    few = drawn(tmp_path / "few", heat(3))
    assert set(scale) <= set(few)
    assert {"\N{MINUS SIGN}0.25", "12300"} <= set(few)
    assert few.count("7.5") == 2
    many = drawn(tmp_path / "many", heat(15))
    assert set(scale) <= set(many)
    assert "7.5" not in many


def test_only_places_without_a_panel_are_empty():
    canvas = Canvas(layout="constrained")
    figures._draw(canvas, [timed([1.0, 20.0])] * 3)
    assert [axes.get_visible() for axes in canvas.axes] == [True, True, True, False]
