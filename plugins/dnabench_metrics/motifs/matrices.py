"""Position weight matrices: the EPD core-promoter motifs carried with the package, and those of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from dnabench_metrics.motifs.files import read_motifs

if TYPE_CHECKING:
    from dnabench_metrics.motifs.published import PublishedMatrix

#: Scores are whole hundredths, so that sums are exact, ties are ties, and every machine finds the same hits.
SCALE = 100
#: Pseudo-count of a file's matrix, in sites, shared out as the background is.
PSEUDOCOUNT = 1.0


@dataclass(frozen=True, eq=False)
class Motif:
    """A position weight matrix ready to scan with.

    Attributes:
        name: what its part of the score is called.
        weights: int32, shape ``(width, 4)``, hundredths, columns A C G T.
        cutoff: a window is a hit when its score, in hundredths, is at least this.
        anchor: the matrix row whose base a hit's position names, on either strand.
        strands: ``+`` for motifs with a direction, ``both`` for those that work in both.
    """

    name: str
    weights: np.ndarray
    cutoff: int
    anchor: int
    strands: Literal["+", "both"]

    @property
    def width(self) -> int:
        """Bases per window."""
        return len(self.weights)


def load_motifs(source: str, *, p_value: float) -> list[Motif]:
    """The motifs that ``source`` names: ``epd``, or the path of a motif file; UserError for one it cannot use."""
    if source == "epd":
        return _epd_motifs()
    return [_from_file(motif, p_value) for motif in read_motifs(Path(source))]


def digest(motifs: Sequence[Motif]) -> str:
    """sha256 of names, matrices, anchors, strands and cut-offs, whichever file they came from."""
    state = hashlib.sha256()
    for motif in motifs:
        state.update(f"{motif.name} {motif.cutoff} {motif.anchor} {motif.strands} {motif.weights.tolist()}\n".encode())
    return state.hexdigest()


def _epd_motifs() -> list[Motif]:
    """TATA-box, Initiator, CCAAT-box and GC-box of Bucher 1990 with his cut-offs.

    TATA-box and Initiator set the direction of transcription and are scanned on the given strand only; CCAAT-box and
    GC-box work in both orientations and are scanned on both.
    """
    carried = json.loads((Path(__file__).parent / "epd_bucher1990.json").read_text())
    return [
        Motif(
            name=motif["name"],
            weights=np.rint(np.array(motif["weights"]) * SCALE).astype(np.int32),
            cutoff=round(motif["cutoff"] * SCALE),
            anchor=motif["anchor"],
            strands=motif["strands"],
        )
        for motif in carried["motifs"]
    ]


def _from_file(motif: PublishedMatrix, p_value: float) -> Motif:
    """Log-odds in hundredths of a bit against the file's background; the anchor is the middle base."""
    sites, background = motif.sites, motif.background
    smoothed = (motif.probabilities * sites + background * PSEUDOCOUNT) / (sites + PSEUDOCOUNT)
    weights = np.rint(np.log2(smoothed / background) * SCALE).astype(np.int32)
    return Motif(
        name=motif.name,
        weights=weights,
        cutoff=score_cutoff(weights, background, p_value),
        anchor=len(weights) // 2,
        strands=motif.strands,
    )


def score_cutoff(weights: np.ndarray, background: np.ndarray, p_value: float) -> int:
    """The lowest score that a window of independent background bases reaches with probability ``p_value`` at most.

    Exact for whole-number weights of shape ``(width, 4)``, by convolving the columns' score distributions (Staden 1989,
    CABIOS 5:89). A matrix so short that even its best window is more likely gets its best score as the cut-off.
    """
    lowest = weights.min(axis=1)
    shifted = weights - lowest[:, None]
    distribution = np.ones(1)
    for column in shifted:
        wider = np.zeros(len(distribution) + int(column.max()))
        for score, probability in zip(column, background, strict=True):
            wider[score : score + len(distribution)] += probability * distribution
        distribution = wider
    tail = distribution[::-1].cumsum()[::-1]
    # The tail is a sum of rounded terms; without the slack a p-value of exactly 4**-w would miss its own window.
    rare = np.flatnonzero(tail <= p_value * (1 + 1e-9))
    best = int(weights.max(axis=1).sum())
    return int(rare[0] + lowest.sum()) if len(rare) else best
