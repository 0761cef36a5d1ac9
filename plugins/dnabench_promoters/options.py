"""Options of the promoter datasets and of their controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dnabench import option

SHORTEST = 96  # bp of a simulated promoter that holds its core region


@dataclass(frozen=True)
class SimulatorOptions:
    """What defines a simulated promoter set, and nothing else does."""

    n: int = option(20_000, "sequences", minimum=1)
    length: int = option(256, "bp; the TSS is 51 bp before the end", minimum=SHORTEST)
    seed: int = option(0, "another seed draws other sequences from the same process", minimum=0)


@dataclass(frozen=True)
class BrokenOptions:
    """What is wrong with the promoters of ``sim-broken``."""

    what: Literal["no-tata", "tata-shift", "spacing", "no-cpg", "no-species", "half-diversity"] = option(
        "no-tata",
        "no TATA-box; the TATA-box 5 bp upstream; its distance to the Initiator spread evenly over 17 bp; no promoters "
        "of class cpg; none of sim-plant; every sequence given twice",
    )
