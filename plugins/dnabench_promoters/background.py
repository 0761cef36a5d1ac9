"""Order-3 Markov tables of the background, one per species and class.

Every probability of the simulator is a whole number of 65,536ths, and every draw a whole number below 65,536 out of
the raw stream of a PCG64: a set is then the same on every machine, whatever its floating-point unit and version of
NumPy do.
"""

from __future__ import annotations

import numpy as np

ONE = 1 << 16
ORDER = 3
# A table has a row per context of 0, 1, 2 and 3 preceding bases; rows of one context length begin at FIRST_ROW[length].
FIRST_ROW = (0, 1, 5, 21)
ROWS = 85

# Spread of the rows around the species' composition: some 0.05 bits a base of structure beyond order 0, as genomes
# have.
CONCENTRATION = 40
FLOOR = 0.02


def whole(probabilities: np.ndarray) -> np.ndarray:
    """``probabilities`` (last axis sums to 1) as int64 that sum to 65,536 exactly."""
    edges = np.rint(np.cumsum(probabilities, axis=-1) * ONE).astype(np.int64)
    edges[..., -1] = ONE
    return np.diff(edges, axis=-1, prepend=0)


def context_rows(codes: np.ndarray) -> np.ndarray:
    """Which row of a table rules each base: int64, shape ``(length, n)`` as ``codes``, position first."""
    bases = codes.astype(np.int64)
    rows = np.zeros(bases.shape, np.int64)
    for back in range(1, ORDER + 1):
        rows[back:] += bases[:-back] << 2 * (back - 1)
    for position in range(len(rows)):
        rows[position] += FIRST_ROW[min(position, ORDER)]
    return rows


def background_table(bits: np.random.PCG64, *, gc: float, cpg_factor: float) -> np.ndarray:
    """Whole-number rows, int64 of shape ``(85, 4)``, whose stationary GC content is ``gc``.

    The rows of three bases are Dirichlet draws around the composition; G after C is multiplied by ``cpg_factor``, and C
    and G then by one factor that restores ``gc``. Rows of fewer bases follow from the stationary distribution.
    """
    composition = np.array([1 - gc, gc, gc, 1 - gc]) / 2
    rows = np.stack([_dirichlet(bits, composition) for _ in range(4**ORDER)])
    rows[1::4, 2] *= cpg_factor
    low, high = -4.0, 4.0
    for _ in range(50):
        middle = (low + high) / 2
        tilted = _tilt(rows, middle)
        below = _gc(tilted) < gc
        low, high = (middle, high) if below else (low, middle)
    triples = stationary(tilted).reshape(4, 4, 4)
    shorter = [triples.sum((1, 2)), triples.sum(2), triples]
    start = [joint.reshape(-1, 4) / joint.sum(-1).reshape(-1, 1) for joint in shorter]
    return whole(np.concatenate([*start, tilted]))


def stationary(rows: np.ndarray) -> np.ndarray:
    """Stationary distribution over the triples, shape ``(64,)``, of an order-3 chain with ``rows`` ``(64, 4)``."""
    contexts = np.arange(4**ORDER)
    transition = np.zeros((4**ORDER, 4**ORDER))
    for base in range(4):
        transition[contexts, (4 * contexts + base) % 4**ORDER] = rows[:, base]
    system = transition.T - np.eye(4**ORDER)
    system[-1] = 1.0
    solution: np.ndarray = np.linalg.solve(system, np.eye(4**ORDER)[-1])
    return solution


def _gc(rows: np.ndarray) -> float:
    return float(stationary(rows) @ rows[:, 1:3].sum(1))


def _tilt(rows: np.ndarray, strength: float) -> np.ndarray:
    tilted: np.ndarray = rows * np.exp(strength * np.array([0.0, 1.0, 1.0, 0.0]))
    tilted /= tilted.sum(1, keepdims=True)
    tilted += FLOOR * (0.25 - tilted)
    return tilted


def _dirichlet(bits: np.random.PCG64, composition: np.ndarray) -> np.ndarray:
    """A Dirichlet draw with whole parameters: spacings of sorted uniforms, which take nothing but raw bits."""
    parameters = np.maximum(1, np.rint(CONCENTRATION * composition)).astype(int)
    uniforms = np.sort((bits.random_raw(int(parameters.sum()) - 1) >> np.uint64(11)) * 2.0**-53)
    edges = np.concatenate([[0.0], uniforms, [1.0]])
    shares: np.ndarray = np.diff(edges[np.concatenate([[0], np.cumsum(parameters)])])
    return shares
