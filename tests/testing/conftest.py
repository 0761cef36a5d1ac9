"""What the tests of the conformance kit share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def faulty(install, tmp_path) -> None:
    """The plugins of ``faulty_dna.py``, installed."""
    install("faulty_dna", (HERE / "faulty_dna.py").read_text(encoding="utf-8"))
    for name in ("faulty_dna_generators.py", "faulty_dna_others.py"):
        shutil.copy(HERE / name, tmp_path / "site")
