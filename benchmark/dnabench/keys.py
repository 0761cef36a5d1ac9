"""What a stored result is called: a sha256 over everything it depends on, and nothing else."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dnabench.errors import UserError

SCHEMA = 2


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def key(kind: str, parts: Mapping[str, Any]) -> str:
    """The name of a result of this kind that depends on ``parts``."""
    return hashlib.sha256(canonical({"schema": SCHEMA, "kind": kind, **parts}).encode()).hexdigest()


def numerics(device: str, threads: int, core: str, packages: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What numbers rest on beside inputs and a plugin's own code.

    Args:
        core: the digest of dnabench itself.
        packages: package -> version, of another environment than this one.
    """
    version = importlib.metadata.version if packages is None else lambda name: packages.get(name, "")
    versions = {name: version(name) for name in ("torch", "numpy", "scipy")}
    return {"device": device.partition(":")[0], "threads": threads, "core": core, **versions}


def code_of(packages: Iterable[str]) -> dict[str, str]:
    """What the code of a run amounts to: package -> digest, and the version of torch."""
    digests = {name: package_digest(name) for name in sorted({"dnabench", *packages})}
    return {"torch": importlib.metadata.version("torch"), **digests}


def check_code(expected: Mapping[str, str]) -> None:
    """UserError when the code here is not what it was, or is elsewhere: results would be stored under a wrong key."""
    here = code_of(expected.keys() - {"torch"})
    for name in expected:
        if here[name] != expected[name]:
            known = {
                digest: digest if name == "torch" else digest[:12] or "nothing"
                for digest in (here[name], expected[name])
            }
            raise UserError(
                f"{name} is not what the run began with: {known[here[name]]} here, {known[expected[name]]} there; "
                f"have one version everywhere and start the same command again"
            )


def package_of(target: str) -> str:
    """The top-level package that ``target`` (``module:Class``) lives in."""
    return target.partition(":")[0].partition(".")[0]


def package_digest(name: str) -> str:
    """sha256 over the files of the top-level package or module ``name``, empty where there is none; imports nothing."""
    found = importlib.util.find_spec(name)
    if found is None:
        return ""
    if found.submodule_search_locations:
        root = next(iter(found.submodule_search_locations))
        files = sorted(_files(root))
    else:
        root, _, file = str(found.origin).rpartition(os.sep)
        files = [file]
    state = hashlib.sha256()
    for file in files:
        with open(os.path.join(root, file), "rb") as stream:  # noqa: PTH118, PTH123 - every cell does this: it is fast
            content = stream.read()
        state.update(f"{file}\n{len(content)}\n".encode() + content)
    return state.hexdigest()


def _files(root: str) -> Iterator[str]:
    """Every file below a directory, relative to it, with ``/``, without caches and hidden ones."""
    for directory, folders, names in os.walk(root):
        folders[:] = [folder for folder in folders if folder != "__pycache__" and not folder.startswith(".")]
        below = directory[len(root) + 1 :].replace(os.sep, "/")
        yield from (f"{below}/{name}" if below else name for name in names if not name.startswith("."))
