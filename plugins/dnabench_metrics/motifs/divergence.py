"""`motif-kl`: how the positions of motifs differ between real and generated sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from dnabench import Score
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.motifs.matrices import digest, load_motifs
from dnabench_metrics.motifs.scan import ABSENT, hits_of, require_comparable, require_room

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.motifs import MotifKLOptions


class MotifKL:
    """Mean over motifs of the divergence, in nats, of the places of a motif's best hit; lower is better, 0 is best.

    Definition:
        For each motif, KL(real || generated) = sum_k p_k ln(p_k / q_k). p_k and q_k are the shares of real and of
        generated sequences in cell k: the bin of `bin_width` bp that holds the position of the sequence's best hit, or
        the cell `absent`; `pseudocount` is added to the count of every cell on both sides. The value is the mean over
        motifs, with one part each. A hit is a window that scores at least the motif's cut-off, the best hit the one
        that scores most; of equal ones the given strand wins, then the leftmost. Its position is that of the motif's
        anchor: the base that Bucher numbers 0, or the middle base of a file's motif. Scores are whole hundredths, so
        ties are exact. An N scores as the worst base of its column does. TATA-box and Initiator have a direction and
        are looked for on the given strand, CCAAT-box and GC-box on both, with Bucher's cut-offs. A file's matrices
        become log-odds in bits against the file's background (uniform unless it states one) with one pseudo-site; their
        cut-off is the lowest score that a random window reaches with probability `p_value` at most, worked out exactly.
    Interval:
        Infinitesimal jackknife over the sequences of both sides. It is one of the value at these sample sizes: where
        both sides share one source it is too wide by about a half.
    Floor:
        About (K - 1) / 2 (1/n + 1/m) for K cells, 33 at 256 bp: 0.016 at 2,000 a side. Compare at equal n.
    Sees:
        Motifs that are missing, too frequent or in other places; a TATA-box moved by 5 bp.
    Misses:
        How the motifs of one sequence are arranged, all hits but the best, everything between the motifs; 5 %
        mutations.
    Cost:
        One scan, linear in bases and motif columns: 0.07 s for 20,000 + 20,000 sequences of 256 bp and the four motifs.
    Source:
        Matrices: Bucher 1990, J Mol Biol 212:563, as EPD distributes them. Exact cut-offs: Staden 1989, CABIOS 5:89.
    """

    def __init__(self, options: MotifKLOptions) -> None:
        self.options = options
        self.motifs = load_motifs(options.motifs, p_value=options.p_value)

    def digest(self) -> str:
        """sha256 of the matrices and cut-offs, whichever file they came from."""
        return digest(self.motifs)

    def check_length(self, length: int) -> None:
        """UserError when a motif is wider than sequences of ``length`` bp."""
        require_room(self.motifs, length, metric="motif-kl")

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The mean over motifs, with a part per motif; ``details`` holds the cells' shares of both sides.

        Raises UserError when the sides have different lengths, one holds fewer than two sequences, or a motif is wider
        than the sequences.
        """
        require_comparable(generated, reference, self.motifs, metric="motif-kl")
        hits_g, hits_r = (hits_of(side, self.motifs, context) for side in (generated, reference))
        width, length = self.options.bin_width, reference.length
        cells = -(-length // width) + 1
        parts: dict[str, Score] = {}
        tables: list[pd.DataFrame] = []
        influence_g, influence_r = np.zeros(len(generated)), np.zeros(len(reference))
        for m, motif in enumerate(self.motifs):
            cells_g, cells_r = (to_cells(hits.positions[:, m], width, cells) for hits in (hits_g, hits_r))
            result = kl_divergence(generated=cells_g, reference=cells_r, cells=cells, alpha=self.options.pseudocount)
            parts[motif.name] = _score(result.value, result.influence_generated, result.influence_reference)
            influence_g += result.influence_generated / len(self.motifs)
            influence_r += result.influence_reference / len(self.motifs)
            tables.append(_frequencies(motif.name, cells_g, cells_r, width, length, cells))
        value = float(np.mean([part.value for part in parts.values()]))
        whole = _score(value, influence_g, influence_r)
        return Score(
            value=value,
            ci_low=whole.ci_low,
            ci_high=whole.ci_high,
            parts=parts,
            details=pd.concat(tables, ignore_index=True),
        )


class Divergence(NamedTuple):
    """A KL divergence in nats and every sequence's influence on it, shapes ``(n,)`` and ``(m,)``."""

    value: float
    influence_generated: np.ndarray
    influence_reference: np.ndarray


def to_cells(positions: np.ndarray, bin_width: int, cells: int) -> np.ndarray:
    """The cell of each position: its bin from 0 on, or the last of ``cells`` where the motif is absent."""
    return np.where(positions == ABSENT, cells - 1, positions // bin_width)


def kl_divergence(*, generated: np.ndarray, reference: np.ndarray, cells: int, alpha: float) -> Divergence:
    """KL(real || generated) = sum_k p_k ln(p_k / q_k), p and q the cells' shares with ``alpha`` added to each count.

    The influence of a sequence in cell k is the derivative by its weight: ``ln(p_k / q_k)`` on the real side and
    ``-p_k / q_k`` on the generated one, shrunk by the pseudo-counts' share; their variance over n gives the
    infinitesimal-jackknife standard error.

    Args:
        generated: whole numbers in 0 .. cells - 1, shape ``(n,)``.
        reference: the same, shape ``(m,)``.
        cells: number of cells.
        alpha: pseudo-count, above 0.
    """
    counts_q = np.bincount(generated, minlength=cells) + alpha
    counts_p = np.bincount(reference, minlength=cells) + alpha
    p, q = counts_p / counts_p.sum(), counts_q / counts_q.sum()
    log_ratio = np.log(p / q)
    # Rounding can leave equal distributions at -1e-17; a divergence cannot be negative.
    value = max(0.0, float(p @ log_ratio))
    return Divergence(
        value,
        (-p / q)[generated] * (len(generated) / counts_q.sum()),
        log_ratio[reference] * (len(reference) / counts_p.sum()),
    )


def _score(value: float, influence_generated: np.ndarray, influence_reference: np.ndarray) -> Score:
    error = standard_error(influence_generated, influence_reference)
    return Score(value=value, ci_low=max(0.0, value - Z95 * error), ci_high=value + Z95 * error)


def _frequencies(
    motif: str, generated: np.ndarray, reference: np.ndarray, width: int, length: int, cells: int
) -> pd.DataFrame:
    """One row per cell: motif, bin (``0-7``, ..., ``absent``), and the share of either side's sequences in it."""
    bins = [f"{start}-{min(start + width, length) - 1}" for start in range(0, length, width)]
    return pd.DataFrame(
        {
            "motif": motif,
            "bin": [*bins, "absent"],
            "generated": np.bincount(generated, minlength=cells) / len(generated),
            "reference": np.bincount(reference, minlength=cells) / len(reference),
        }
    )
