"""What ``dnabench data info`` says about sequences."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench.data.leaks import duplicates, leak_report
from dnabench.data.split import relatives
from dnabench.sequences import ALPHABET, N

if TYPE_CHECKING:
    from dnabench.data.leaks import Leaks
    from dnabench.data.records import Reading
    from dnabench.sequences import SequenceSet

_VALUES = 20  # of a label, that are counted one by one


def describe_reading(reading: Reading) -> dict[str, Any]:
    """n, lengths, faults, IUPAC codes and letters of records of any length."""
    values, counts = np.unique(reading.lengths, return_counts=True)
    letters = sum((np.bincount(records.codes, minlength=len(ALPHABET)) for records in reading.files), np.zeros(5, int))
    return {
        "n": len(reading),
        "faulty": len(reading.faults),
        "lengths": {int(length): int(count) for length, count in zip(values, counts, strict=True)},
        "ambiguous_read_as_n": reading.ambiguous,
        **_letters(letters),
    }


def describe_set(sequences: SequenceSet, *, k: int) -> dict[str, Any]:
    """Digest, letters, duplicates, groups of relatives (shared k-mers) and labels of a set."""
    repeated, reverse = duplicates(sequences)
    sizes = np.bincount(relatives(sequences, k=k)) if len(sequences) else np.zeros(0, int)
    return {
        "n": len(sequences),
        "lengths": {sequences.length: len(sequences)},
        "sha256": sequences.digest,
        **_letters(np.bincount(sequences.codes.ravel(), minlength=len(ALPHABET))),
        "with_n": int((sequences.codes == N).any(axis=1).sum()),
        "duplicates": repeated,
        "reverse_complements": reverse,
        "groups": {"k": k, "n": len(sizes), "several": int((sizes > 1).sum()), "largest": int(sizes.max(initial=0))},
        "labels": {column: _counts(sequences.labels[column]) for column in sequences.labels},
    }


def describe_split(parts: Mapping[str, SequenceSet], protocol: str) -> dict[str, Any]:
    """Sizes of the parts, and what validation and test share with train."""
    return {
        "protocol": protocol,
        "n": {name: len(part) for name, part in parts.items()},
        "leaks": {
            name: describe_leaks(leak_report(train=parts["train"], held_out=part))
            for name, part in parts.items()
            if name != "train"
        },
    }


def describe_leaks(leaks: Leaks) -> dict[str, Any]:
    """The report as plain data."""
    return dataclasses.asdict(leaks) | {"relative_share": leaks.relative_share}


def _letters(counts: np.ndarray) -> dict[str, Any]:
    named = {letter: int(count) for letter, count in zip(ALPHABET, counts, strict=True)}
    known = int(counts[:N].sum())
    return {"letters": named, "gc": round((named["C"] + named["G"]) / known, 6) if known else None}


def _counts(values: Any) -> dict[str, Any]:
    counts = values.value_counts()
    shown = sorted(counts.index[:_VALUES])
    return {"values": len(counts), "counts": {value: int(counts[value]) for value in shown}}
