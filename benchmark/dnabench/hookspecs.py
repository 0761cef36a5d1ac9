"""The hooks a plugin may implement. A package offers them through the entry-point group ``dnabench``::

    [project.entry-points.dnabench]
    my-package = "my_package"

The module named there holds the hook implementations and imports nothing heavy. Beside them it may say which version of
hooks, records and protocols it was written for (``dnabench.API_VERSION``)::

    dnabench_api_version = 1

A dnabench of another version then leaves it out and says why. Without the line, it is tried as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from dnabench.orders import CellResult
    from dnabench.plan import Cell
    from dnabench.specs import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec

PROJECT = "dnabench"
API_VERSION = 1  # raised when a plugin that worked may no longer
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """What dnabench asks of plugins. Every hook yields frozen records; none may import torch."""

    @hookspec
    def dnabench_generators(self) -> Iterable[GeneratorSpec]:
        """Yield the generators of this package::

        @hookimpl
        def dnabench_generators():
            yield GeneratorSpec(name="my-model", target="my_package.model:MyModel",
                                summary="what it is, in a line", options=MyOptions)
        """
        yield from ()

    @hookspec
    def dnabench_metrics(self) -> Iterable[MetricSpec]:
        """Yield the metrics of this package::

        @hookimpl
        def dnabench_metrics():
            yield MetricSpec(name="my-score", target="my_package.score:MyScore",
                             summary="what it sees, in a line", direction="lower")
        """
        yield from ()

    @hookspec
    def dnabench_embedders(self) -> Iterable[EmbedderSpec]:
        """Yield the embedders of this package::

        @hookimpl
        def dnabench_embedders():
            yield EmbedderSpec(name="my-encoder", target="my_package.encoder:MyEncoder",
                               summary="what it sees, in a line", dimension=128)
        """
        yield from ()

    @hookspec
    def dnabench_datasets(self) -> Iterable[DatasetSpec]:
        """Yield the datasets of this package::

        @hookimpl
        def dnabench_datasets():
            yield DatasetSpec(name="my-promoters", target="my_package.data:MyPromoters",
                              summary="what it holds, in a line")
        """
        yield from ()

    @hookspec
    def dnabench_cell_finished(self, cell: Cell, result: CellResult) -> None:
        """Observe a finished cell. An exception raised here is reported and changes nothing."""
