"""Views of a metric's table in a real browser: spreads, curves of many names, and the choice of one of them."""

from __future__ import annotations

import shutil

import pytest

from .conftest import DRAW_ALL, main_code

pytestmark = pytest.mark.slow  # the run of the fixture takes seconds


@pytest.fixture(scope="module")
def viewed(small, tmp_path_factory):
    """The small run, where a metric handed over spreads of eight tracks, and curves of each along the sequence."""
    directory = tmp_path_factory.mktemp("viewed") / "run"
    shutil.copytree(small.directory, directory)
    tracks = [f"cells-{number}" for number in range(8)]
    quantity = "predicted activity (z-score of log2 RNA/DNA)"
    rows = [
        f"Spread,{quantity},{track},{level},,{level - 1},{level}"
        for track in tracks for level in (0.05, 0.25, 0.5, 0.75, 0.95)
    ] + [f"Along,{quantity},{track},,{position},-0.2,0.1" for track in tracks for position in (10, 20, 30)]  # fmt: skip
    for generator in ("markov=2", "position"):
        table = directory / "details" / generator / "seed0" / "gc.csv"
        table.parent.mkdir(parents=True, exist_ok=True)
        table.write_text("\n".join(["view,quantity,track,quantile,position,generated,reference", *rows, ""]))
    assert main_code("report", str(directory), "--store", str(small.store)) == 0
    return directory / "report.html"


@pytest.mark.parametrize(("width", "shown"), [(1440, 8), (390, 1)])
def test_many_panels_can_be_looked_at_one_by_one(watched, viewed, width, shown):
    one = watched(viewed, width)
    along = one.page.locator("article[data-metric=gc] figure", has_text="Along")
    panels = along.locator(".panels > div")
    assert panels.count() == shown
    along.locator("select[data-panels]").select_option("cells-3")
    one.page.evaluate(DRAW_ALL)
    assert panels.count() == 1
    title = along.evaluate("(figure) => figure.querySelector('.panels > div').layout.yaxis.title.text")
    assert title == "predicted activity<br>(z-score of log2 RNA/DNA)"
    along.locator("select[data-chooses]").select_option("position")
    one.page.evaluate(DRAW_ALL)
    assert panels.locator(".legendtext").all_text_contents() == ["real", "position"]
    assert panels.locator(".gtitle").text_content() == "cells-3"
    along.locator("select[data-panels]").select_option("")
    one.page.evaluate(DRAW_ALL)
    assert panels.count() == 8
    spread = one.page.locator("article[data-metric=gc] figure", has_text="Spread")
    assert spread.locator(".legendtext").all_text_contents() == ["real", "position"]
    assert spread.locator(".ytick text").all_text_contents() == [f"cells-{number}" for number in range(8)]
    # The thick line of the real ones, from 0.25 to 0.75 about the median.
    reach = spread.evaluate(
        """(figure) => {
          const { data } = figure.querySelector('.panels > div');
          const real = data.find((trace) => trace.name === "real" && trace.hoverinfo === "text");
          return [real.x[0], real.error_x.arrayminus[0], real.error_x.array[0]];
        }"""
    )
    assert reach == [0.5, 0.25, 0.25]
    assert one.page.evaluate("() => document.documentElement.scrollWidth") <= width
    one.check()
