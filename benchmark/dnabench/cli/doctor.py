"""``dnabench doctor``."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import dnabench
from dnabench.cli import common

if TYPE_CHECKING:
    from dnabench.plugins import Catalog

# ``name>=1.2`` of the distribution's requirements, perhaps with ``; extra == 'dask'``.
_REQUIREMENT = re.compile(r"([\w.-]+)\s*(?:>=\s*([\d.]+))?.*?(?:extra == ['\"]([\w-]+)['\"])?$")


@click.command("doctor")
@common.store_option
@common.format_option("table", "json")
@common.plugin_options
def command(store_directory: Path | None, format: str, blocked: tuple[str, ...], debug: bool) -> int:  # noqa: ARG001
    """Say what dnabench finds here, for a report of a bug; exit code 1 where something is broken.

    Versions, the machine and its devices, the store, and every plugin with what is wrong with it.
    """
    from dnabench.cli import ExitCode
    from dnabench.plugins import load_catalog

    catalog = load_catalog(blocked)  # before torch is imported: then it shows which plugins import it
    with common.stdout_for_results():
        found = _examine(catalog, blocked, store_directory)
    if format == "json":
        from dnabench.cli import render

        render.print_json(found)
    else:
        for line in _lines(found):
            click.echo(line)
    return ExitCode.SOME_FAILED if found["broken"] else ExitCode.DONE


def _examine(catalog: Catalog, blocked: tuple[str, ...], store: Path | None) -> dict[str, Any]:
    from dnabench.plugins import allowed_plugins
    from dnabench.provenance import VARIABLES, git_state

    # As it was given: torch's settings add to it.
    environment = {name: value for name, value in sorted(os.environ.items()) if VARIABLES.fullmatch(name)}
    found: dict[str, Any] = {
        "dnabench": {
            "version": dnabench.__version__,
            "api_version": dnabench.API_VERSION,
            "directory": str(Path(dnabench.__file__).parent),
            "git": git_state("dnabench"),
        },
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "libraries": list(_libraries()),
        "machine": _machine(),
        "store": _store(store),
        "environment": environment,
        "allowed": allowed_plugins(),
        "blocked": sorted(blocked),
        "plugins": _plugins(catalog),
        "clashes": catalog.clashes(),
    }
    return {"broken": list(_broken(found, catalog)), **found}


def _broken(found: Mapping[str, Any], catalog: Catalog) -> Iterator[str]:
    """A line for each thing that has to be mended."""
    for library in found["libraries"]:
        if library["state"] != "ok" and not library["extra"]:
            yield f"{library['name']} {library['version'] or 'is not installed'}: {library['wanted']} is needed"
    if error := found["machine"].get("error"):
        yield f"torch cannot be used: {error}"
    for index, gpu in enumerate(found["machine"].get("gpus", ())):
        if "error" in gpu:
            yield f"cuda:{index} cannot be used: {gpu['error']}"
    if error := found["store"]["error"]:
        yield f"{found['store']['directory']}: the store cannot be written: {error}; choose another with --store"
    yield from map(str, catalog.failures)
    yield from found["clashes"]


def _libraries() -> Iterator[dict[str, Any]]:
    """What dnabench requires, and what its extras do where it is installed."""
    try:
        requirements = importlib.metadata.requires("dnabench") or []
    except importlib.metadata.PackageNotFoundError:  # a tree on the path, not installed
        return
    for text in requirements:
        requirement = _REQUIREMENT.match(text)
        if requirement is None or requirement[3] == "test":
            continue
        name, least, extra = requirement.groups()
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            state, version = "missing", ""
        else:
            state = "old" if least and _numbers(version) < _numbers(least) else "ok"
        wanted = f">={least}" if least else "any version"
        yield {"name": name, "version": version, "wanted": wanted, "extra": extra or "", "state": state}


def _numbers(version: str) -> list[int]:
    """The release of a version, without zeros at its end, in a form that compares."""
    release = re.match(r"[\d.]*", version)
    return [int(part) for part in re.sub(r"(\.0*)+$", "", release[0] if release else "").split(".") if part]


def _machine() -> dict[str, Any]:
    from dnabench.engines.local import cores
    from dnabench.provenance import machine

    try:
        return {"cores": cores(), **machine()}
    except Exception as error:  # noqa: BLE001 - an incomplete installation of torch raises anything
        return {"cores": cores(), "platform": platform.platform(), "error": f"{type(error).__name__}: {error}"}


def _store(directory: Path | None) -> dict[str, Any]:
    """Where the store is, and whether it can be written, or made where there is none yet."""
    from dnabench.store import default_root

    root = (directory or default_root()).absolute()
    error, exists, free = "", False, None
    try:
        exists = root.exists()
        there = next(path for path in (root, *root.parents) if path.exists())
        free = shutil.disk_usage(there).free
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(b"dnabench")
    except OSError as problem:
        error = problem.strerror or str(problem)
    return {"directory": str(root), "exists": exists, "free_bytes": free, "error": error}


def _plugins(catalog: Catalog) -> list[dict[str, Any]]:
    rows = []
    for plugin in sorted((*catalog.loaded, *catalog.left_out), key=lambda plugin: (plugin.name, plugin.title)):
        findings = [finding for finding in catalog.findings if finding.plugin is plugin]
        state = "failed" if any(finding.failed for finding in findings) else "warning" if findings else "ok"
        about = {"plugin": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        state = "left out" if plugin in catalog.left_out else state
        rows.append({**about, "state": state, "reasons": [finding.reason for finding in findings]})
    return rows


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    from dnabench.cli.store.reports import size_text

    about, machine, store = found["dnabench"], found["machine"], found["store"]
    revision = f", revision {about['git']['revision']}{' with changes' * about['git']['dirty']}" if about["git"] else ""
    yield f"dnabench {about['version']} (API {about['api_version']}) in {about['directory']}{revision}"
    yield f"Python {found['python']['version']}, {found['python']['executable']}"
    yield machine["platform"]
    if "error" not in machine:
        yield ""
        yield "devices"
        capability = machine["numerics"]["cpu_capability"]
        yield f"  cpu     {machine['processor']}, {machine['cores']} of {machine['cpus']} cores, {capability}"
        for index, gpu in enumerate(machine["gpus"]):
            if "error" in gpu:
                yield f"  cuda:{index}  {gpu['error']}"
                continue
            yield f"  cuda:{index}  {gpu['name']}, {size_text(gpu['memory'])}, capability {gpu['capability']}"
        yield f"  torch takes {machine['numerics']['threads']} threads; CUDA {machine['cuda'] or 'is not built in'}"
    yield ""
    yield "libraries"
    for library in found["libraries"]:
        extra = f"  (extra {library['extra']})" if library["extra"] else ""
        state = "" if library["state"] == "ok" else f"  {library['state']}: {library['wanted']}"
        yield f"  {library['name']} {library['version'] or '-'}{state}{extra}"
    yield ""
    yield "store"
    free = "" if store["free_bytes"] is None else f", {size_text(store['free_bytes'])} free"
    writable = store["error"] or ("writable" if store["exists"] else "can be made")
    yield f"  {store['directory']}: {writable}{free}"
    yield ""
    yield "plugins"
    width = max((len(row["plugin"]) for row in found["plugins"]), default=0)
    for row in found["plugins"]:
        yield f"  {row['state']:8}  {row['plugin']:{width}}  {row['distribution']} {row['version']}".rstrip()
        yield from (f"            {reason}" for reason in row["reasons"])
    yield from (f"  clash     {clash}" for clash in found["clashes"])
    if found["allowed"] or found["blocked"]:
        yield f"  allowed: {', '.join(found['allowed']) or 'all'}; left out: {', '.join(found['blocked']) or 'none'}"
    if found["environment"]:
        yield ""
        yield "environment"
        yield from (f"  {name}={value}" for name, value in found["environment"].items())
    yield ""
    yield from (f"broken: {line}" for line in found["broken"])
    if not found["broken"]:
        yield "nothing is broken"
