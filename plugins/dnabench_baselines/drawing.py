"""Drawing bases, for all sequences at once."""

from __future__ import annotations

import numpy as np

CHUNK = 1 << 22  # bases drawn at once: 34 MB of uniforms


def edges(counts: np.ndarray) -> np.ndarray:
    """Where C, G and T begin on [0, 1): float64, shape ``(3, rows)``, from counts of shape ``(rows, 4)``.

    Sums are taken before the division, so that a base whose count is 0 gets an interval of length 0 exactly.
    """
    sums = np.cumsum(counts, axis=1, dtype=np.float64)
    return np.ascontiguousarray((sums[:, :3] / sums[:, 3:]).T)


def draw_bases(edges: np.ndarray, rows: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """A base per uniform by the edges at ``rows``, which broadcast: uint8 codes, shape of ``uniforms``."""
    bases: np.ndarray = (uniforms >= edges[0][rows]).astype(np.uint8)
    bases += uniforms >= edges[1][rows]
    bases += uniforms >= edges[2][rows]
    return bases


def draw_independent(edges: np.ndarray, rows: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """``n`` sequences of independent bases, position i by the edges at ``rows[i]``: uint8, shape ``(n, len(rows))``."""
    codes = np.empty((n, len(rows)), np.uint8)
    step = max(1, CHUNK // len(rows))
    for first in range(0, n, step):
        part = codes[first : first + step]
        part[:] = draw_bases(edges, rows, rng.random(part.shape))
    return codes
