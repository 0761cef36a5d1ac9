"""`kmer-js`: the Jensen-Shannon distance between the k-mer spectra of generated and real sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dnabench import Score, SequenceSet, UserError
from dnabench_metrics.features import Z95, require_samples, standard_error
from dnabench_metrics.kmers import kmer_spectrum, sums_over_windows
from dnabench_metrics.sequences.floor import expected_js_distance, js_terms

if TYPE_CHECKING:
    from dnabench import Context
    from dnabench_metrics.records.sequences import KmerJSOptions

#: k-mers in the table of details.
TABLE_ROWS = 100


class KmerJS:
    """Jensen-Shannon distance between the pooled spectra of overlapping k-mers: 0 equal, 1 disjoint; lower is better.

    Definition:
        p and q are the shares of each of the 4^k k-mers among all windows of the generated and of the real set,
        m = (p + q) / 2. The value is the square root of the divergence in bits,
        D = sqrt(1/2 sum_w (p_w log2(p_w / m_w) + q_w log2(q_w / m_w))). No pseudo-counts. Windows that hold an N are
        left out. Only the given strand is read. The sides may differ in length, as shares are compared. Programs that
        take natural logarithms give D sqrt(ln 2) = 0.8326 D.
        The part `expected-floor` is what D is on average (root mean square) if all sequences of both sides are dealt at
        random to two sides of these sizes, from a formula. A k-mer seen N times adds g(N), the mean of its term when
        each window goes to a side by itself; where its count varies phi times as much between sequences as that of
        independent windows, it adds phi g(N / phi). For frequent k-mers and phi = 1 this is
        D^2 = (K - 1) (1/M + 1/M') / (8 ln 2) for K k-mers, M and M' windows a side. The part has no interval.
    Interval:
        Normal, from each sequence's influence; the sequence is the unit, as its windows depend on each other. It covers
        the value expected at these sample sizes: 95 to 100 % of simulated intervals hold it (k = 3 to 10). Once D is
        one and a half times its floor the standard error matches the spread over replicates to 10 % (k <= 6); near
        the floor, and for k = 10 everywhere, it is 1.3 to 1.7 times as large.
    Floor:
        Real against real gives D > 0: 0.114 for 500 a side of 256 bp at k = 6, 0.032 for 6,000 (human promoters). It
        falls as the root of 1/M + 1/M' while k-mers occur ten times or more. The common formula with K = 4^k and phi =
        1 is 3 to 5 % too low there. For k = 1 and 2 it is half of the truth or less, as windows of one sequence are
        alike (phi is 6 for k = 1); for k >= 8 it is far off, up or down, as rare k-mers add something else and absent
        ones nothing, and so it is at k = 6 for spectra as uneven as that of P. falciparum, or for a few sequences
        against many: 20 human promoters against 10,000 are at 0.432. `expected-floor` is within 2 % of the measured
        floor on human, P. falciparum and yeast promoters for k = 6 to 10, at 20 against 10,000 too, and within 3 % for
        k = 3 and 4; for k <= 2 the floor itself varies by a third between draws. With a generator far from the real set
        it describes the mixture of both.
    Sees:
        Wrong composition, dinucleotide bias (CpG), repeats, over- and under-used words up to k bases.
    Misses:
        Where in a sequence, in which sequence and with which others a word occurs: a Markov chain of order k - 1 is at
        the floor. It does not see copies of training sequences.
    Cost:
        O(n length + 4^k), interval and floor included: 0.04 s for 10,000 a side of 256 bp, 0.3 s for 2,048 bp (k = 6,
        one thread).
    Source:
        Lin 1991, IEEE Trans Inf Theory 37:145, eq. 4.1; the root is a metric: Endres and Schindelin 2003, IEEE Trans
        Inf Theory 49:1858. Influence functions: van der Vaart 1998, Asymptotic Statistics, ch. 20. phi: the design
        effect of cluster samples, Kish 1965, Survey Sampling.
    """

    def __init__(self, options: KmerJSOptions) -> None:
        self.options = options

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:  # noqa: ARG002
        """The distance, the part `expected-floor`, and the 100 k-mers that add most to it in ``details``.

        Raises UserError when a side holds fewer than two sequences, or no window of k known bases.
        """
        k = self.options.k
        spectra = []
        for side, sequences in (("generated", generated), ("reference", reference)):
            require_samples(sequences, side=side, metric="kmer-js")
            spectrum = kmer_spectrum(sequences.codes, k)
            if not spectrum.windows.any():
                raise UserError(
                    f"kmer-js: no {side} sequence of the {len(sequences)} of {sequences.length} bp has a window of "
                    f"k = {k} bases without N"
                )
            spectra.append(spectrum)
        of_g, of_r = spectra
        p, q = (spectrum.counts / spectrum.counts.sum() for spectrum in spectra)
        found = np.flatnonzero(of_g.counts + of_r.counts)
        terms = js_terms(p[found], q[found])
        value = float(np.sqrt(min(1.0, max(0.0, terms.sum()))))
        error = standard_error(
            _influence(generated.codes, of_g.counts, q, k), _influence(reference.codes, of_r.counts, p, k)
        )
        # Of the root, by the delta method. Sets of one spectrum have no influences either.
        error = error / (2 * value) if value else 0.0
        return Score(
            value=value,
            ci_low=max(0.0, value - Z95 * error),
            ci_high=min(1.0, value + Z95 * error),
            parts={"expected-floor": Score(value=expected_js_distance(of_g, of_r), direction="none")},
            details=_largest_terms(found, terms, p, q, k),
        )


def _influence(codes: np.ndarray, counts: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Each sequence's influence on the divergence in bits through its side's spectrum: float64, shape ``(n,)``.

    A window's influence is what the term of its k-mer loses without it, times the number of windows, less the mean over
    all windows; a sequence's is the sum over its windows, over the mean number of windows. For frequent k-mers the loss
    is the derivative, ``log2(p_w / m_w) / 2``; for rare ones the derivative is off: where each side has a k-mer once it
    is 0, but without either one the term is at its largest.

    Args:
        codes: the side's sequences, uint8, shape ``(n, length)``.
        counts: of the side's k-mers, int64, shape ``(4**k,)``.
        other: shares of the other side's k-mers, float64, the same shape.
        k: bases in a k-mer.
    """
    total = counts.sum()
    found = np.flatnonzero(counts)
    of, across = counts[found], other[found]
    weights = np.zeros(len(counts))
    weights[found] = (js_terms(of / total, across) - js_terms((of - 1) / total, across)) * total
    sums, windows = sums_over_windows(codes, k, weights)
    influence: np.ndarray = (sums - windows * (counts @ weights / total)) / windows.mean()
    return influence


def _largest_terms(found: np.ndarray, terms: np.ndarray, p: np.ndarray, q: np.ndarray, k: int) -> pd.DataFrame:
    """The k-mers that add most to the divergence: kmer, share of each side's windows, share of the divergence.

    Their title says of how many, those that occur nowhere included: so it is the same for all generators.

    Args:
        found: the k-mers that occur, int64.
        terms: what each of them adds, float64, the same shape.
        p: shares of the generated side's k-mers, float64, shape ``(4**k,)``.
        q: the same of the reference.
        k: bases in a k-mer.
    """
    order = np.argsort(-terms, kind="stable")[:TABLE_ROWS]
    largest = found[order]
    title = f"{k}-mers"
    if 4**k > TABLE_ROWS:
        title += f": the {TABLE_ROWS} of {4**k:,} that add most to the distance"
    bases = (largest[:, None] >> (2 * np.arange(k - 1, -1, -1))) & 3
    return pd.DataFrame(
        {
            "view": title,
            "quantity": "share of the k-mers",
            "kmer": SequenceSet(bases.astype(np.uint8)).strings(),
            "generated": p[largest],
            "reference": q[largest],
            "contribution": terms[order] / (terms.sum() or 1.0),
        }
    )
