"""`motif-kl`: how the positions of motifs differ between real and generated sequences."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, require_samples, standard_error
from dnabench_metrics.motifs.matrices import load_motifs
from dnabench_metrics.motifs.scan import ABSENT, best_hit_positions

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.motifs import MotifKLOptions


class MotifKL:
    """Mean over motifs of KL(real || generated), in nats, between the distributions of the best hit's position bin."""

    def __init__(self, options: MotifKLOptions) -> None:
        self.options = options
        self.motifs = load_motifs(options.motifs, p_value=options.p_value)

    def digest(self) -> str:
        """sha256 of the matrices and cut-offs, whichever file they came from."""
        state = hashlib.sha256()
        for motif in self.motifs:
            state.update(
                f"{motif.name} {motif.cutoff} {motif.anchor} {motif.strands} {motif.weights.tolist()}\n".encode()
            )
        return state.hexdigest()

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:  # noqa: ARG002
        """The mean over motifs, with a part per motif; ``details`` holds the binned frequencies of both sides.

        A sequence falls into the bin of its best hit, or into the cell `absent`. Intervals are those of the divergence
        at these sample sizes: with K cells and equal distributions it is about (K - 1) / 2 (1/n + 1/m), not 0. Raises
        UserError when the two sides have different lengths or one holds fewer than two sequences.
        """
        require_samples(generated, side="generated", metric="motif-kl")
        require_samples(reference, side="reference", metric="motif-kl")
        if generated.length != reference.length:
            raise UserError(
                f"motif-kl compares positions: generated sequences of {generated.length} bp cannot be compared with "
                f"a reference of {reference.length} bp"
            )
        width, length = self.options.bin_width, reference.length
        cells = -(-length // width) + 1
        parts: dict[str, Score] = {}
        tables: list[pd.DataFrame] = []
        influence_g, influence_r = np.zeros(len(generated)), np.zeros(len(reference))
        for motif in self.motifs:
            cells_g = to_cells(best_hit_positions(generated.codes, motif), width, cells)
            cells_r = to_cells(best_hit_positions(reference.codes, motif), width, cells)
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
