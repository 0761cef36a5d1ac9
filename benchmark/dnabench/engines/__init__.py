"""Engines: where and how cells are executed. All of them run a cell in a process of its own (see ``sandbox``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a cell takes up while it runs.

    Attributes:
        processes: how many processes compute at once.
        gpus: how many GPUs they have to themselves.
    """

    processes: int = 1
    gpus: int = 0


@dataclass(frozen=True, kw_only=True)
class Started:
    """A cell has begun."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Progressed:
    """How far a running cell is, as its plugin says."""

    name: str
    done: int
    total: int
    stage: str


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A cell has ended; ``answer`` is what :func:`dnabench.cell.execute` returned, or what became of its process."""

    name: str
    answer: Mapping[str, Any]


Event = Started | Progressed | Ended


class Engine(Protocol):
    """Executes orders, each a JSON-ready mapping, as many at once as there is room for."""

    def submit(self, name: str, order: Mapping[str, Any], needs: Needs) -> None:
        """Have ``order`` executed; of those that wait, the one submitted first begins first."""

    def events(self) -> Iterator[Event]:
        """What happens, until all that was submitted, meanwhile too, has ended."""

    def cancel(self) -> None:
        """End what runs and forget what waits. Within a second or two no process of any cell is left."""

    def close(self) -> None:
        """Let go of workers and connections."""
