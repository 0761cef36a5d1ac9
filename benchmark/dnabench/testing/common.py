"""Checks of plugins of every kind: what a record promises."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dnabench import options
from dnabench.errors import UserError
from dnabench.plugins import resolve
from dnabench.specs import EmbedderSpec, GeneratorSpec, MetricSpec, Spec
from dnabench.testing.fresh import environment
from dnabench.testing.outcomes import Check, SkippedError, broken, promised

if TYPE_CHECKING:
    from dnabench.testing.subject import Subject

CHECKS: list[Check] = []

_LIST = """
import json, sys
from dnabench.plugins import load_catalog
print(json.dumps([finding.reason for finding in load_catalog(allowed=[sys.argv[1]]).findings]))
"""


@promised(CHECKS)
def light_import(subject: Subject) -> None:
    """Its records come without heavy packages being imported, and nothing is printed meanwhile."""
    command = [sys.executable, "-c", _LIST, subject.offer.plugin]
    done = subprocess.run(
        command, cwd=subject.new_directory("list"), env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        broken("the records in a fresh process", done.stderr.strip().splitlines()[-1], "Mend the import.")
    for finding in json.loads(done.stdout):
        broken(
            f"an entry point {subject.offer.plugin} of which dnabench doctor finds nothing wrong", finding, "Mend it."
        )


@promised(CHECKS)
def options_round_trip(subject: Subject) -> None:
    """Options survive JSON (the manifest) and text (``--set``), and every preset can be built."""
    spec, base = subject.spec, _needed(subject)
    for preset in ({}, *getattr(spec, "presets", {}).values(), subject.setup.options):
        try:
            built = options.build(spec.options, spec.name, base, preset)
            again = options.build(spec.options, spec.name, json.loads(json.dumps(options.as_dict(built))))
        except (UserError, TypeError) as error:
            broken("options that JSON holds and that can be built from it", str(error), "Mend type, default or preset.")
        if again != built:
            broken(f"{built} again", str(again), "Use numbers, texts, truth values, None and tuples of them.")
    defaults = options.build(spec.options, spec.name, base)
    for name, value in vars(defaults).items() if defaults is not None else ():
        text = "none" if value is None else ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        if not text:
            continue  # an empty tuple or text: --set has no way to say so, and no need
        try:
            built = options.build(spec.options, spec.name, base, {name: text})
        except UserError as error:
            broken(f"--set {spec.name}.{name}={text} to be its default", str(error), "Mend the type or the default.")
        if built != defaults:
            seen = str(getattr(built, name))
            broken(f"--set {spec.name}.{name}={text} to be its default", seen, "Mend the type or the default.")


def _needed(subject: Subject) -> Mapping[str, Any]:
    """Nothing; of a plugin that cannot do without settings, such as a command, those of the setup."""
    try:
        options.build(subject.spec.options, subject.spec.name)
    except UserError:
        return subject.setup.options
    return {}


@promised(CHECKS, needs=("options_round_trip",))
def constructed(subject: Subject) -> None:
    """The target is there, is constructed from the options, and has the methods of its kind."""
    spec: Spec = subject.spec
    try:
        resolve(spec)
    except (ImportError, AttributeError) as error:
        broken(f"{spec.target} to be importable", str(error), "Mend the record's target.")
    try:
        instance = subject.construct()
    except UserError as error:  # weights that the user has to fetch, say
        raise SkippedError(f"it cannot be constructed as it stands: {error}") from None
    missing = [method for method in _methods(spec) if not callable(getattr(instance, method, None))]
    if missing:
        broken(f"methods {', '.join(_methods(spec))}", f"no {', '.join(missing)}", f"See dnabench.{spec.noun.title()}.")


def _methods(spec: Spec) -> tuple[str, ...]:
    if isinstance(spec, GeneratorSpec):
        return ("fit", "sample", "save", "load")
    if isinstance(spec, MetricSpec):
        return ("score",)
    if isinstance(spec, EmbedderSpec):
        return ("embed", "fit", "save", "load", "digest") if spec.needs_training else ("embed",)
    return ("fetch",) if getattr(spec, "sets", ()) or getattr(spec, "files", ()) else ("load",)
