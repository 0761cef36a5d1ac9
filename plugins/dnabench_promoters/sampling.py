"""Draws from a process, with the hidden truth of each draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench import SequenceSet
from dnabench_promoters.background import FIRST_ROW, ORDER, ROWS

if TYPE_CHECKING:
    from dnabench_promoters.process import Process

CHUNK = 1 << 21  # bases drawn at once: 50 MB, most of it uniforms and where each base comes from


@dataclass(frozen=True)
class Draw:
    """Sequences and how they came about.

    Attributes:
        codes: uint8, shape ``(n, length)``.
        regime: index into ``process.regimes``, int64, shape ``(n,)``.
        boxes: one row per box, int64, shape ``(count, 3)``: sequence, index into ``process.boxes``, first base.
        initiator, tata: index of the first base, or -1 where there is none, int64, shape ``(n,)``.
    """

    codes: np.ndarray
    regime: np.ndarray
    boxes: np.ndarray
    initiator: np.ndarray
    tata: np.ndarray


def draw(process: Process, n: int, seed: int) -> Draw:
    """``n`` promoters. The first sequences of a larger draw with the same seed are the same."""
    bits = np.random.PCG64(np.random.SeedSequence(seed))
    step = max(1, CHUNK // process.length)
    parts = [_draw(process, min(step, n - done), bits, done) for done in range(0, n, step)]
    return Draw(*(np.concatenate([getattr(part, name) for part in parts]) for name in Draw.__dataclass_fields__))


def labelled(process: Process, drawn: Draw) -> SequenceSet:
    """The sequences of a draw from ``process`` with the labels ``species`` and ``class``."""
    labels = pd.DataFrame([process.regimes[i] for i in drawn.regime], columns=["species", "class"])
    return SequenceSet(drawn.codes, labels=labels)


def _draw(process: Process, n: int, bits: np.random.PCG64, first: int) -> Draw:
    # A sequence's uniforms lie together in the raw stream, so that it does not depend on how many are drawn with it.
    words = -(-(4 + process.core_start + process.length) // 4)
    raw = bits.random_raw(n * words).astype("<u8").view("<u2").reshape(n, 4 * words)
    uniforms = np.ascontiguousarray(raw.T).astype(np.int32)
    for_layout, for_bases = uniforms[4 : 4 + process.core_start], uniforms[4 + process.core_start :]

    regime = _choose(np.broadcast_to(process.weights, (n, len(process.weights))), uniforms[0])
    source = np.full((process.length, n), -1)  # row among the motif columns that emits the base; -1: the background
    boxes = _lay_boxes(process, regime, for_layout, source)
    boxes[:, 0] += first
    initiator, tata = _lay_core(process, regime, uniforms[1:4], source)
    return Draw(_emit(process, regime, source, for_bases), regime, boxes, initiator, tata)


def _choose(shares: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """Index of the share, of ``(n, choices)``, that each uniform falls in; ``choices`` when it lies beyond all."""
    chosen: np.ndarray = (uniforms[:, None] >= np.cumsum(shares, axis=1)).sum(1)
    return chosen


def _lay_boxes(process: Process, regime: np.ndarray, uniforms: np.ndarray, source: np.ndarray) -> np.ndarray:
    hazards = np.stack([box.hazard for box in process.boxes], axis=-1)
    first_column = _first_columns(process)
    free_from = np.zeros(len(regime), np.int64)
    laid = [np.empty((0, 3), np.int64)]
    for start in np.flatnonzero(hazards.any(axis=(1, 2))):
        kind = _choose(hazards[start][regime], uniforms[start])
        kind[free_from > start] = len(process.boxes)
        for index, box in enumerate(process.boxes):
            rows = np.flatnonzero(kind == index)
            width = len(box.columns)
            source[start : start + width, rows] = first_column[index] + np.arange(width)[:, None]
            free_from[rows] = start + width + process.spacer
            laid.append(np.column_stack([rows, np.full_like(rows, index), np.full_like(rows, start)]))
    return np.concatenate(laid)


def _lay_core(
    process: Process, regime: np.ndarray, uniforms: np.ndarray, source: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    presence = _choose(process.presence[regime], uniforms[0])
    place = _pick(process.initiator_starts, uniforms[1])
    distance = _pick(process.tata_distances, uniforms[2])
    *_, initiator_column, tata_column = _first_columns(process)
    initiator = np.where(presence % 2 == 1, place, -1)
    tata = np.where(presence >= 2, place + distance, -1)
    for starts, columns, first in ((initiator, process.initiator, initiator_column), (tata, process.tata, tata_column)):
        rows = np.flatnonzero(starts >= 0)
        for column in range(len(columns)):
            source[starts[rows] + column, rows] = first + column
    return initiator, tata


def _pick(shares: dict[int, int], uniforms: np.ndarray) -> np.ndarray:
    edges = np.cumsum(list(shares.values()))
    picked: np.ndarray = np.array(list(shares))[np.searchsorted(edges, uniforms, side="right")]
    return picked


def _first_columns(process: Process) -> list[int]:
    """Where each box, the Initiator and the TATA-box begin among the stacked motif columns."""
    widths = [len(box.columns) for box in process.boxes]
    return [0, *np.cumsum([*widths, len(process.initiator)]).tolist()]


def _emit(process: Process, regime: np.ndarray, source: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    motifs = np.concatenate([*(box.columns for box in process.boxes), process.initiator, process.tata])
    rows = np.concatenate([process.background.reshape(-1, 4), motifs])
    below_c, below_g, below_t = np.ascontiguousarray(np.cumsum(rows, axis=1)[:, :3].T.astype(np.int32))
    motif_rows = len(process.regimes) * ROWS
    context = np.zeros(len(regime), np.int64)
    codes = np.empty(source.shape, np.uint8)
    for position, emitter in enumerate(source):
        row = np.where(emitter >= 0, motif_rows + emitter, regime * ROWS + FIRST_ROW[min(position, ORDER)] + context)
        u = uniforms[position]
        base = (u >= below_c[row]).astype(np.uint8)
        base += u >= below_g[row]
        base += u >= below_t[row]
        codes[position] = base
        context = (4 * context + base) % 4**ORDER
    return np.ascontiguousarray(codes.T)
