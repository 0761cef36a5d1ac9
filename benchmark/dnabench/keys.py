"""What a stored result is called: a sha256 over everything it depends on, and nothing else."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = 1


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def key(kind: str, parts: Mapping[str, Any]) -> str:
    """The name of a result of this kind that depends on ``parts``."""
    return hashlib.sha256(canonical({"schema": SCHEMA, "kind": kind, **parts}).encode()).hexdigest()


@cache
def versions() -> list[str]:
    """What numbers rest on beside a plugin's own code: the versions of dnabench and torch."""
    return [importlib.metadata.version(name) for name in ("dnabench", "torch")]


@cache
def package_digest(target: str) -> str:
    """sha256 over the files of the top-level package that ``target`` (``module:Class``) lives in; imports nothing."""
    name = target.partition(":")[0].partition(".")[0]
    found = importlib.util.find_spec(name)
    if found is None:
        return ""
    if found.submodule_search_locations:
        root = Path(next(iter(found.submodule_search_locations)))
        files = sorted(p for p in root.rglob("*") if p.is_file() and not _is_cache(p.relative_to(root)))
    else:
        root = Path(found.origin or "").parent
        files = [Path(found.origin or "")]
    state = hashlib.sha256()
    for file in files:
        state.update(f"{file.relative_to(root).as_posix()}\n{file.stat().st_size}\n".encode())
        state.update(file.read_bytes())
    return state.hexdigest()


def _is_cache(path: Path) -> bool:
    return any(part == "__pycache__" or part.startswith(".") for part in path.parts)
