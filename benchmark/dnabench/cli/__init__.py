"""The command line. Commands are imported when they are called, so that ``--help`` and ``list`` start at once."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from enum import IntEnum
from importlib import import_module
from typing import Any

import click

import dnabench
from dnabench.errors import UserError

# Short helps stand here so that the group's help imports no command.
COMMANDS = {
    "run": "Train, sample and score generators; write a leaderboard.",
    "score": "Score FASTA files of generated sequences against real ones.",
    "sample": "Draw more sequences from a trained model of a run.",
    "report": "Write the page and the figures of a run.",
    "list": "List generators, metrics, embedders, datasets and suites.",
    "show": "Describe a plugin or a suite with its options.",
    "check": "Check that a plugin keeps the promises of its kind.",
    "new": "Write the package of a new plugin.",
    "data": "Look at, fetch, import and split sets of sequences.",
    "leaderboard": "Show, check, unite, compare and export published results.",
    "store": "Look at the store of finished work, and tidy it up.",
    "doctor": "Say what is installed here, and what is broken.",
}

# A module called list would hide the built-in in this package, and import is a word of the language.
MODULES = {"list": "listing", "import": "importing"}


class ExitCode(IntEnum):
    """What the process ends with."""

    DONE = 0
    SOME_FAILED = 1
    BAD_INPUT = 2
    INTERNAL = 3
    NOTHING_TO_RUN = 4
    INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are modules of a package; ``summaries`` are their short helps, in order."""

    def __init__(self, *arguments: Any, package: str, summaries: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self._package = package
        self._summaries = summaries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Their names, in the order of the summaries."""
        return list(self._summaries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if cmd_name not in self._summaries:
            return None
        command: click.Command = import_module(f"{self._package}.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The summaries, which import nothing."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))


@click.group(
    cls=LazyGroup,
    package=__name__,
    summaries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(dnabench.__version__, prog_name="dnabench")
def cli() -> None:
    """dnabench: an open benchmark of models that generate DNA."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with one of :class:`ExitCode`."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    try:
        code = cli.main(arguments or ["--help"], prog_name="dnabench", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted: finished cells are kept, the same command continues", ExitCode.INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.BAD_INPUT
    except click.ClickException as error:
        return _say(" ".join(error.format_message().split()), ExitCode.BAD_INPUT)
    except UserError as error:
        if debug:
            traceback.print_exc()
        return _say(str(error), ExitCode.BAD_INPUT)
    except Exception as error:  # noqa: BLE001 - the last resort: one line instead of a traceback
        if debug:
            traceback.print_exc()
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return _say(f"internal error: {text} (--debug shows where)", ExitCode.INTERNAL)
    return int(code or 0)


def _say(text: str, code: ExitCode) -> int:
    click.echo(f"dnabench: {text}", err=True)
    return code
