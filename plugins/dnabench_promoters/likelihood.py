"""Exact log-likelihood of sequences under a process, summed over species, class and architecture.

All probabilities of elements are taken relative to the background over the same bases. Such ratios stay within the
range of float64 for any promoter, so the sums over architectures need no logarithms: the forward recursion of a
hidden semi-Markov model (Rabiner 1989, Proc IEEE 77:257, section IV D) upstream, and an explicit sum over the
layouts of the core region.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench_promoters.background import ONE, context_rows

if TYPE_CHECKING:
    from dnabench_promoters.process import Process

CHUNK = 1 << 17  # bases worked on at once: 13 MB of background prefix sums with twelve regimes


def log_likelihood(process: Process, codes: np.ndarray) -> np.ndarray:
    """Natural log-probability of each sequence: float64, shape ``(n,)``.

    ``codes`` is uint8 of shape ``(n, process.length)``; ValueError for another length, or for N.
    """
    if codes.ndim != 2 or codes.shape[1] != process.length:
        raise ValueError(f"codes have shape {codes.shape}; this process emits sequences of {process.length} bp")
    if codes.size and codes.max() > 3:
        raise ValueError("codes hold N (4); the log-likelihood is that of A, C, G and T")
    step = max(1, CHUNK // process.length)
    parts = [_log_likelihood(process, codes[i : i + step]) for i in range(0, len(codes), step)]
    return np.concatenate(parts) if parts else np.empty(0)


def _log_likelihood(process: Process, codes: np.ndarray) -> np.ndarray:
    codes = np.ascontiguousarray(codes.T).astype(np.int64)
    regimes = len(process.regimes)
    table = np.log(process.background.reshape(regimes, -1).T / ONE)
    background = np.zeros((process.length + 1, codes.shape[1], regimes))  # log-probability of the bases before each
    np.cumsum(table[4 * context_rows(codes) + codes], axis=0, out=background[1:])

    upstream = _upstream(process, codes, background)
    core = _core(process, codes, background)
    joint = np.log(process.weights / ONE) + background[-1] + np.log(upstream) + np.log(core)
    summed: np.ndarray = np.logaddexp.reduce(joint, axis=1)
    return summed


def _ratios(columns: np.ndarray, codes: np.ndarray, background: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Probability under the motif over that under the background: float64, shape ``(starts, n, regimes)``."""
    motif = np.ones((len(starts), codes.shape[1]))
    for offset, column in enumerate(columns / ONE):
        motif *= column[codes[starts + offset]]
    ratios: np.ndarray = np.exp(background[starts] - background[starts + len(columns)])
    ratios *= motif[..., None]
    return ratios


def _upstream(process: Process, codes: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Summed ratio of all layouts of boxes, shape ``(n, regimes)``."""
    steps = []
    for box in process.boxes:
        starts = np.flatnonzero(box.hazard.any(axis=1))
        ratios = _ratios(box.columns, codes, background, starts) * (box.hazard[starts] / ONE)[:, None, :]
        steps.append((len(box.columns), dict(zip(starts.tolist(), ratios, strict=True))))
    stay = 1 - sum((box.hazard for box in process.boxes), np.zeros(1, np.int64)) / ONE
    free = np.zeros((process.core_start + 1, *background.shape[1:]))
    free[0] = 1.0
    for position in range(process.core_start):
        free[position + 1] += free[position] * stay[position]
        for width, starting in steps:
            if position in starting:
                # A spacer cut off by the core region ends with the upstream region.
                end = min(position + width + process.spacer, process.core_start)
                free[end] += free[position] * starting[position]
    upstream: np.ndarray = free[-1]
    return upstream


def _core(process: Process, codes: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Summed ratio of all layouts of Initiator and TATA-box, shape ``(n, regimes)``."""
    neither, only_initiator, only_tata, both = (process.presence / ONE).T
    summed = np.zeros(background.shape[1:])
    for start, share in process.initiator_starts.items():
        initiator = _ratios(process.initiator, codes, background, np.array([start]))[0]
        distances = np.array(list(process.tata_distances))
        shares = np.array(list(process.tata_distances.values())) / ONE
        tata = np.tensordot(shares, _ratios(process.tata, codes, background, start + distances), axes=1)
        summed += share / ONE * (neither + only_initiator * initiator + only_tata * tata + both * initiator * tata)
    return summed
