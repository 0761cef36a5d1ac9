"""`kmer`: the frequencies of the 256 4-mers of a sequence as its embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench_metrics.kmers import kmer_counts_by_sequence

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet

#: Fixed: another k would be an embedder of another dimension.
K = 4


class KmerFrequencies:
    """Shares of the 256 4-mers among a sequence's windows.

    Definition:
        Overlapping windows of 4 bases on the given strand, in the order AAAA, AAAC, ..., TTTT; windows that hold an N
        are left out. Of any length from 4 bp.
    Cost:
        20,000 sequences of 256 bp in 0.02 s.
    """

    def embed(self, sequences: SequenceSet, *, context: Context) -> np.ndarray:  # noqa: ARG002 (the protocol's signature)
        """float32, shape ``(n, 256)``; rows sum to 1, or to 0 where every window holds an N."""
        return kmer_frequencies(sequences.codes, K).astype(np.float32)


def kmer_frequencies(codes: np.ndarray, k: int) -> np.ndarray:
    """Frequencies of overlapping k-mers: float64, shape ``(n, 4**k)``, the first base the most significant digit.

    Windows that hold an N are left out; a sequence without any other window has a row of zeros. ``codes`` is uint8 of
    shape ``(n, length)``, A C G T N = 0 1 2 3 4.
    """
    counts = kmer_counts_by_sequence(codes, k)
    frequencies: np.ndarray = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return frequencies
