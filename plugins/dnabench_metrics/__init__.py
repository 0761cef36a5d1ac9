"""dnabench plugin: distances between real and generated DNA, and the embedders they work on.

Metrics `fred`, `swd`, `mmd` (on features) and `motif-kl` (on sequences); embedders `ae` and `kmer`. This module holds
the records alone and imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import EmbedderSpec, MetricSpec, hookimpl
from dnabench_metrics.options import MMDOptions, MotifKLOptions, SWDOptions


@hookimpl
def dnabench_metrics() -> Iterator[MetricSpec]:
    """Yield the records of the four distances; lower is better in all."""
    yield MetricSpec(
        name="fred",
        target="dnabench_metrics.frechet:FrechetDistance",
        summary="Fréchet distance between Gaussians fitted to the embeddings (FReD on the embedder `ae`)",
        direction="lower",
        embedder="ae",
        samples_exceed_dimension=True,
        citation="Dowson and Landau 1982, J Multivar Anal 12:450; Li et al. 2023, arXiv 2310.06150",
    )
    yield MetricSpec(
        name="swd",
        target="dnabench_metrics.swd:SlicedWasserstein",
        summary="sliced 2-Wasserstein distance between the embeddings, over fixed random projections",
        direction="lower",
        embedder="ae",
        options=SWDOptions,
        citation="Bonneel et al. 2015, J Math Imaging Vis 51:22",
    )
    yield MetricSpec(
        name="mmd",
        target="dnabench_metrics.mmd:MaximumMeanDiscrepancy",
        summary="unbiased squared maximum mean discrepancy of the embeddings, RBF kernels of several bandwidths",
        direction="lower",
        version=2,  # 2: a bandwidth where most of the reference coincides, and embeddings of any magnitude
        embedder="ae",
        options=MMDOptions,
        citation="Gretton et al. 2012, JMLR 13:723",
    )
    yield MetricSpec(
        name="motif-kl",
        target="dnabench_metrics.motifs.divergence:MotifKL",
        summary="KL divergence (nats) of where the best hit of each core-promoter motif lies, real from generated",
        direction="lower",
        options=MotifKLOptions,
        citation="matrices: Bucher 1990, J Mol Biol 212:563",
    )


@hookimpl
def dnabench_embedders() -> Iterator[EmbedderSpec]:
    """Yield the records of the two embedders."""
    yield EmbedderSpec(
        name="ae",
        target="dnabench_metrics.ae.embedder:Autoencoder",
        summary="convolutional autoencoder trained on promoters of 15 species, in eight position bins",
        dimension=64,
        min_length=64,
    )
    yield EmbedderSpec(
        name="kmer",
        target="dnabench_metrics.kmer:KmerFrequencies",
        summary="frequencies of the 256 4-mers",
        dimension=256,
        min_length=4,
    )
