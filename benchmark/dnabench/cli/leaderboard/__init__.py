"""``dnabench leaderboard``: a module for each of its commands."""

from __future__ import annotations

import click

from dnabench.cli import LazyGroup

SUMMARIES = {
    "show": "Print the tables of published results, or of a run.",
    "build": "Derive the tables from their facts.",
    "check": "Check facts, and that the tables follow from them.",
    "merge": "Unite two leaderboards.",
    "diff": "Say what moved between two leaderboards.",
    "export": "Write a table for a paper or a page.",
}


@click.group(cls=LazyGroup, package=__name__, summaries=SUMMARIES)
def command() -> None:
    """Show, check, unite, compare and export published results."""
