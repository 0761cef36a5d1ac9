"""``dnabench check``."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

from dnabench.cli import common
from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.testing import Report

WORDS = {"passed": "passed", "failed": "FAILED", "skipped": "skipped", "expected": "expected to fail"}


@click.command("check")
@click.argument("name")
@common.set_option
@click.option("--sequences", type=click.IntRange(min=8), metavar="N", help="Give it N sequences.")
@click.option("--length", type=click.IntRange(min=1), metavar="L", help="Of L bp, or the nearest that it takes.")
@click.option("--only", multiple=True, metavar="CHECK", help="Run this check alone; repeatable.")
@click.option("--expect", "expected", multiple=True, metavar="CHECK=WHY", help="Expect this check to fail; repeatable.")
@common.format_option("table", "json")
@common.plugin_options
def command(
    name: str,
    assignments: tuple[str, ...],
    sequences: int | None,
    length: int | None,
    only: tuple[str, ...],
    expected: tuple[str, ...],
    format: str,
    blocked: tuple[str, ...],
    debug: bool,  # noqa: ARG001
) -> int:
    """Check that the plugin NAME keeps the promises of its kind; exit code 1 where it does not."""
    from dnabench.cli import ExitCode
    from dnabench.testing import Setup, check

    settings = common.parse_settings(assignments)
    for other in settings.keys() - {name}:
        raise UserError(f"options of {other} are set, but {other} takes no part here")
    setup = Setup(options=settings.get(name, {}), sequences=sequences, only=only)
    setup = dataclasses.replace(
        setup, length=length or setup.length, expected=dict(_expectation(text) for text in expected)
    )
    with common.stdout_for_results():
        reports = check(name, setup=setup, catalog=common.load_catalog(blocked), watch=_show)
    if format == "json":
        from dnabench.cli import render

        render.print_json([_plain(report) for report in reports])
    else:
        for report in reports:
            _print(report)
    return ExitCode.DONE if all(report.ok for report in reports) else ExitCode.SOME_FAILED


def _show(check: str) -> None:
    """Say which check is run now: a generator is trained meanwhile."""
    if sys.stderr.isatty():
        click.echo(f"{check} ...", err=True)


def _expectation(text: str) -> tuple[str, str]:
    check, equals, why = text.partition("=")
    if not (check and equals and why):
        raise UserError(f"--expect {text}: not of the form CHECK=WHY")
    return check, why


def _plain(report: Report) -> dict[str, Any]:
    counts = {status: report.count(status) for status in ("passed", "failed", "skipped", "expected")}
    return {
        "name": report.name,
        "what": report.what,
        "distribution": report.distribution,
        "ok": report.ok,
        "counts": counts,
        "outcomes": [dataclasses.asdict(outcome) for outcome in report.outcomes],
    }


def _print(report: Report) -> None:
    click.echo(f"{report.name} ({report.what}, {report.distribution})")
    width = max(len(outcome.check) for outcome in report.outcomes)
    for outcome in report.outcomes:
        click.echo(f"  {outcome.check:{width}}  {WORDS[outcome.status]:7}  {outcome.why or outcome.promise}")
    click.echo(report.summary)
