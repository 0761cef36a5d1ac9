"""The ranked table derived from the facts: one row per generator."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnabench.data.slices import ALL
from dnabench.leaderboard.facts import mean_floors
from dnabench.leaderboard.ranking import ranking
from dnabench.leaderboard.scale import at_floor
from dnabench.stats.intervals import Interval, sampling_difference, score_interval

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.suites import Controls

LEADING = ("rank", "generator", "generator_version", "kind", "seeds", "complete", "mean_rank", "tied_with", "flags")

# (generator, metric) -> seed -> score with its own interval
Scores = Mapping[tuple[str, str], Mapping[int, Interval]]


def columns(metrics: Iterable[str]) -> list[str]:
    """The columns of ``leaderboard.csv`` for these metrics."""
    return [*LEADING, *(name + end for name in metrics for end in ("", "_ci_low", "_ci_high"))]


def build(
    facts: Sequence[Row],
    kinds: Mapping[str, str],
    controls: Controls | None,
    flags: Sequence[str] = (),
    families: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """One row per generator, ranked ones first.

    A generator's value is its mean over seeds; its interval the wider of Student's t over seeds and the scores' own.
    ``rank``, ``mean_rank`` and ``tied_with`` are those of :mod:`dnabench.leaderboard.ranking`, with the ``families`` of
    metrics; controls and generators that lack a score carry none. The column ``flags`` holds ``flags``, on a control's
    row the metrics it shows to be blind, on any other the metrics on which it stands at the floor, and with a rank
    ``field:`` and the id of what it is relative to.
    """
    whole = [row for row in facts if row["slice"] == ALL and "." not in row["metric"]]
    metrics = list(dict.fromkeys(row["metric"] for row in whole))
    directions = {row["metric"]: row["direction"] for row in whole}
    versions = {row["generator"]: row["generator_version"] for row in whole}
    scores = _scores(whole)
    seeds = {row["seed"] for row in whole}
    complete = {g: all(set(scores[g, m]) == seeds for m in metrics) for g in versions}
    ranks = ranking(whole, kinds, families or {})
    blind = blind_metrics(metrics, directions, scores, complete, controls) if controls else {}
    floors = mean_floors(whole)
    table = []
    for generator, version in versions.items():
        entry = ranks.entry(generator)
        row: dict[str, Any] = {
            "rank": entry.rank if entry else None,
            "generator": generator,
            "generator_version": version,
            "kind": kinds[generator],
            "seeds": len({s for m in metrics for s in scores[generator, m]}),
            "complete": complete[generator],
            "mean_rank": entry.mean_rank.value if entry else None,
            "tied_with": ";".join(entry.tied_with) if entry else "",
            "flags": "",
        }
        reached = []
        for metric in metrics:
            interval = _over_seeds(scores[generator, metric])
            row |= {metric: interval.value, f"{metric}_ci_low": interval.low, f"{metric}_ci_high": interval.high}
            if kinds[generator] != "control" and at_floor(*interval[1:], floors[metric], directions[metric]):
                reached.append(f"at-floor:{metric}")
        blinds = [f"blind:{metric}" for metric in blind.get(generator, ())]
        fields = [f"field:{ranks.field}"] if entry else []
        row["flags"] = ";".join([*flags, *blinds, *reached, *fields])
        table.append({name: _blank_if_nan(value) for name, value in row.items()})
    return sorted(table, key=_order)


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    ranked = (row["rank"], row["mean_rank"]) if row["rank"] is not None else ()
    return (row["rank"] is None, ranked, row["kind"] == "control", row["generator"])


def blind_metrics(
    metrics: Sequence[str],
    directions: Mapping[str, str],
    scores: Scores,
    complete: Mapping[str, bool],
    controls: Controls,
) -> dict[str, list[str]]:
    """Control -> the metrics it shows to be blind (design rule 5.4).

    A control that beats held-out real DNA beyond the interval, or one of ``controls.blank`` that cannot be told from
    it.
    """
    flags: dict[str, list[str]] = defaultdict(list)
    if not all(complete.get(name, False) for name in controls.names):
        return flags
    for metric in metrics:
        real = _by_seed(scores[controls.floor, metric])
        for control in (controls.memoriser, *controls.blank):
            difference = sampling_difference(_by_seed(scores[control, metric]), real)
            low, high = difference.low, difference.high
            worse, better = (low > 0, high < 0) if directions[metric] == "lower" else (high < 0, low > 0)
            if better or (control in controls.blank and not worse):
                flags[control].append(metric)
    return flags


def _scores(facts: Iterable[Row]) -> Scores:
    scores: dict[tuple[str, str], dict[int, Interval]] = defaultdict(dict)
    for row in facts:
        if row["status"] == "done":
            ends = (math.nan if row[end] is None else row[end] for end in ("ci_low", "ci_high"))
            scores[row["generator"], row["metric"]][row["seed"]] = Interval(row["value"], *ends)
    return scores


def _by_seed(scores: Mapping[int, Interval]) -> list[Interval]:
    return [scores[seed] for seed in sorted(scores)]


def _over_seeds(scores: Mapping[int, Interval]) -> Interval:
    if not scores:
        return Interval(math.nan, math.nan, math.nan)
    return score_interval(_by_seed(scores))


def _blank_if_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
