"""Options of the baselines."""

from __future__ import annotations

from dataclasses import dataclass

from dnabench import option


@dataclass(frozen=True)
class MarkovOptions:
    """Options of ``markov``."""

    order: int = option(5, "how many preceding bases a base depends on", minimum=0, maximum=8)
    pseudocount: float = option(0.1, "added to the count of every (order + 1)-mer", minimum=0)
