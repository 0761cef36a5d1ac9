"""The ranked table derived from the facts: one row per generator."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dnabench.data.slices import ALL
from dnabench.leaderboard.facts import mean_floors
from dnabench.leaderboard.scale import at_floor
from dnabench.stats.intervals import Interval, paired_difference, sampling_difference, score_interval

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
    facts: Sequence[Row], kinds: Mapping[str, str], controls: Controls | None, flags: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """One row per generator, ranked ones first.

    A generator's value is its mean over seeds; its interval the wider of Student's t over seeds and the scores' own.
    ``mean_rank`` is the mean over metrics of the rank of that value among the ranked generators. Controls and
    generators that lack a score carry no rank. ``tied_with`` names the ranked generators that no metric tells apart
    from this one (paired differences over seeds). The column ``flags`` holds ``flags``, on a control's row the metrics
    it shows to be blind, and on any other the metrics on which it stands at the floor.
    """
    whole = [row for row in facts if row["slice"] == ALL and "." not in row["metric"]]
    metrics = list(dict.fromkeys(row["metric"] for row in whole))
    directions = {row["metric"]: row["direction"] for row in whole}
    versions = {row["generator"]: row["generator_version"] for row in whole}
    scores = _scores(whole)
    seeds = {row["seed"] for row in whole}
    complete = {g: all(set(scores[g, m]) == seeds for m in metrics) for g in versions}
    ranked = [g for g in versions if complete[g] and kinds[g] != "control"]
    mean_ranks = _mean_ranks(ranked, metrics, directions, scores)
    blind = blind_metrics(metrics, directions, scores, complete, controls) if controls else {}
    floors = mean_floors(whole)
    table = []
    for generator, version in versions.items():
        row: dict[str, Any] = {
            "rank": _place(generator, mean_ranks),
            "generator": generator,
            "generator_version": version,
            "kind": kinds[generator],
            "seeds": len({s for m in metrics for s in scores[generator, m]}),
            "complete": complete[generator],
            "mean_rank": mean_ranks.get(generator),
            "tied_with": ";".join(_ties(generator, ranked, metrics, scores)),
            "flags": "",
        }
        reached = []
        for metric in metrics:
            interval = _over_seeds(scores[generator, metric])
            row |= {metric: interval.value, f"{metric}_ci_low": interval.low, f"{metric}_ci_high": interval.high}
            if kinds[generator] != "control" and at_floor(*interval[1:], floors[metric], directions[metric]):
                reached.append(f"at-floor:{metric}")
        blinds = [f"blind:{metric}" for metric in blind.get(generator, ())]
        row["flags"] = ";".join([*flags, *blinds, *reached])
        table.append({name: _blank_if_nan(value) for name, value in row.items()})
    return sorted(table, key=lambda row: (row["rank"] is None, row["rank"], row["kind"] == "control", row["generator"]))


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


def _mean_ranks(
    ranked: Sequence[str], metrics: Sequence[str], directions: Mapping[str, str], scores: Scores
) -> dict[str, float]:
    """Mean over metrics of each generator's place; equal values share the mean of their places."""
    places: dict[str, list[float]] = {generator: [] for generator in ranked}
    for metric in metrics:
        sign = 1 if directions[metric] == "lower" else -1
        values = {g: sign * _over_seeds(scores[g, metric]).value for g in ranked}
        for generator, value in values.items():
            below = sum(other < value for other in values.values())
            equal = sum(other == value for other in values.values())
            places[generator].append(below + (equal + 1) / 2)
    return {generator: sum(p) / len(p) for generator, p in places.items()}


def _place(generator: str, mean_ranks: Mapping[str, float]) -> int | None:
    if generator not in mean_ranks:
        return None
    return 1 + sum(other < mean_ranks[generator] for other in mean_ranks.values())


def _ties(generator: str, ranked: Sequence[str], metrics: Sequence[str], scores: Scores) -> list[str]:
    if generator not in ranked:
        return []
    return [
        other
        for other in ranked
        if other != generator and not any(_told_apart(generator, other, metric, scores) for metric in metrics)
    ]


def _told_apart(first: str, second: str, metric: str, scores: Scores) -> bool:
    difference = paired_difference(_by_seed(scores[first, metric]), _by_seed(scores[second, metric]))
    return difference.low > 0 or difference.high < 0


def _blank_if_nan(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
