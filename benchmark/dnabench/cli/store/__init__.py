"""``dnabench store``: a module for each of its commands."""

from __future__ import annotations

import click

from dnabench.cli import LazyGroup

SUMMARIES = {
    "size": "Say what the store holds, how large it is and how old.",
    "prune": "Remove what is old or too much; runs make it anew.",
}


@click.group(cls=LazyGroup, package=__name__, summaries=SUMMARIES)
def command() -> None:
    """Look at the store of finished work, and tidy it up."""
