"""Small real files to run the command line on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dnabench import SequenceSet


@pytest.fixture
def labelled(tmp_path) -> Path:
    """800 sequences of 64 bp of species at (500, GC 0.3) and gc (300, GC 0.7), as FASTA."""
    rng = np.random.default_rng(1)
    codes = np.concatenate(
        [rng.choice(4, (n, 64), p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]) for n, gc in ((500, 0.3), (300, 0.7))]
    ).astype(np.uint8)
    labels = pd.DataFrame({"species": ["at"] * 500 + ["gc"] * 300})
    path = tmp_path / "labelled.fa"
    SequenceSet(codes, labels=labels).to_fasta(path)
    return path
