"""What single plots show in a real browser: numbers on logarithmic axes, labels of marks, lines of shown generators."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

pytestmark = pytest.mark.slow  # the run of the fixture takes seconds

#: Draws a content at a width -> the texts of a kind with the ends of their boxes.
DRAW = """async ([content, width, chosen]) => {
  const place = document.createElement("div");
  place.style.width = `${width}px`;
  document.body.append(place);
  await Plotly.newPlot(place, ...traces(content, {}), { displayModeBar: false });
  const frame = place.getBoundingClientRect();
  return [...place.querySelectorAll(chosen)].map((text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    return { text: text.textContent, left: left - frame.left, right: right - frame.left, top, bottom };
  });
}"""
#: The lines of a figure of numbers, after some generators were hidden -> name and coordinates.
LINES = """([content, names]) => {
  for (const name of names) hidden.generator.add(name);
  const [all] = traces(content, {});
  for (const name of names) hidden.generator.delete(name);
  return all.map((trace) => [trace.name, trace.x, trace.y]);
}"""


@pytest.fixture(scope="module")
def page(small, chromium):
    """A report with Plotly at work."""
    page = chromium()
    page.goto((small.directory / "report.html").as_uri())
    page.evaluate("async () => plots.draw(document.querySelector('figure[data-figure]'))")
    yield page
    page.close()


def of_numbers(x: list[float], **more) -> dict:
    series = {"name": "a", "role": "model", "shape": "points", "x": x, "y": [1] * len(x)}
    return {"type": "panel", "title": "", "x_title": "seconds", "y_title": "", "series": [series], **more}


def of_names(x: list[float], shape: str = "bars", **more) -> dict:
    names = [f"g{number}" for number in range(len(x))]
    series = {"name": "a", "role": "model", "shape": shape, "x": x, "y": names}
    return {"type": "panel", "title": "", "x_title": "", "names": names, "series": [series], **more}


@pytest.mark.parametrize("width", [300, 440])
@pytest.mark.parametrize("kind", [of_names, of_numbers])
@pytest.mark.parametrize(
    "seconds",
    [[5], [1.05, 1.95], [0.004, 0.009], [3.1, 12], [0.1, 1.1], [0.02, 0.9], [0.02, 4], [0.01, 50], [1e-4, 900]],
)
def test_logarithmic_axes_have_a_few_whole_numbers(page, seconds, kind, width):
    ticks = page.evaluate(DRAW, [kind(seconds, logarithmic=True), width, ".xtick text"])
    values = [float(tick["text"]) for tick in ticks]
    assert 2 <= len(values) <= 8
    assert values == sorted(set(values))
    assert min(seconds) / 2 <= values[0]
    assert values[-1] <= 2 * max(seconds)
    assert all(one["right"] < other["left"] for one, other in pairwise(ticks))


def test_time_and_memory_and_quality_against_cost_have_numbers(watched, small):
    one = watched(small.directory / "report.html")
    for name, panels in (("cost-bars", 2), ("cost-front", 1)):  # the third panel of the bars is not logarithmic
        found = one.page.locator(f"[data-figure={name}] .panels > div")
        for panel in found.all()[:panels]:
            assert panel.evaluate("(panel) => panel.layout.xaxis.type") == "log"
            assert len([float(text) for text in panel.locator(".xtick text").all_text_contents()]) >= 2


@pytest.mark.parametrize("width", [300, 900])
@pytest.mark.parametrize("at", [(0.0, 0.0), (0.5, 0.5001), (0.5, 0.49), (0.3, 0.5), (0.5, 0.3), (0.0, 1.0)])
def test_labels_of_marks_stand_beside_each_other(page, at, width):
    marks = [
        {"axis": "x", "at": place, "label": label, "role": role}
        for place, label, role in zip(at, ("floor", "dinucleotide-shuffle"), ("floor", "random"), strict=True)
    ]
    content = of_names([0, 0.5, 1], shape="points", marks=marks)
    labels = page.evaluate(DRAW, [content, width, ".annotation-text"])
    assert sorted(label["text"] for label in labels) == ["dinucleotide-shuffle", "floor"]
    for label in labels:
        assert 0 <= label["left"] < label["right"] <= width
    for one, other in combinations(labels, 2):
        apart = one["right"] <= other["left"] or other["right"] <= one["left"]
        assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]


def test_a_line_joins_the_generators_that_are_shown(page):
    line = {"name": "front", "role": "other", "shape": "line", "x": [1, 2, 3], "y": [6, 5, 4], "of": ["a", "b", "c"]}
    points = [
        {"name": name, "role": "model", "shape": "points", "x": [x], "y": [7 - x], "colour": x}
        for x, name in enumerate("abc", 1)
    ]
    content = of_numbers([], logarithmic=True) | {"series": [line, *points]}
    assert page.evaluate(LINES, [content, []])[0] == ["front", [1, 2, 3], [6, 5, 4]]
    assert page.evaluate(LINES, [content, ["b"]]) == [["front", [1, 3], [6, 4]], ["a", [1], [6]], ["c", [3], [4]]]
    assert page.evaluate(LINES, [content, ["b", "c"]]) == [["a", [1], [6]]]
