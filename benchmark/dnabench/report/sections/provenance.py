"""What the run was made with, and the command that makes it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dnabench.keys import canonical
from dnabench.report.plots import Table

if TYPE_CHECKING:
    from dnabench.report.collect import Run


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """The last section.

    Attributes:
        command: as it was typed.
        facts: name and text.
        tables: of generators, of packages; long ones, which a reader opens.
        failures: the table of what failed; None where nothing did.
    """

    command: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]
    failures: Table | None


def build(run: Run) -> Provenance:
    """The provenance of a run."""
    about, plan = run.provenance, run.plan
    code = about.get("git", {})
    revisions = {
        f"{state.get('revision', '')[:12]}{' with changes' * bool(state.get('dirty'))}" for state in code.values()
    }
    gpus = [str(gpu.get("name", gpu)) for gpu in about.get("gpus", [])]
    threads = about.get("numerics", {}).get("threads")
    facts = [
        ("dnabench", _version(about, "dnabench")),
        ("Code", ", ".join(sorted(revisions))),
        ("Data, sha256", plan.dataset_sha256),
        ("Python, torch", f"{about.get('python', '')}, {about.get('code', {}).get('torch', '')}"),
        ("Machine", f"{about.get('platform', '')}; {about.get('processor') or ''}; {about.get('cpus', '')} CPUs"),
        ("GPUs", ", ".join(gpus)),
        ("Threads of a cell", str(threads) if threads else ""),
        ("Environment", " ".join(f"{name}={value}" for name, value in about.get("environment", {}).items())),
    ]
    generators = Table(
        title="Generators and their options",
        columns=("generator", "plugin", "version", "distribution", "options"),
        rows=[(g.name, g.plugin, str(g.version), g.distribution, canonical(g.options)) for g in plan.generators],
        numbers=frozenset({"version"}),
    )
    packages = Table(
        title="Installed packages",
        columns=("package", "version"),
        rows=[(name, str(version)) for name, version in about.get("packages", {}).items()],
    )
    return Provenance(
        command=shlex.join(_command(about.get("command", []))),
        facts=[(name, text) for name, text in facts if text.strip(";, ")],
        tables=[generators, packages],
        failures=_failures(run),
    )


def _command(words: Sequence[Any]) -> list[str]:
    """The command without the place of the program on the machine."""
    first, *rest = [str(word) for word in words] or [""]
    return [first.rpartition("/")[2], *rest]


def _version(about: Mapping[str, Any], name: str) -> str:
    return str(about.get("packages", {}).get(name, ""))


def _failures(run: Run) -> Table | None:
    failed = {cell: event for cell, event in run.ended.items() if event.get("status") not in ("done", "skipped")}
    if not failed:
        return None
    return Table(
        title="What failed",
        columns=("cell", "status", "error"),
        rows=[(cell, str(event.get("status", "")), str(event.get("error", ""))) for cell, event in failed.items()],
    )
