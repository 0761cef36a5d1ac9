"""`kmer-js`, `gc`, `diversity`, `uniqueness`: metrics on the sequences themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dnabench import MetricSpec, option

#: The fewest sequences a side from whose pairs a standard error can be estimated.
DIVERSITY_SEQUENCES = 10


@dataclass(frozen=True)
class KmerJSOptions:
    """Options of `kmer-js`."""

    k: int = option(6, "bases in a k-mer", minimum=1, maximum=10)


@dataclass(frozen=True)
class DiversityOptions:
    """Options of `diversity`."""

    pairs: int = option(10_000, "pairs of sequences drawn on each side, or all where there are no more", minimum=100)
    seed: int = option(0, "seed of the pairs, the same for every generator", minimum=0)


def metrics() -> Iterator[MetricSpec]:
    """Yield the records."""
    yield MetricSpec(
        name="kmer-js",
        target="dnabench_metrics.sequences.kmer_js:KmerJS",
        summary="Jensen-Shannon distance (base 2, 0 to 1) between the pooled spectra of overlapping k-mers",
        direction="lower",
        family="sequence",
        options=KmerJSOptions,
        citation="Lin 1991, IEEE Trans Inf Theory 37:145; Endres and Schindelin 2003, IEEE Trans Inf Theory 49:1858",
    )
    yield MetricSpec(
        name="gc",
        target="dnabench_metrics.sequences.gc:GCContent",
        summary="1-Wasserstein distance between the distributions of the sequences' GC content",
        direction="lower",
        family="sequence",
        citation="Vallender 1974, Theory Probab Appl 18:784",
    )
    yield MetricSpec(
        name="diversity",
        target="dnabench_metrics.sequences.diversity:Diversity",
        summary="how far the mean edit distance between sequences is from the real set's, as a fraction of it",
        direction="lower",
        family="sequence",
        min_samples=DIVERSITY_SEQUENCES,
        options=DiversityOptions,
        citation="Li et al. 2023, arXiv 2310.06150; Myers 1999, J ACM 46:395",
    )
    yield MetricSpec(
        name="uniqueness",
        target="dnabench_metrics.sequences.uniqueness:Uniqueness",
        summary="distinct sequences among the generated ones, as a fraction of their number",
        direction="higher",
        family="sequence",
        citation="Polykovskiy et al. 2020, Front Pharmacol 11:565644; Chao et al. 2014, Ecol Monogr 84:45",
    )
