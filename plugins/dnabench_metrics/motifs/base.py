"""What the metrics of motifs have in common: their motifs, the digest of these, and the room they need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Protocol

from dnabench import UserError
from dnabench_metrics.motifs.matrices import Motif, digest, load_motifs
from dnabench_metrics.motifs.scan import require_room

#: What a part of the set `epd` is called, where not as its motif is.
EPD_PARTS = {"tata-box": "tata", "ccaat-box": "ccaat"}


class MotifSource(Protocol):
    """The options that say which motifs are looked for."""

    @property
    def motifs(self) -> str:
        """The carried set, or the path of a file."""

    @property
    def p_value(self) -> float:
        """Of a file's cut-offs."""


class MotifMetric:
    """A metric of the hits of motifs."""

    name: ClassVar[str]

    def __init__(self, source: MotifSource) -> None:
        self.source = source.motifs
        self.motifs = load_motifs(source.motifs, p_value=source.p_value)

    def digest(self) -> str:
        """sha256 of the matrices and cut-offs, whichever file they came from."""
        return digest(self.motifs)

    def check_length(self, length: int) -> None:
        """UserError when a motif is wider than sequences of ``length`` bp."""
        require_room(self.motifs, length, metric=self.name)

    def part_name(self, motif: Motif) -> str:
        """What the parts of a motif are called: those of a file's motif as the file names it."""
        return EPD_PARTS.get(motif.name, motif.name) if self.source == "epd" else motif.name

    def require_distinct(self, parts: Iterable[str]) -> None:
        """UserError when two parts of the score would have one name."""
        known: set[str] = set()
        for part in parts:
            if part in known:
                raise UserError(
                    f"{self.name}: the motifs of {self.source} give two parts called {part}; rename a motif"
                )
            known.add(part)
