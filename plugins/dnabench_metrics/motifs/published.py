"""A matrix as a file states it, whichever format the file has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from dnabench import UserError

#: What the documentation of the MEME format gives for a matrix that does not say how many sites it was made from.
DEFAULT_SITES = 20.0
#: How far a row of probabilities may be from summing to 1: files are written with few digits.
SUM_TOLERANCE = 0.02
#: The most sites, or counts at a position, that a matrix may be of: beyond it sums of counts would lose their units.
MOST_SITES = 1e12


@dataclass(frozen=True, eq=False)
class PublishedMatrix:
    """The probabilities of the bases at each position of a motif.

    Attributes:
        name: the motif's identifier: the first word after MOTIF in MEME, after ``>`` in JASPAR, AC or ID in TRANSFAC.
        probabilities: float64, shape ``(width, 4)``, columns A C G T, rows summing to 1.
        sites: number of sites the matrix was made from.
        background: float64, shape ``(4,)``: the file's letter frequencies, uniform where it states none.
        strands: ``+`` when the file says so, else ``both``.
    """

    name: str
    probabilities: np.ndarray
    sites: float
    background: np.ndarray
    strands: Literal["+", "both"]


def place_error(path: Path, number: int, what: str) -> UserError:
    """The error ``what`` in line ``number`` of a file, from 0 on."""
    return UserError(f"{path}, line {number + 1}: {what}")


def from_counts(name: str, counts: list[list[float]], *, path: Path, number: int) -> PublishedMatrix:
    """A matrix from the bases' counts at each position, or from their probabilities where every row sums to 1.

    The number of sites is the mean sum of a position's counts, and `DEFAULT_SITES` for probabilities. Raises UserError,
    naming line ``number``, for a number that is no count and for a position without any.

    Args:
        name: the motif's identifier.
        counts: width rows of A C G T.
        path, number: where the matrix begins.
    """
    matrix = np.array(counts, np.float64)
    if not ((matrix >= 0) & (matrix <= MOST_SITES)).all():
        raise place_error(
            path, number, f"motif {name} holds a number that is not a count: they are from 0 to {MOST_SITES:g}"
        )
    sums = matrix.sum(axis=1)
    if (sums == 0).any():
        raise place_error(path, number, f"motif {name} has no count at position {int(np.argmin(sums)) + 1}")
    is_probabilities = (np.abs(sums - 1) <= SUM_TOLERANCE).all()
    sites = DEFAULT_SITES if is_probabilities else float(sums.mean())
    return PublishedMatrix(name, matrix / sums[:, None], sites, np.full(4, 0.25), "both")
