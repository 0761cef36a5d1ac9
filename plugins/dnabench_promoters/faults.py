"""The faults of ``sim-broken``: the process of ``promoters-sim`` with one thing wrong and all else untouched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dnabench_promoters.background import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from dnabench_promoters.process import Process

# Both faults of the TATA-box's place stop short of where a box upstream can end, so that no two elements collide.
SHIFT = -5  # bp
SPREAD = 8  # bp to either side of the most frequent distance
# The species left out. No other has as many TATA-boxes: they go with it, and not its composition alone.
MISSING = "sim-plant"


def without_tata(process: Process) -> Process:
    """No promoter has a TATA-box; an Initiator is as frequent in every regime as it was."""
    neither, initiator, tata, both = process.presence.T
    none = np.zeros_like(neither)
    return replace(process, presence=np.stack([neither + tata, initiator + both, none, none], axis=1))


def tata_shifted(process: Process) -> Process:
    """Every TATA-box lies 5 bp further upstream."""
    return replace(process, tata_distances={place + SHIFT: share for place, share in process.tata_distances.items()})


def tata_spread(process: Process) -> Process:
    """The distance from TATA-box to Initiator is equally often each of the 17 whole numbers -38, ..., -22.

    In the true process it peaks at -30 and stays within -33, ..., -27; it is that of Bucher's positions 0. Its mean and
    how often there is either element are unchanged, and so are the elements themselves: they do not overlap.
    """
    peak = max(process.tata_distances, key=process.tata_distances.__getitem__)
    distances = range(peak - SPREAD, peak + SPREAD + 1)
    shares = whole(np.full(len(distances), 1 / len(distances)))
    return replace(process, tata_distances=dict(zip(distances, shares.tolist(), strict=True)))


def without_cpg(process: Process) -> Process:
    """The class ``cpg`` is missing: its share of a species goes to ``nocpg`` of that species."""
    weights = process.weights.copy()
    for index, (species, kind) in enumerate(process.regimes):
        if kind == "cpg":
            weights[process.regimes.index((species, "nocpg"))] += weights[index]
            weights[index] = 0
    return replace(process, weights=weights)


def without_species(process: Process) -> Process:
    """``sim-plant``, the species richest in TATA-boxes, is missing; the others share its part in proportion."""
    kept = np.array([species != MISSING for species, _ in process.regimes])
    weights = np.where(kept, process.weights, 0)
    return replace(process, weights=whole(weights / weights.sum()))


FAULTS: dict[str, Callable[[Process], Process]] = {
    "no-tata": without_tata,
    "tata-shift": tata_shifted,
    "spacing": tata_spread,
    "no-cpg": without_cpg,
    "no-species": without_species,
}
