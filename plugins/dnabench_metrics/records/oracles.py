"""Models that predict activity or chromatin from sequence: the metric `oracle`, their embeddings and weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dnabench import DatasetSpec, EmbedderSpec, MetricSpec, option

#: What `oracle.model` starts with where a file of the user's own follows.
TORCHSCRIPT = "torchscript:"

_SHA256 = "sha256 that the file of weights must have, in hexadecimal; empty: any"
_STRANDS = "`forward` reads the sequence as it is, `both` averages it with its reverse complement"
_WINDOW = (
    "index from 0 of the first of the 145 bp that are read; none: the middle, shorter sequences padded; "
    "111 takes the end of 256 bp"
)

Strands = Literal["forward", "both"]


@dataclass(frozen=True)
class OracleOptions:
    """Options of `oracle`."""

    model: str = option("mpra-dragonn", "`mpra-dragonn`, `sei`, or `torchscript:FILE` for a model of your own")
    weights: str = option(
        "",
        "path of the published weights, which `dnabench data fetch` brings: pretrained.hdf5 of mpra-dragonn, "
        "sei.pth of sei",
    )
    sha256: str = option("", _SHA256)
    strands: Literal["forward", "both"] = option("forward", _STRANDS)
    window: int | None = option(None, f"mpra-dragonn: {_WINDOW}", minimum=0)

    def __post_init__(self) -> None:
        scripted = self.model.startswith(TORCHSCRIPT) and self.model != TORCHSCRIPT
        if not scripted and self.model not in ("mpra-dragonn", "sei"):
            raise ValueError(f"model is {self.model!r}; it takes mpra-dragonn, sei, or torchscript:FILE")
        if scripted and self.weights:
            raise ValueError(f"model {self.model} names its file itself; weights is for mpra-dragonn and sei")
        if self.window is not None and self.model != "mpra-dragonn":
            raise ValueError(f"window is for the model mpra-dragonn, not for {self.model}")


@dataclass(frozen=True)
class SeiOptions:
    """Options of the embedder `sei`."""

    weights: str = option("", "path of the published weights, sei.pth, which `dnabench data fetch sei` brings")
    sha256: str = option("", _SHA256)
    strands: Literal["forward", "both"] = option("forward", _STRANDS)


@dataclass(frozen=True)
class MPRADragoNNOptions:
    """Options of the embedder `mpra-dragonn`."""

    weights: str = option(
        "", "path of the published weights, pretrained.hdf5, which `dnabench data fetch mpra-dragonn` brings"
    )
    sha256: str = option("", _SHA256)
    strands: Literal["forward", "both"] = option("forward", _STRANDS)
    window: int | None = option(None, _WINDOW, minimum=0)


@dataclass(frozen=True)
class SeiWeightsOptions:
    """Options of the dataset `sei`."""

    url: str = option(
        "https://zenodo.org/record/4906997/files/sei_model.tar.gz", "address of the archive that holds sei.pth, 3.3 GB"
    )
    verify: bool = option(True, "the archive's md5; false takes another archive")


@dataclass(frozen=True)
class MPRADragoNNWeightsOptions:
    """Options of the dataset `mpra-dragonn`."""

    url: str = option(
        "https://github.com/kundajelab/mpra_minimal/raw/87197541b/kipoi/ConvModel/pretrained.hdf5",
        "address of pretrained.hdf5, 1.4 MB",
    )
    verify: bool = option(True, "the file's md5; false takes another file")


def metrics() -> Iterator[MetricSpec]:
    """Yield the records."""
    yield MetricSpec(
        name="oracle",
        devices=("cpu", "cuda"),
        target="dnabench_metrics.oracles.metric:OracleAgreement",
        summary="Kolmogorov-Smirnov distance between predicted activities or chromatin profiles, mean over tracks",
        direction="lower",
        family="functional",
        options=OracleOptions,
        citation="D3: Sarkar et al. 2024, bioRxiv 2024.05.23.595630; Sei: Chen et al. 2022, Nat Genet 54:940; "
        "MPRA-DragoNN: Movva et al. 2019, PLoS ONE 14:e0218073",
    )


def embedders() -> Iterator[EmbedderSpec]:
    """Yield the records of the embedders."""
    yield EmbedderSpec(
        name="sei",
        target="dnabench_metrics.oracles.embedders:SeiFeatures",
        summary="last convolutional features of Sei, mean over positions (S-FID with `fred`); needs sei.weights",
        dimension=960,
        options=SeiOptions,
        citation="Chen et al. 2022, Nat Genet 54:940; S-FID: Li et al. 2024, arXiv 2402.06079",
    )
    yield EmbedderSpec(
        name="mpra-dragonn",
        target="dnabench_metrics.oracles.embedders:MPRADragoNNFeatures",
        summary="last convolutional features of MPRA-DragoNN, mean over positions; needs mpra-dragonn.weights",
        dimension=120,
        options=MPRADragoNNOptions,
        citation="Movva et al. 2019, PLoS ONE 14:e0218073",
    )


def datasets() -> Iterator[DatasetSpec]:
    """Yield the records of the published weights."""
    yield DatasetSpec(
        name="sei",
        target="dnabench_metrics.oracles.published:SeiWeights",
        summary="no sequences: the published weights of Sei, for `oracle` and the embedder `sei`",
        options=SeiWeightsOptions,
        citation="Chen et al. 2022, Nat Genet 54:940; doi:10.5281/zenodo.4906996",
        files=("sei.pth",),
    )
    yield DatasetSpec(
        name="mpra-dragonn",
        target="dnabench_metrics.oracles.published:MPRADragoNNWeights",
        summary="no sequences: the published weights of MPRA-DragoNN, for `oracle` and the embedder `mpra-dragonn`",
        options=MPRADragoNNWeightsOptions,
        citation="Movva et al. 2019, PLoS ONE 14:e0218073",
        files=("pretrained.hdf5",),
    )
