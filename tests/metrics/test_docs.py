"""docs/metrics.md is what the docstrings say."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_are_up_to_date():
    text = runpy.run_path(str(DOCS / "build.py"))["text"]()
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == text, "run python docs/build.py"
