"""dnabench: an open benchmark of models that generate DNA.

What a plugin author may import is exported here, and nothing is imported before it is used. ``dnabench.training`` is
open to them too. ``dnabench.run`` and ``dnabench.score`` are for everyone who has a model or sequences at hand.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from dnabench.api import Comparison, Scores, run, score
    from dnabench.checkpoint import Checkpoint
    from dnabench.context import Context
    from dnabench.errors import UserError
    from dnabench.hookspecs import API_VERSION, hookimpl
    from dnabench.labels import LabelCodes
    from dnabench.options import option
    from dnabench.orders import CellResult
    from dnabench.plan import Cell
    from dnabench.protocols import (
        Dataset,
        Embedder,
        FetchedDataset,
        FetchedFile,
        FetchedSet,
        Fetcher,
        FittedEmbedder,
        Generator,
        Metric,
        Score,
    )
    from dnabench.sequences import SequenceSet
    from dnabench.specs import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec

_HOME = {
    "API_VERSION": "hookspecs",
    "Cell": "plan",
    "CellResult": "orders",
    "Checkpoint": "checkpoint",
    "Comparison": "api",
    "Context": "context",
    "Dataset": "protocols",
    "DatasetSpec": "specs",
    "Embedder": "protocols",
    "EmbedderSpec": "specs",
    "FetchedDataset": "protocols",
    "FetchedFile": "protocols",
    "FetchedSet": "protocols",
    "Fetcher": "protocols",
    "FittedEmbedder": "protocols",
    "Generator": "protocols",
    "GeneratorSpec": "specs",
    "LabelCodes": "labels",
    "Metric": "protocols",
    "MetricSpec": "specs",
    "Score": "protocols",
    "Scores": "api",
    "SequenceSet": "sequences",
    "UserError": "errors",
    "hookimpl": "hookspecs",
    "option": "options",
    "run": "api",
    "score": "api",
}

__all__ = [
    "API_VERSION",
    "Cell",
    "CellResult",
    "Checkpoint",
    "Comparison",
    "Context",
    "Dataset",
    "DatasetSpec",
    "Embedder",
    "EmbedderSpec",
    "FetchedDataset",
    "FetchedFile",
    "FetchedSet",
    "Fetcher",
    "FittedEmbedder",
    "Generator",
    "GeneratorSpec",
    "LabelCodes",
    "Metric",
    "MetricSpec",
    "Score",
    "Scores",
    "SequenceSet",
    "UserError",
    "hookimpl",
    "option",
    "run",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dnabench' has no attribute {name!r}")
    return getattr(import_module(f"dnabench.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
