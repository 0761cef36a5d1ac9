"""Writing and reading what the generators have learnt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
from safetensors.numpy import load_file, save_file

from dnabench import SequenceSet

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

ARRAYS = "model.safetensors"
LABELS = "labels.json"


def save_array(directory: Path, array: np.ndarray) -> None:
    """Write one array."""
    save_file({"array": array}, directory / ARRAYS)


def load_array(directory: Path) -> np.ndarray:
    """The array that :func:`save_array` wrote."""
    array: np.ndarray = load_file(directory / ARRAYS)["array"]
    return array


def save_sequences(directory: Path, sequences: SequenceSet) -> None:
    """Write codes and labels; names are left out, for a resampled sequence is no longer that record."""
    save_array(directory, sequences.codes)
    labels = {column: values.tolist() for column, values in sequences.labels.items()}
    (directory / LABELS).write_text(json.dumps(labels), encoding="utf-8")


def load_sequences(directory: Path) -> SequenceSet:
    """What :func:`save_sequences` wrote."""
    codes = load_array(directory)
    labels = json.loads((directory / LABELS).read_text(encoding="utf-8"))
    return SequenceSet(codes, labels=pd.DataFrame(labels, index=range(len(codes))))
