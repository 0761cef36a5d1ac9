"""Fixtures that every test folder shares."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dnabench import Context, SequenceSet

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real promoters, motif matrices and oracles beside the project; skips where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real data at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture(scope="session")
def real_promoters(real_data: Path) -> Callable[[str], SequenceSet]:
    """Real promoters of a species by its two letters, 256 bp around the TSS at index 205."""
    return lambda species: SequenceSet.from_fasta(real_data / "promoters256" / f"{species}.fa.gz")


@pytest.fixture
def make_context(tmp_path: Path) -> Callable[..., Context]:
    """A Context as a plugin gets it: ``make_context(seed=1, length=64)``."""

    def make(**attributes) -> Context:
        scratch = tmp_path / f"scratch{len(list(tmp_path.iterdir()))}"
        scratch.mkdir()
        return Context(**{"length": 256, "scratch": scratch, **attributes})

    return make
