"""A generator that is a command of the user's: any program that writes FASTA."""

from __future__ import annotations

from collections.abc import Iterator

from dnabench import GeneratorSpec, hookimpl
from dnabench_external.options import ExternalOptions


@hookimpl
def dnabench_generators() -> Iterator[GeneratorSpec]:
    """The generator ``external``."""
    yield GeneratorSpec(
        name="external",
        target="dnabench_external.model:External",
        summary="a command of yours that writes FASTA: --set external.command='./sample.sh {n} {seed} {out}'",
        options=ExternalOptions,
        variant="name",
        devices=("cpu", "cuda"),
    )
