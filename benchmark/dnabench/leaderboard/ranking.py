"""Who ranks before whom, and how sure that is.

Two generators are compared on a metric by their paired difference over seeds (:mod:`dnabench.stats.resampling`):

- the **place** on a metric: 1, plus 1 for each generator that is better beyond the 95 % interval of their difference,
  and 1/2 for each that is inside: what is inside the intervals is a tie;
- the **mean rank**: the mean place within each family of metrics, then the mean over families, so that ten metrics of
  k-mers do not outvote one of function;
- **apart**: two generators of which one is better on more metrics than the other, each family again having one voice,
  by intervals that hold for all metrics of the pair at once: of six metrics one in four would else tell equals apart.
  They are not apart where no metric tells which is better, or as much speaks for the one as for the other;
- the **rank**: from the best mean rank downward, a generator shares the rank of the one that heads the group above it
  unless the two are apart, in favour of that one, and their mean ranks differ; else it heads a group of its own, whose
  rank is 1 plus the number of generators above it. Not being apart is not transitive, so the members of a group may be
  apart from each other, but not from its head, and one of two with the same mean rank may be in a group and the other
  not.

Nothing is better than real DNA: a mean beyond the floor counts as the floor. And a metric that tells no control at all
from real DNA (:mod:`dnabench.leaderboard.blindness`) has no voice in any of this; where all are such nobody is ranked.
One that is blind to some controls, as novelty is to random DNA, has a voice: it tells others, such as copies.

Measured by simulation (6 metrics in 3 families, normal scores, 1,000 repeats): of two equal generators one ranks before
the other in 4.9 % of cases at 3 seeds, 4.2 % at 2, and in 2.7 % and less where the scores have intervals of their own;
the intervals of their mean ranks hold the true one in 98 to 100 %.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnabench.keys import canonical
from dnabench.leaderboard.facts import mean_floors
from dnabench.leaderboard.scores import whole_facts
from dnabench.stats.intervals import Interval
from dnabench.stats.resampling import DRAWS, error_draws, half_widths, joint_half_widths, percentile_interval

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row

# What must agree for places to be of one field, besides who is in it and what is measured.
_PROTOCOL = ("dataset_sha256", "split", "n_generated", "n_reference")
_EQUAL = 1e-9  # mean ranks are means of halves: what is closer together than this is the same
_SAME_COST = 0.1  # times of one program differ by as much from run to run


class Difference(NamedTuple):
    """The paired difference of two generators on a metric, first - second, and the half-width of its 95 % interval.

    The means count up to the floor, the interval is of the scores as they are.

    ``sign``: -1 where the first is better beyond the interval, 1 where the second is, else 0; ``sure`` likewise by the
    interval that holds for all metrics of the pair at once.
    """

    value: float
    half_width: float
    sign: int
    sure: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One ranked generator.

    Attributes:
        mean_rank: with the 95 % interval that holds what it would come to if all were trained and sampled again.
        family_ranks: family -> mean place on its metrics.
        places: metric -> place; silent metrics give none.
        tied_with: the others that share its rank.
        not_apart: all others that it is not apart from, whatever their ranks.
        pareto: whether no other is as good in both mean rank and cost of sampling, and better in one; costs that
            differ by less than a tenth are the same. None where the cost is not known.
    """

    generator: str
    rank: int
    mean_rank: Interval
    family_ranks: Mapping[str, float]
    places: Mapping[str, float]
    tied_with: tuple[str, ...]
    not_apart: tuple[str, ...]
    pareto: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The ranked generators, best first.

    Attributes:
        field: the id of what the ranks are relative to: generators, metrics and protocol. Ranks of different fields
            cannot be compared.
        families: metric -> family.
        silent: the metrics that have no voice.
        means: (generator, metric) -> the mean over seeds, as it counts: up to the floor.
        differences: (first, second, metric) -> their difference, both ways round.
    """

    field: str
    families: Mapping[str, str]
    silent: tuple[str, ...]
    entries: tuple[Entry, ...]
    means: Mapping[tuple[str, str], float] = dataclasses.field(repr=False)
    differences: Mapping[tuple[str, str, str], Difference] = dataclasses.field(repr=False)

    @property
    def voices(self) -> dict[str, list[str]]:
        """Family -> its metrics that the mean rank is of."""
        found: dict[str, list[str]] = {}
        for metric, family in self.families.items():
            if metric not in self.silent:
                found.setdefault(family, []).append(metric)
        return dict(sorted(found.items()))

    def entry(self, generator: str) -> Entry | None:
        """The entry of that generator, if it is ranked."""
        return next((entry for entry in self.entries if entry.generator == generator), None)


def ranking(
    facts: Iterable[Row],
    kinds: Mapping[str, str],
    families: Mapping[str, str],
    *,
    silent: Collection[str] = (),
    seconds: Mapping[str, float] | None = None,
) -> Ranking:
    """Rank the generators that have every score and are no controls.

    Args:
        facts: rows as of ``results.csv``, of one protocol.
        kinds: generator -> ``model``, ``baseline`` or ``control``.
        families: metric -> family; a metric that is not in it is a family of its own.
        silent: the metrics that have no voice.
        seconds: generator -> what sampling one sequence takes, for the Pareto front.
    """
    whole = whole_facts(facts)
    names = ranked_generators(whole, kinds)
    metrics = sorted({row["metric"] for row in whole})
    families = {metric: families.get(metric, metric) for metric in metrics}
    silent = tuple(metric for metric in metrics if metric in silent)
    heard = [m for m, metric in enumerate(metrics) if metric not in silent]
    identity = _field(whole, names, families, silent)
    if not names or not heard:
        return Ranking(field=identity, families=families, silent=silent, entries=(), means={}, differences={})
    values, own = _arrays(whole, names, metrics)
    errors = error_draws(values, own, names, metrics)
    unknown = np.isnan(own) & (values.shape[2] == 1)  # one seed, and no interval: nothing is known
    directions = {row["metric"]: row["direction"] for row in whole}
    worse = np.array([1 if directions[metric] == "lower" else -1 for metric in metrics])
    floors = mean_floors(whole)
    means = _up_to_floor(values.mean(axis=2), [floors[metric] for metric in metrics], worse)
    places, open_places = np.ones(means.shape), np.zeros(means.shape)
    drawn = np.ones((*means.shape, 2 * DRAWS), np.float32)
    differences: dict[tuple[str, str, str], Difference] = {}
    for a, b in combinations(range(len(names)), 2):
        error, dark = errors[a] - errors[b], unknown[a] | unknown[b]
        alone = half_widths(error)
        together = np.full(len(metrics), np.inf)
        together[heard] = joint_half_widths(error[heard])
        alone[dark] = together[dark] = np.inf
        difference = means[a] - means[b]
        sign, sure = _signs(difference, alone, worse), _signs(difference, together, worse)
        # Each error with either sign, so that of two equals none is drawn to be the better one more often.
        either = np.concatenate([error, -error], axis=1)
        again = _signs(difference[:, None] + either, alone[:, None], worse[:, None])
        for one, side in ((a, 1), (b, -1)):
            places[one] += (1 + side * sign) / 2
            drawn[one] += (1 + side * again) / 2
            open_places[one] += dark / 2
        for m, metric in enumerate(metrics):
            d, w, s, t = float(difference[m]), float(alone[m]), int(sign[m]), int(sure[m])
            differences[names[a], names[b], metric] = Difference(d, w, s, t)
            differences[names[b], names[a], metric] = Difference(-d, w, -s, -t)
    voices = [metrics[m] for m in heard]
    mean_ranks = _mean_ranks(places[:, heard], open_places[:, heard], drawn[:, heard], voices, families)
    entries = _entries(
        names, places[:, heard], mean_ranks, {metric: families[metric] for metric in voices}, differences
    )
    return Ranking(
        field=identity,
        families=families,
        silent=silent,
        entries=tuple(_with_pareto(entries, seconds or {})),
        means={(name, metric): float(means[g, m]) for g, name in enumerate(names) for m, metric in enumerate(metrics)},
        differences=differences,
    )


def ranked_generators(facts: Iterable[Row], kinds: Mapping[str, str]) -> list[str]:
    """The generators, but for controls, that have a score of every metric and seed that anyone has."""
    whole = whole_facts(facts)
    wanted = {(row["metric"], row["seed"]) for row in whole}
    wanted = {(metric, seed) for metric, _ in wanted for _, seed in wanted}
    there: dict[str, set[tuple[str, int]]] = {row["generator"]: set() for row in whole}
    for row in whole:
        if row["status"] == "done":
            there[row["generator"]].add((row["metric"], row["seed"]))
    return sorted(name for name, scores in there.items() if scores == wanted and kinds[name] != "control")


def _arrays(facts: Iterable[Row], names: Sequence[str], metrics: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Scores (generators, metrics, seeds), and the mean half-widths of their own intervals; NaN if one is missing."""
    scores = {(row["generator"], row["metric"], row["seed"]): row for row in facts}
    seeds = sorted({seed for _, _, seed in scores})
    shape = (len(names), len(metrics), len(seeds))
    rows = [scores[name, metric, seed] for name in names for metric in metrics for seed in seeds]
    values = np.array([row["value"] for row in rows], np.float64).reshape(shape)
    ends = [(row["ci_high"] - row["ci_low"]) / 2 if row["ci_low"] is not None else math.nan for row in rows]
    return values, np.array(ends, np.float64).reshape(shape).mean(axis=2)


def _up_to_floor(means: np.ndarray, floors: Sequence[float | None], worse: np.ndarray) -> np.ndarray:
    """The means (generators, metrics), those beyond the floor at it; ``worse``: 1 where higher is worse, else -1."""
    ends = np.array([-math.inf if floor is None else floor * side for floor, side in zip(floors, worse, strict=True)])
    clipped: np.ndarray = np.maximum(means * worse, ends) * worse
    return clipped


def _signs(difference: np.ndarray, half_width: np.ndarray, worse: np.ndarray) -> np.ndarray:
    """-1 where the first is better beyond the interval, 1 where the second is, else 0."""
    return np.where(np.abs(difference) > half_width, np.sign(difference) * worse, 0)


def _by_family(
    per_metric: np.ndarray, metrics: Sequence[str], families: Mapping[str, str], axis: int = -1
) -> dict[str, np.ndarray]:
    """Family -> the mean over its metrics, which are an axis."""
    members: dict[str, list[int]] = {}
    for index, metric in enumerate(metrics):
        members.setdefault(families[metric], []).append(index)
    return {family: per_metric.take(members[family], axis).mean(axis) for family in sorted(members)}


def _mean_ranks(
    places: np.ndarray,
    open_places: np.ndarray,
    drawn: np.ndarray,
    metrics: Sequence[str],
    families: Mapping[str, str],
) -> list[Interval]:
    """With ``open_places``, how far the places (generators, metrics) of which nothing is known may be off."""
    means, unknown, draws = (
        np.mean(list(_by_family(each, metrics, families, axis=1).values()), axis=0)
        for each in (places, open_places, drawn)
    )
    low, high = percentile_interval(draws)
    # A comparison that is just inside its interval, or just outside, is drawn to one side only.
    return [
        Interval(float(mean), float(min(mean, a) - width), float(max(mean, b) + width))
        for mean, a, b, width in zip(means, low, high, unknown, strict=True)
    ]


def _entries(
    names: Sequence[str],
    places: np.ndarray,
    mean_ranks: Sequence[Interval],
    families: Mapping[str, str],
    differences: Mapping[tuple[str, str, str], Difference],
) -> list[Entry]:
    metrics = list(families)
    rank_of = dict(zip(names, mean_ranks, strict=True))

    def evidence(first: str, second: str) -> float:
        """Below 0 where more speaks for the first, above where more speaks for the second."""
        signs = np.array([differences[first, second, metric].sure for metric in metrics], np.float64)
        return float(np.mean(list(_by_family(signs, metrics, families).values())))

    groups: list[list[str]] = []
    for name in sorted(names, key=lambda name: (round(rank_of[name].value, 9), name)):
        head = groups[-1][0] if groups else name
        same = name != head and (
            abs(rank_of[name].value - rank_of[head].value) < _EQUAL or evidence(head, name) > -_EQUAL
        )
        if same:
            groups[-1].append(name)
        else:
            groups.append([name])
    entries: list[Entry] = []
    for group in groups:
        rank = len(entries) + 1
        for name in group:
            row = places[names.index(name)]
            entries.append(
                Entry(
                    generator=name,
                    rank=rank,
                    mean_rank=rank_of[name],
                    family_ranks={f: float(mean) for f, mean in _by_family(row, metrics, families).items()},
                    places=dict(zip(metrics, map(float, row), strict=True)),
                    tied_with=tuple(sorted(other for other in group if other != name)),
                    not_apart=tuple(o for o in names if o != name and abs(evidence(name, o)) < _EQUAL),
                )
            )
    return entries


def _with_pareto(entries: Sequence[Entry], seconds: Mapping[str, float]) -> Iterable[Entry]:
    known = {e.generator: (e.mean_rank.value, seconds[e.generator]) for e in entries if e.generator in seconds}
    for entry in entries:
        mine = known.get(entry.generator)
        yield replace(entry, pareto=mine and not any(_dominates(other, mine) for other in known.values()))


def _dominates(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether the first (mean rank, seconds) is as good in both, and better in one."""
    rank, cost = one[0] - other[0], one[1] / other[1]
    return rank < _EQUAL and cost < 1 + _SAME_COST and (rank < -_EQUAL or cost < 1 / (1 + _SAME_COST))


def _field(facts: Sequence[Row], names: Sequence[str], families: Mapping[str, str], silent: Sequence[str]) -> str:
    """A digest of whom the ranks are among and what they rest on: generators, metrics and protocol."""
    about = {
        "generators": sorted({(r["generator"], r["generator_version"], r["options"]) for r in facts
                              if r["generator"] in names}),
        "metrics": sorted({(r["metric"], r["metric_version"], r["embedder"], r["embedder_sha256"], r["direction"],
                            families[r["metric"]]) for r in facts if r["status"] == "done"}),
        "silent": silent,
        "protocol": sorted({tuple(r[column] for column in _PROTOCOL) for r in facts if r["status"] == "done"}),
        "seeds": sorted({r["seed"] for r in facts}),
    }  # fmt: skip
    return hashlib.sha256(canonical(about).encode()).hexdigest()[:8]
