"""What scores must agree in to be ranked together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnabench.data.slices import ALL
from dnabench.errors import UserError

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.plan import Plan

# Of one metric. The sizes of a slice are those of the sample's labels, which generators draw.
PROTOCOL = (
    "dataset_sha256", "split", "n_generated", "n_reference", "metric_version", "embedder", "embedder_sha256",
    "direction",
)  # fmt: skip
SIZES = ("n_generated", "n_reference")


def check(facts: Iterable[Row], known: Iterable[Row], where: object, who: str | None = None) -> None:
    """UserError, which says why, where ``facts`` were not measured by the protocol of ``known``.

    ``who``: whose facts they are; a row's generator's unless given. What is None in ``facts`` is not known yet.
    """
    kept: dict[tuple[str, bool], Row] = {}
    for row in known:
        if row["status"] == "done":
            kept.setdefault((row["metric"], row["slice"] == ALL), row)
    for row in facts:
        whole = row["slice"] == ALL
        other = kept.get((row["metric"], whole))
        if other is None or row["status"] != "done":
            continue
        for column in PROTOCOL:
            if row[column] not in (None, other[column]) and (whole or column not in SIZES):
                mine = who or row["generator"]
                raise UserError(
                    f"{where}: {other['generator']} has {column} {other[column]!r} for {row['metric']}, {mine} "
                    f"{row[column]!r}; scores of different protocols are not ranked together: use another directory"
                )


def planned(plan: Plan, digests: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """A row for each metric with the protocol that a plan's facts will have, as far as it is known.

    ``digests``: metric label -> those of the files behind it and behind its embedder.
    """
    return [
        {
            "metric": metric.label,
            "slice": ALL,
            "status": "done",
            "dataset_sha256": plan.dataset_sha256,
            "split": plan.split,
            "n_generated": plan.n_generated,
            "n_reference": plan.n_reference,
            "metric_version": metric.version,
            "embedder": metric.embedder or "",
            "embedder_sha256": digests[metric.label][1] if metric.label in digests else None,
            "direction": metric.direction,
        }
        for metric in plan.metrics
    ]
