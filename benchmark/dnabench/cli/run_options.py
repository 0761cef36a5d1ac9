"""The options of ``dnabench run`` that say how cells are executed, and nothing about what comes out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dnabench.errors import UserError, did_you_mean
from dnabench.orders import FAILURES

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Cells at once.  [default: as many as there are GPUs, or cores for their threads]",
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help="Threads of each cell. Part of the plan: the last digits of numbers depend on it.",
    ),
    click.option(
        "--engine",
        default="local",
        show_default=True,
        metavar="local|dask://HOST:PORT",
        help="Where cells run: in processes of this machine, or on the workers of a dask scheduler.",
    ),
    click.option(
        "--timeout",
        metavar="DURATION",
        help="Stop a cell after this long, such as 45s, 30m or 2h; a wait for another run's work on it counts.",
    ),
    click.option("--memory", metavar="SIZE", help="Stop a cell that holds more than this, such as 8G."),
    click.option("--max-failures", type=click.IntRange(min=1), metavar="N", help="Give up once N cells have failed."),
    click.option(
        "--retry",
        default="all",
        show_default=True,
        metavar="STATUS[,...]",
        help="Which failures of an earlier attempt are tried again: failed, timeout, crashed, oom, all or none.",
    ),
    click.option(
        "--checkpoint-every",
        default="15s",
        show_default=True,
        metavar="DURATION",
        help="How long a training goes on without a checkpoint.",
    ),
    click.option(
        "--python",
        "pythons",
        multiple=True,
        metavar="NAME=/env/bin/python",
        help="Train and sample a generator with the Python of the environment that it is installed in; repeatable.",
    ),
    click.option("--anonymous", is_flag=True, help="Leave the names of host and user out of the manifest."),
)


def execution_options(function: F) -> F:
    """All of them, in the order of the help."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def parse_pythons(texts: tuple[str, ...]) -> dict[str, str]:
    """Generator -> the absolute path of a Python. UserError for anything but NAME=PATH."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise UserError(f"--python {text}: not of the form NAME=/env/bin/python")
        if name in found:
            raise UserError(f"--python {text}: {name} has one Python; there is {found[name]} already")
        # Not resolved: the Python of a virtual environment is a link to another.
        found[name] = os.path.abspath(shutil.which(path) or Path(path).expanduser())  # noqa: PTH100
    return found


def parse_retry(text: str) -> set[str]:
    """The statuses of ``failed,timeout``, ``all`` or ``none``. UserError for any other."""
    words = {word.strip() for word in text.split(",")}
    if words == {"all"}:
        return set(FAILURES)
    if words == {"none"}:
        return set()
    for word in sorted(words.difference(FAILURES)):
        raise UserError(f"--retry {text}: no status {word!r}; {did_you_mean(word, (*FAILURES, 'all', 'none'))}")
    return words
