"""`c2st`: whether a classifier can tell generated from real sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dnabench import MetricSpec, option

#: The fewest sequences on a side: half of them are held out.
FEWEST = 50


@dataclass(frozen=True)
class C2STOptions:
    """Options of `c2st`."""

    classifier: Literal["trees", "cnn"] = option(
        "trees", "`trees`: gradient-boosted trees on k-mers and places; `cnn`: a small convolutional network"
    )
    training: int = option(2_500, "sequences a side, at most, that it is trained on; at most half of them", minimum=25)
    most: int = option(10_000, "sequences a side that are used, at most", minimum=FEWEST)
    repeats: Literal["count", "once"] = option(
        "count", "`count`: what a side repeats is used with all its copies, so that repeating shows; `once`: once"
    )
    epochs: int = option(10, "cnn only: passes over the training sequences", minimum=1)
    seed: int = option(
        0, "seed of the split and of the network, the same for every generator", minimum=0, maximum=2**63 - 1
    )


def metrics() -> Iterator[MetricSpec]:
    """Yield the record."""
    yield MetricSpec(
        name="c2st",
        target="dnabench_metrics.classifier.c2st:ClassifierTwoSampleTest",
        summary="how well a classifier tells generated from real sequences: 0.5 + |held-out AUROC - 0.5|",
        direction="lower",
        family="sequence",
        min_samples=FEWEST,
        options=C2STOptions,
        citation="Lopez-Paz and Oquab 2017, arXiv 1610.06545; DeLong et al. 1988, Biometrics 44:837",
    )
