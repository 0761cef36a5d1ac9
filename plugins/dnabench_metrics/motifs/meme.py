"""Reading the MEME minimal motif format (https://meme-suite.org/meme/doc/meme-format.html)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np

from dnabench import UserError
from dnabench_metrics.motifs.published import (
    DEFAULT_SITES,
    MOST_SITES,
    SUM_TOLERANCE,
    PublishedMatrix,
    place_error,
)

#: The smallest frequency of a base in the background: log-odds, and the table of their sums, grow with its inverse.
LEAST_BACKGROUND = 1e-6


def read_meme(path: Path, lines: list[str]) -> list[PublishedMatrix]:
    """Every motif of the ``lines`` of a MEME file over the alphabet ACGT.

    A matrix ends after the ``w=`` rows that its header states; without ``w=``, at the first line that does not begin
    with a number. Raises UserError, naming file and line, for another alphabet, a motif without a matrix, a matrix with
    too few rows, rows that are no probabilities, two motifs of one name, or no motif at all.
    """
    return _Reader(path, lines).motifs()


class _Reader:
    """The state of one pass over a file."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path = path
        self.lines = lines
        self.strands: Literal["+", "both"] = "both"
        self.background = np.full(4, 0.25)

    def motifs(self) -> list[PublishedMatrix]:
        found: dict[str, PublishedMatrix] = {}
        name: str | None = None  # of the motif whose matrix is still to come
        opened = 0
        for number, line in enumerate(self.lines):
            words = line.split()
            if line.startswith("ALPHABET"):
                self._check_alphabet(number)
            elif line.startswith("strands:"):
                self.strands = "both" if "-" in words else "+"
            elif line.startswith("Background letter frequencies"):
                self.background = self._read_background(number + 1)
            elif line.startswith("MOTIF"):
                if len(words) < 2:
                    raise self._error(number, "MOTIF without a name")
                self._check_closed(name, opened)
                name, opened = words[1], number
                if name in found:
                    raise self._error(number, f"a second motif called {name}")
            elif line.startswith("letter-probability matrix"):
                if name is None:
                    raise self._error(number, "a matrix before any MOTIF line")
                found[name] = self._read_matrix(number, name)
                name = None
        self._check_closed(name, opened)
        if not found:
            raise UserError(f"{self.path}: no letter-probability matrix in this file")
        return list(found.values())

    def _error(self, number: int, what: str) -> UserError:
        return place_error(self.path, number, what)

    def _check_closed(self, name: str | None, opened: int) -> None:
        if name is not None:
            raise self._error(opened, f"no letter-probability matrix for motif {name}")

    def _check_alphabet(self, number: int) -> None:
        letters = self.lines[number].partition("=")[2].strip().upper()
        if letters != "ACGT":
            raise self._error(number, f"alphabet {letters or 'not stated'}; only ACGT is scanned")

    def _read_background(self, number: int) -> np.ndarray:
        line = self.lines[number] if number < len(self.lines) else ""
        frequencies = dict(re.findall(r"\b([ACGT])\s+([0-9.eE+-]+)", line))
        try:
            background: np.ndarray = np.array([float(frequencies[letter]) for letter in "ACGT"])
        except (KeyError, ValueError):
            raise self._error(
                number, "background letter frequencies expected, as 'A 0.25 C 0.25 G 0.25 T 0.25'"
            ) from None
        if not (background >= LEAST_BACKGROUND).all() or abs(background.sum() - 1) > SUM_TOLERANCE:
            raise self._error(
                number, f"background letter frequencies must be at least {LEAST_BACKGROUND:g} and sum to 1"
            )
        background /= background.sum()
        return background

    def _read_matrix(self, number: int, name: str) -> PublishedMatrix:
        header = dict(re.findall(r"(\w+)=\s*(\S+)", self.lines[number]))
        try:
            stated = int(header["w"]) if "w" in header else None
            sites = float(header.get("nsites", DEFAULT_SITES))
        except ValueError:
            raise self._error(number, "w= and nsites= must be numbers") from None
        if not 0 < sites <= MOST_SITES:
            raise self._error(number, f"nsites= {sites:g}; a number above 0 and up to {MOST_SITES:g} is expected")
        rows: list[list[float]] = []
        for offset, line in enumerate(self.lines[number + 1 :], start=number + 1):
            if len(rows) == stated or not re.match(r"\s*[-+]?\.?\d", line):
                break
            rows.append(self._read_row(offset, line))
        if not rows or (stated is not None and len(rows) != stated):
            raise self._error(number, f"{len(rows)} rows follow for motif {name}, {stated or 'at least 1'} expected")
        probabilities = np.array(rows)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return PublishedMatrix(name, probabilities, sites, self.background, self.strands)

    def _read_row(self, number: int, line: str) -> list[float]:
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            raise self._error(number, f"{line.strip()!r} is no row of a matrix") from None
        if len(row) != 4 or not all(0 <= value <= 1 for value in row) or abs(sum(row) - 1) > SUM_TOLERANCE:
            raise self._error(number, f"{line.strip()!r}: four probabilities of A C G T that sum to 1 are expected")
        return row
