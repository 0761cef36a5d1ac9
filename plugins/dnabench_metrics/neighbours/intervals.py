"""95 % intervals of shares that are not plain binomial, and the table of what was compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dnabench import Score
from dnabench_metrics.features import Z95, Estimate, wilson_ends

if TYPE_CHECKING:
    from dnabench import SequenceSet
    from dnabench_metrics.neighbours.sides import Sides


def share_score(share: Estimate, n: float, *, details: pd.DataFrame | None = None) -> Score:
    """The share of n with the wider end, on each side, of the normal interval and of Wilson's.

    Wilson's has the effective number share (1 - share) / standard error^2 in place of n,
    where that is less. Near 0 and 1 the standard error is a matter of the few that miss, and either interval alone is
    too short at one of its ends.
    """
    value, error = share
    spread = value * (1 - value)
    effective = min(float(n), spread / error**2) if spread > 0 and error > 0 else float(n)
    low, high = wilson_ends(value, effective)
    return Score(
        value=value,
        ci_low=max(0.0, min(low, value - Z95 * error)),
        ci_high=min(1.0, max(high, value + Z95 * error)),
        details=details,
    )


def compared(generated: SequenceSet, reference: SequenceSet, sides: Sides) -> pd.DataFrame:
    """One row per side: how many sequences were given, and how many of them were compared."""
    return pd.DataFrame(
        {
            "side": ["generated", "reference"],
            "given": [len(generated), len(reference)],
            "used": [len(sides.generated), len(sides.reference)],
        }
    )
