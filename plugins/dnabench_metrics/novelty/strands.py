"""The other strand."""

from __future__ import annotations

import numpy as np

#: Of A C G T N.
COMPLEMENT = np.array([3, 2, 1, 0, 4], np.uint8)


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """The reverse complement of every sequence along the last axis: uint8; N stays N."""
    mirrored: np.ndarray = COMPLEMENT[codes[..., ::-1]]
    return mirrored
