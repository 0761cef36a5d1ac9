"""The families of metrics: each has one voice in the mean rank, however many metrics it has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dnabench.errors import UserError
from dnabench.planning.metrics import family_of

if TYPE_CHECKING:
    from dnabench.plugins import Catalog


def families_of(catalog: Catalog, labels: Iterable[str]) -> dict[str, str]:
    """Metric label (``NAME`` or ``NAME@EMBEDDER``) -> family.

    A metric whose plugin, or whose embedder's, is not installed here is a family of its own, called by its label.
    """
    found: dict[str, str] = {}
    for label in labels:
        name, _, embedder = label.partition("@")
        try:
            spec = catalog.metric(name).spec
            used = embedder or spec.embedder
            found[label] = family_of(spec, catalog.embedder(used).spec if used else None)
        except UserError:
            found[label] = label
    return found


def known_families(labels: Iterable[str]) -> dict[str, str]:
    """:func:`families_of` by the plugins that are installed and allowed."""
    from dnabench.plugins import load_catalog

    return families_of(load_catalog(), labels)
