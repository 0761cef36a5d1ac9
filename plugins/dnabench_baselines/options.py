"""Options of the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dnabench import option

BY = "label columns, such as species or species,class: one table per value; empty: one for all"

MAX_ORDER = 8


@dataclass(frozen=True)
class FrequencyOptions:
    """Options of ``composition`` and ``position``."""

    by: str = option("", BY)


@dataclass(frozen=True)
class MarkovOptions:
    """Options of ``markov``."""

    order: int | Literal["auto"] = option(
        5,
        "how many preceding bases a base depends on; auto: as many as predict held-out training sequences best",
        minimum=0,
        maximum=MAX_ORDER,
    )
    pseudocount: float = option(0.1, "added to the count of every (order + 1)-mer", minimum=0)
    by: str = option("", BY)
