"""Options of the promoter datasets."""

from __future__ import annotations

from dataclasses import dataclass

from dnabench import option


@dataclass(frozen=True)
class SimulatorOptions:
    """What defines a simulated promoter set, and nothing else does."""

    n: int = option(20_000, "sequences", minimum=1)
    length: int = option(256, "bp; the TSS is 51 bp before the end", minimum=96)
    seed: int = option(0, "another seed draws other sequences from the same process", minimum=0)
