"""What an engine is handed for a cell, and what comes back: plain data, for any process on any machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dnabench.plan import Cell, Plan

SCHEMA = 1

DONE, FAILED, TIMEOUT, CRASHED, OOM, SKIPPED, INTERRUPTED = (
    "done", "failed", "timeout", "crashed", "oom", "skipped", "interrupted",
)  # fmt: skip
FAILURES = (FAILED, TIMEOUT, CRASHED, OOM)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the cells of a run find what they work on, alike for all of them.

    Attributes:
        store: the store's directory.
        since: what is older in it is not reused (see :class:`dnabench.store.Store`).
        parts: the directory of the split sequences.
        blocked, allowed: the plugins to leave out, and those to use (empty: all).
        code: package -> its digest, and what must have which version: a cell that finds anything else is refused.
        pythons: generator -> the interpreter that its cells run in, for those of another environment.
        checkpoint_seconds: how long a training goes on without a checkpoint, at least.
    """

    store: str
    since: int
    parts: str
    blocked: tuple[str, ...]
    allowed: tuple[str, ...]
    code: Mapping[str, str]
    pythons: Mapping[str, str]
    checkpoint_seconds: float


@dataclass(frozen=True, kw_only=True)
class Order:
    """One cell to be executed.

    Attributes:
        key: what its result is called in the store.
        key_parts: what the key is made of.
        input: the key of the model that a sample cell draws from, or of the sample that is scored.
    """

    site: Site
    plan: Plan
    cell: Cell
    key: str
    key_parts: Mapping[str, Any]
    input: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data for another process."""
        return {
            "schema": SCHEMA,
            "task": "cell",
            "site": dataclasses.asdict(self.site),
            "plan": self.plan.to_json(),
            "cell": dataclasses.asdict(self.cell),
            "key": self.key,
            "key_parts": dict(self.key_parts),
            "input": self.input,
            "python": self.python,
        }

    @property
    def python(self) -> str:
        """The interpreter that it is for; empty for this one."""
        if self.cell.metric:
            return ""
        return self.site.pythons.get(self.plan.generator(self.cell.generator).plugin, "")

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Order:
        """The order that :meth:`to_json` wrote. ValueError for one of another schema."""
        if plain.get("schema") != SCHEMA:
            raise ValueError(f"an order of schema {plain.get('schema')!r}; this version of dnabench knows {SCHEMA}")
        site = plain["site"]
        return cls(
            site=Site(**site | {"blocked": tuple(site["blocked"]), "allowed": tuple(site["allowed"])}),
            plan=Plan.from_json(plain["plan"]),
            cell=Cell(**plain["cell"]),
            key=plain["key"],
            key_parts=plain["key_parts"],
            input=plain["input"],
        )


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """How a cell ended.

    Attributes:
        status: ``done``, ``failed`` (it raised), ``timeout``, ``crashed`` (its process died), ``oom`` (out of memory),
            ``skipped`` (what it needs is missing) or ``interrupted``.
        error: one line, with the last lines of the cell's log where it failed.
        answer: what it found. Of a score cell ``slices``: slice -> status, error and score record, ``all`` first; of a
            floor cell the score record as ``record``; of a sample cell ``sha256`` of the sequences. Of a train or
            sample cell ``seconds``, which it took when it was made.
        key: what its result is called in the store; empty where nothing was computed.
        cached: whether the store had it.
        seconds, peak_memory_mb: of this execution, or the seconds of that which the store has kept; the memory is the
            most that was resident.
        log: the end of what it printed.
        stack: where it was when it raised, died or was stopped.
        warnings: what it warned of.
        worker: where it ran; empty for this machine.
        directory: the run's.
    """

    cell: Cell
    status: str
    error: str = ""
    answer: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    key: str = ""
    cached: bool = False
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    log: str = ""
    stack: str = ""
    warnings: tuple[str, ...] = ()
    worker: str = ""
    directory: str = ""

    @property
    def failed(self) -> bool:
        """Whether it went wrong by itself."""
        return self.status in FAILURES

    @classmethod
    def from_answer(cls, cell: Cell, key: str, plain: Mapping[str, Any]) -> CellResult:
        """The result that a process answered with."""
        known = {field.name for field in dataclasses.fields(cls)}
        values = {name: value for name, value in plain.items() if name in known}
        values["warnings"] = tuple(values.get("warnings", ()))
        kept = values.get("answer", {}).get("seconds")
        if kept is not None or values.get("cached"):  # the same whether it has just been made or not
            values["seconds"] = kept or 0.0
        return cls(**values | {"cell": cell, "key": key})
