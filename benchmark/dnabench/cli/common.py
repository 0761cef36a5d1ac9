"""What several commands share: options, parsing of their values, warnings."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.plugins import Catalog

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "json", "csv")


def plugin_options(function: F) -> F:
    """``--no-plugin`` and ``--debug``, which every command takes."""
    function = click.option("--no-plugin", "blocked", multiple=True, metavar="NAME", help="Leave a plugin out.")(
        function
    )
    return click.option("--debug", is_flag=True, help="Show tracebacks.")(function)


def set_option(function: F) -> F:
    """``--set NAME.OPTION=VALUE``."""
    return click.option(
        "--set",
        "assignments",
        multiple=True,
        metavar="NAME.OPTION=VALUE",
        help="Set an option of a plugin; repeatable.",
    )(function)


def store_option(function: F) -> F:
    """``--store DIR``."""
    return click.option(
        "--store",
        "store_directory",
        type=click.Path(path_type=Path),
        help="Where finished work is kept.  [default: $DNABENCH_STORE, else the user's cache]",
    )(function)


def length_option(function: F) -> F:
    """``--length L``."""
    return click.option(
        "--length", type=click.IntRange(min=1), metavar="L", help="Crop sequences to their central L bp."
    )(function)


def format_option(*formats: str) -> Callable[[F], F]:
    """``--format``, of these or all of FORMATS."""
    choice = click.Choice(formats or FORMATS)
    return click.option(
        "--format", "format", type=choice, default="table", show_default=True, help="How stdout gets the result."
    )


def sequence_column_option(function: F) -> F:
    """``--sequence-column NAME``."""
    return click.option(
        "--sequence-column",
        metavar="NAME",
        help="The column of sequences in CSV, TSV and Parquet files.  [default: sequence, seq or dna]",
    )(function)


def device_option(function: F) -> F:
    """``--device``."""
    return click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")(function)


def load_catalog(blocked: Iterable[str]) -> Catalog:
    """The catalog, with a warning on stderr for each plugin that could not be used."""
    from dnabench import plugins

    catalog = plugins.load_catalog(blocked)
    for failure in catalog.failures:
        warn(str(failure))
    for clash in catalog.clashes():
        warn(clash)
    return catalog


def split_names(texts: Iterable[str]) -> list[str]:
    """Names from repeatable, comma-separated options."""
    return [name for text in texts for name in (part.strip() for part in text.split(",")) if name]


def parse_settings(assignments: Iterable[str]) -> dict[str, dict[str, str]]:
    """``NAME.OPTION=VALUE`` assignments by name and option; the last one wins."""
    settings: dict[str, dict[str, str]] = {}
    for text in assignments:
        left, equals, value = text.partition("=")
        name, dot, option = left.partition(".")
        if not (equals and dot and name and option):
            raise UserError(f"--set {text}: not of the form NAME.OPTION=VALUE, such as --set markov.order=3")
        settings.setdefault(name.strip(), {})[option.strip().replace("-", "_")] = value.strip()
    return settings


def parse_seeds(text: str) -> list[int]:
    """``0,1,2`` or ``0-4`` or a mixture."""
    seeds: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()) or (dash and int(high) < int(low)):
            raise UserError(f"--seeds {text}: {part.strip()!r} is neither a seed nor a rising range; 0,1,2 or 0-4 is")
        seeds += range(int(low), int(high if dash else low) + 1)
    return seeds


def parse_duration(text: str, option: str) -> float:
    """Seconds of ``90``, ``45s``, ``30m``, ``2h`` or ``1.5d``. UserError for anything else, and for nothing at all."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}[match[2]] if match else 0.0
    if seconds <= 0:
        raise UserError(f"{option} {text}: not a duration, such as 45s, 30m, 2h or 1.5d")
    return seconds


def parse_size(text: str, option: str) -> int:
    """Bytes of ``8G``, ``500M``, ``1.5T`` or a plain number (powers of 1,000). UserError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)B?", text.strip().upper())
    size = int(float(match[1]) * 1000 ** " KMGT".index(match[2] or " ")) if match else 0
    if size <= 0:
        raise UserError(f"{option} {text}: not a size, such as 500M, 8G or 1.5T")
    return size


def stdout_for_results() -> contextlib.redirect_stdout[TextIO]:
    """Send what plugins print to stderr: stdout holds the result and nothing else."""
    return contextlib.redirect_stdout(sys.stderr)


@contextlib.contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Take SIGTERM, with which batch systems end a job, for what Ctrl-C is."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def warn(text: str) -> None:
    """One line on stderr."""
    click.echo(f"dnabench: warning: {text}", err=True)


def show_warnings_as_lines() -> None:
    """Print Python warnings as single lines on stderr, each text once."""
    seen: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        text = " ".join(str(message).split())
        if text not in seen:
            seen.add(text)
            warn(text)

    warnings.showwarning = show
