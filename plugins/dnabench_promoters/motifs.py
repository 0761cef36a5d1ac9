"""Count matrices of the four core-promoter elements.

Source of the numbers: P. Bucher (1990), Weight matrix descriptions of four eukaryotic RNA polymerase II promoter
elements derived from 502 unrelated promoter sequences, J Mol Biol 212:563-578, as the Eukaryotic Promoter Database
publishes them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Motif:
    """A motif as counts of A, C, G, T per column.

    Attributes:
        counts: one row per column of the motif, 5' to 3'.
        origin: the column that Bucher numbers 0; positions of the element are positions of this column.
    """

    counts: tuple[tuple[int, int, int, int], ...]
    origin: int

    @property
    def width(self) -> int:
        """Columns of the motif, in bp."""
        return len(self.counts)

    def reverse_complement(self) -> Motif:
        """The same element read on the other strand."""
        flipped = tuple((t, g, c, a) for a, c, g, t in reversed(self.counts))
        return Motif(flipped, self.width - 1 - self.origin)


TATA_BOX = Motif(
    counts=(
        (61, 145, 152, 31),
        (16, 46, 18, 309),
        (352, 0, 2, 35),
        (3, 10, 2, 374),
        (354, 0, 5, 30),
        (268, 0, 0, 121),
        (360, 3, 20, 6),
        (222, 2, 44, 121),
        (155, 44, 157, 33),
        (56, 135, 150, 48),
        (83, 147, 128, 31),
        (82, 127, 128, 52),
        (82, 118, 128, 61),
        (68, 107, 139, 75),
        (77, 101, 140, 71),
    ),
    origin=3,
)

INITIATOR = Motif(
    counts=(
        (49, 48, 69, 137),
        (0, 303, 0, 0),
        (288, 0, 0, 15),
        (26, 81, 116, 80),
        (77, 95, 0, 131),
        (67, 118, 46, 72),
        (45, 85, 73, 100),
        (50, 96, 56, 101),
    ),
    origin=2,
)

CCAAT_BOX = Motif(
    counts=(
        (56, 55, 12, 52),
        (32, 52, 43, 48),
        (25, 47, 24, 79),
        (102, 1, 70, 2),
        (51, 6, 99, 19),
        (0, 173, 1, 1),
        (0, 174, 0, 1),
        (175, 0, 0, 0),
        (119, 8, 21, 27),
        (17, 0, 15, 143),
        (23, 90, 59, 3),
        (116, 6, 52, 1),
    ),
    origin=7,
)

GC_BOX = Motif(
    counts=(
        (102, 40, 50, 82),
        (97, 31, 112, 34),
        (50, 6, 154, 64),
        (67, 1, 206, 0),
        (0, 0, 274, 0),
        (2, 0, 272, 0),
        (54, 170, 0, 50),
        (46, 1, 224, 3),
        (1, 3, 222, 48),
        (79, 0, 171, 24),
        (23, 17, 192, 42),
        (0, 166, 35, 73),
        (20, 86, 52, 116),
        (40, 24, 109, 101),
    ),
    origin=6,
)
