"""``dnabench data``: a module for each of its commands."""

from __future__ import annotations

import click

from dnabench.cli import LazyGroup

SUMMARIES = {
    "list": "List the sets that are here and those that can be fetched.",
    "info": "Describe sequences: lengths, letters, duplicates, labels, relatives.",
    "fetch": "Bring a published data set, or the weights of a model, into the cache.",
    "import": "Keep a cleaned set of your own under a name.",
    "split": "Divide sequences into train, validation and test, relatives together.",
}


@click.group(cls=LazyGroup, package=__name__, summaries=SUMMARIES)
def command() -> None:
    """Look at, fetch, import and split sets of sequences."""
