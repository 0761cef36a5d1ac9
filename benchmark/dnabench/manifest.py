"""What a run's directory says of itself: ``manifest.json``, read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnabench.errors import UserError
from dnabench.plan import Plan, holds

NAME = "manifest.json"
# What a report takes from the provenance, and of what type.
_PROVENANCE: dict[str, Any] = {
    "git": dict[str, dict[str, Any]], "gpus": list[dict[str, Any]], "packages": dict[str, Any], "code": dict[str, Any],
    "numerics": dict[str, Any], "environment": dict[str, Any], "command": list[str],
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A run's plan, and the provenance of its last attempt."""

    plan: Plan
    provenance: dict[str, Any]


def read(directory: Path) -> Manifest:
    """The manifest of the run in ``directory``. UserError where there is none, or none of this version of dnabench."""
    path = directory / NAME
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        provenance = about["provenance"]
        if not isinstance(provenance, dict):
            raise TypeError(f"provenance is {provenance!r:.60}")
        for name, hint in _PROVENANCE.items():
            if name in provenance and not holds(provenance[name], hint):
                raise TypeError(f"provenance.{name} is {provenance[name]!r:.60}")
        return Manifest(plan=Plan.from_json(about["plan"]), provenance=provenance)
    except OSError:
        raise UserError(f"{directory}: not the directory of a run: it has no {path.name}") from None
    except KeyError as error:
        raise UserError(f"{path}: not a manifest of this version of dnabench: it has no {error}") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{path}: not a manifest of this version of dnabench: {error}") from None
