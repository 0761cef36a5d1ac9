"""What of a set of sequences decides whether a plugin is for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.data.source import Data
    from dnabench.specs import GeneratorSpec, MetricSpec


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What of a set of sequences decides whether a plugin is for it.

    Attributes:
        length: of its sequences, in bp.
        cropped: whether they were longer.
        labels: the columns.
    """

    name: str
    length: int
    cropped: bool
    labels: tuple[str, ...]

    @classmethod
    def of(cls, data: Data) -> Traits:
        """Those of a run's data."""
        return cls(name=data.name, length=data.length, cropped=data.cropped, labels=tuple(data.train.labels.columns))


def check_data(spec: GeneratorSpec | MetricSpec, data: Traits) -> None:
    """UserError where a plugin is for other data sets."""
    if spec.datasets and data.name not in spec.datasets:
        raise UserError(
            f"{spec.noun} {spec.name} is for data set {', '.join(spec.datasets)} alone, not for {data.name}"
        )
    if spec.datasets and data.cropped:
        raise UserError(f"{spec.noun} {spec.name} is for whole sequences of {data.name}; --length crops them")
