"""`motif-cooccurrence`: how the covariances of motif counts differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, standard_error
from dnabench_metrics.motifs.matrices import digest, load_motifs
from dnabench_metrics.motifs.scan import hits_of, require_comparable, require_room

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet
    from dnabench_metrics.records.motifs import MotifCooccurrenceOptions

#: Rows of the table of pairs.
MOST_PAIRS = 50


class MotifCooccurrence:
    """Root mean square difference of the scaled covariances of motif counts, without unit; 0 is best.

    Definition:
        With M motifs, C the M x M covariance matrix (n - 1) of the numbers of hits in a sequence, on either side, and
        s_j^2 = (C_gen,jj + C_real,jj) / 2: the root of the mean over all pairs (j, k), j = k included, of
        D_jk^2, D_jk = (C_gen,jk - C_real,jk) / (s_j s_k). That is the Frobenius norm of D over M. Every motif weighs
        the same whatever its frequency, D_jj lies between -2 and 2, and more motifs do not make it larger. A motif
        whose count is the same in all sequences of both sides adds 0. Hits, strands, cut-offs and N are as in
        motif-frequency. The set `epd` has four motifs; a file may bring more.
    Interval:
        Delta method over the sequences of both sides for the mean square, the ends rooted. It is one of the value at
        these sample sizes, bias included. In simulations the standard error was 1.0 to 1.4 times the spread with
        `epd`, and 0.85 to 1.3 times with a set of rare motifs and 400 sequences: there it may be too narrow.
    Floor:
        In proportion to sqrt(1/n + 1/m): with 2,000 human promoters a side 0.05 for `epd` and for JASPAR's vertebrate
        motifs. Compare at equal n.
    Sees:
        Motifs that go together in real sequences, in clusters or instead of each other, and those that do in generated
        ones alone. `details` lists the 50 pairs that differ most.
    Misses:
        How frequent the motifs are and where they lie.
    Cost:
        One scan, then three products of n x M and M x M: 0.07 s for 20,000 + 20,000 sequences of 256 bp and `epd`.
    Source:
        D3 (Sarkar et al. 2024, bioRxiv 2024.05.23.595630) names the Frobenius norm of the covariances' difference; here
        they are motif by motif, and scaled.
    """

    def __init__(self, options: MotifCooccurrenceOptions) -> None:
        self.options = options
        self.motifs = load_motifs(options.motifs, p_value=options.p_value)
        if len(self.motifs) < 2:
            raise UserError(f"motif-cooccurrence: {options.motifs} holds 1 motif; pairs need at least 2")

    def digest(self) -> str:
        """sha256 of the matrices and cut-offs, whichever file they came from."""
        return digest(self.motifs)

    def check_length(self, length: int) -> None:
        """UserError when a motif is wider than sequences of ``length`` bp."""
        require_room(self.motifs, length, metric="motif-cooccurrence")

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The difference; ``details`` holds the pairs that differ most.

        Raises UserError when the sides have different lengths, one holds fewer than two sequences, a motif is wider
        than the sequences, or no motif's count varies in the reference.
        """
        require_comparable(generated, reference, self.motifs, metric="motif-cooccurrence")
        counts_g, counts_r = (hits_of(side, self.motifs, context).counts for side in (generated, reference))
        if not np.ptp(counts_r, axis=0).any():
            raise UserError(
                f"motif-cooccurrence: in the {len(reference)} reference sequences none of the {len(self.motifs)} "
                f"motifs has a count that varies"
            )
        result = covariance_difference(generated=counts_g, reference=counts_r)
        margin = Z95 * standard_error(result.influence_generated, result.influence_reference)
        low, high = np.sqrt(max(0.0, result.mean_square - margin)), np.sqrt(result.mean_square + margin)
        return Score(
            value=float(np.sqrt(result.mean_square)),
            ci_low=float(low),
            ci_high=float(high),
            details=self._pairs(result),
        )

    def _pairs(self, result: Difference) -> pd.DataFrame:
        """The pairs with the largest scaled differences: motif_1, motif_2, generated, reference, difference."""
        rows, columns = np.triu_indices(len(self.motifs))
        most = np.argsort(-np.abs(result.scaled[rows, columns]), kind="stable")[:MOST_PAIRS]
        rows, columns = rows[most], columns[most]
        names = np.array([motif.name for motif in self.motifs], object)
        return pd.DataFrame(
            {
                "motif_1": names[rows],
                "motif_2": names[columns],
                "generated": result.generated[rows, columns],
                "reference": result.reference[rows, columns],
                "difference": result.scaled[rows, columns],
            }
        )


class Difference(NamedTuple):
    """How two covariance matrices differ.

    Attributes:
        mean_square: of the entries of ``scaled``.
        influence_generated, influence_reference: of every sequence on it, shapes ``(n,)`` and ``(m,)``.
        scaled: the scaled differences, shape ``(M, M)``.
        generated, reference: the covariance matrices, shape ``(M, M)``.
    """

    mean_square: float
    influence_generated: np.ndarray
    influence_reference: np.ndarray
    scaled: np.ndarray
    generated: np.ndarray
    reference: np.ndarray


def covariance_difference(*, generated: np.ndarray, reference: np.ndarray) -> Difference:
    """The mean square of D, as `MotifCooccurrence` defines it, and the influences on it.

    A sequence with counts x has z_j = (x_j - mean_j) / s_j. It moves C_jk by z_j z_k s_j s_k and s_j^2 by half of
    z_j^2 s_j^2, and so the sum of squares by ± 2 z' D z - sum_j z_j^2 sum_k D_jk^2, plus for generated sequences.

    Args:
        generated: whole numbers, shape ``(n, M)``, n >= 2.
        reference: the same, shape ``(m, M)``, m >= 2.
    """
    centred = [side - side.mean(axis=0) for side in (generated, reference)]
    covariances = [side.T @ side / (len(side) - 1) for side in centred]
    variance = (covariances[0].diagonal() + covariances[1].diagonal()) / 2
    scale = np.divide(1, np.sqrt(variance), out=np.zeros_like(variance), where=variance > 0)
    scaled = (covariances[0] - covariances[1]) * scale * scale[:, None]
    squares = np.square(scaled).sum(axis=1)
    influences = []
    for side, sign in zip(centred, (1, -1), strict=True):
        z = side * scale
        influences.append((sign * 2 * ((z @ scaled) * z).sum(axis=1) - np.square(z) @ squares) / scaled.size)
    return Difference(float(np.square(scaled).mean()), influences[0], influences[1], scaled, *covariances)
