"""The families of metrics: each has one voice in the mean rank, however many metrics it has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.plugins import Catalog
    from dnabench.specs import MetricSpec


def families_of(catalog: Catalog, labels: Iterable[str]) -> dict[str, str]:
    """Metric label (``NAME`` or ``NAME@EMBEDDER``) -> family.

    A metric whose plugin, or whose embedder's, is not installed here is a family of its own, called by its label.
    """
    found: dict[str, str] = {}
    for label in labels:
        name, _, embedder = label.partition("@")
        try:
            spec = catalog.metric(name).spec
            found[label] = _family(catalog, spec, embedder or spec.embedder)
        except UserError:
            found[label] = label
    return found


def known_families(labels: Iterable[str]) -> dict[str, str]:
    """:func:`families_of` by the plugins that are installed and allowed."""
    from dnabench.plugins import load_catalog

    return families_of(load_catalog(), labels)


def _family(catalog: Catalog, spec: MetricSpec, embedder: str | None) -> str:
    """What a metric's record says, else its embedder's."""
    if spec.family is not None:
        return spec.family
    return "sequence" if embedder is None else catalog.embedder(embedder).spec.family
