"""Sequences in a directory, as the store keeps them: read by mapping the file, so that it takes no time.

::

    codes.npy        uint8, shape (n, length)
    labels.parquet   labels and names, a row per sequence
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dnabench.files import sync
from dnabench.sequences import SequenceSet

if TYPE_CHECKING:
    import pandas as pd

_NAMES = "\N{NO-BREAK SPACE}name"  # no label is called so: labels are single words or columns of text


def write_kept(sequences: SequenceSet, directory: Path) -> None:
    """Write both files into an existing directory; on disk before it returns."""
    np.save(directory / "codes.npy", sequences.codes, allow_pickle=False)
    labels = sequences.labels
    labels[_NAMES] = list(sequences.names)
    labels.to_parquet(directory / "labels.parquet")
    for file in directory.iterdir():
        sync(file)


def read_kept(directory: Path) -> SequenceSet:
    """What :func:`write_kept` wrote. OSError, ValueError, KeyError or TypeError for anything else."""
    codes = np.load(directory / "codes.npy", mmap_mode="r", allow_pickle=False)
    labels = _read_table(directory)
    return SequenceSet(codes, names=labels.pop(_NAMES).tolist(), labels=labels, copy=False)


def read_labels(directory: Path) -> pd.DataFrame:
    """The labels alone."""
    return _read_table(directory).drop(columns=_NAMES)


def _read_table(directory: Path) -> pd.DataFrame:
    """Labels and names. Every cell reads them: threads would take longer to start than the reading does."""
    import pyarrow.parquet

    table = pyarrow.parquet.ParquetFile(directory / "labels.parquet").read(use_threads=False)
    frame: pd.DataFrame = table.to_pandas(use_threads=False)
    return frame
