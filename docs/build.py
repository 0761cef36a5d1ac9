"""Write docs/metrics.md from the docstrings: ``python docs/build.py``."""

from __future__ import annotations

from pathlib import Path

from dnabench import EmbedderSpec, MetricSpec
from dnabench.definitions import markdown
from dnabench.plugins import load_catalog

HEAD = """# The metrics and embedders of dnabench

Generated from the docstrings by `python docs/build.py`; `dnabench show NAME` prints the same page.

"""


def text() -> str:
    """The pages of all metrics, then of all embedders, that come with dnabench."""
    catalog = load_catalog()
    offers = [*catalog.all(MetricSpec), *catalog.all(EmbedderSpec)]
    return HEAD + "\n".join(markdown(offer.spec) for offer in offers if offer.distribution.startswith("dnabench "))


if __name__ == "__main__":
    (Path(__file__).parent / "metrics.md").write_text(text(), encoding="utf-8")
