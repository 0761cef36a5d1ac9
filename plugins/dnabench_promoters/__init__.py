"""dnabench plugin: promoter datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnabench import DatasetSpec, hookimpl
from dnabench_promoters.options import SimulatorOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@hookimpl
def dnabench_datasets() -> Iterator[DatasetSpec]:
    """The promoter datasets."""
    yield DatasetSpec(
        name="promoters-sim",
        target="dnabench_promoters.simulator:PromoterSimulator",
        summary="simulated promoters of six species with known truth and an exact log-likelihood",
        options=SimulatorOptions,
        citation="Bucher 1990, J Mol Biol 212:563-578 (motif count matrices)",
    )
