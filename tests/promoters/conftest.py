"""What the tests of fetched datasets need."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnabench.data.fetching import WebFetcher


class NotingFetcher(WebFetcher):
    """The core's own, with what it was told written down.

    Attributes:
        root: what its downloads are below.
        warnings: the lines for the user.
        stages: the reports of progress.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warnings: list[str] = []
        self.stages: list[tuple[int, int, str]] = []
        scratch = root / "scratch"
        scratch.mkdir()
        note = lambda *report: self.stages.append(report)  # noqa: E731
        super().__init__(downloads=root / "downloads", scratch=scratch, progress=note)

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def fetcher(tmp_path) -> NotingFetcher:
    return NotingFetcher(tmp_path)
