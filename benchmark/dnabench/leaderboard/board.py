"""A suite's results: the facts, and all that follows from them, worked out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dnabench.leaderboard import facts, table
from dnabench.leaderboard.blindness import Told, blind_metrics, silent_metrics, told_controls, unchecked_metrics
from dnabench.leaderboard.ranking import Ranking, ranking
from dnabench.leaderboard.scale import mean_normalised
from dnabench.leaderboard.scores import Scores, scores_of, whole_facts

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.suites import Controls

#: The flag of all lines where a control lacks a score, so that a blind metric would not be found out; with ``:METRIC``
#: where some metrics are checked.
UNCHECKED = "blind-unchecked"


@dataclass(frozen=True, kw_only=True)
class Board:
    """Published results, or those of a run.

    Attributes:
        facts: sorted.
        kinds: generator -> ``model``, ``baseline`` or ``control``.
        families: metric -> family, in the order of the table's columns.
        controls: the suite's.
        flags: what every line of the table carries.
        seconds: generator -> what sampling a sequence takes, for those of a run that sampled in it.
    """

    suite: str
    facts: Sequence[Row]
    kinds: Mapping[str, str]
    families: Mapping[str, str]
    controls: Controls
    flags: Sequence[str] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def whole(self) -> list[Row]:
        """The facts that the table holds: of whole samples, without parts."""
        return whole_facts(self.facts)

    @cached_property
    def scores(self) -> Scores:
        """(generator, metric) -> seed -> score."""
        return scores_of(self.whole)

    @cached_property
    def directions(self) -> dict[str, str]:
        """Metric -> which way is better, in the order of the table's columns, which is that of ``families``."""
        found = {row["metric"]: row["direction"] for row in self.whole}
        places = {metric: place for place, metric in enumerate(self.families)}
        return {
            metric: found[metric] for metric in sorted(found, key=lambda name: (places.get(name, len(places)), name))
        }

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds that anyone has a score of."""
        return sorted({row["seed"] for row in self.whole})

    @cached_property
    def blind(self) -> dict[str, list[str]]:
        """Metric -> the controls that show it to be blind."""
        return blind_metrics(self._told, self.controls)

    @cached_property
    def unchecked(self) -> dict[str, list[str]]:
        """Metric -> the controls that it may be blind to: nobody knows."""
        return unchecked_metrics(self._told)

    @cached_property
    def silent(self) -> list[str]:
        """The metrics that tell no control from real DNA, and so have no voice in the ranks."""
        return silent_metrics(self._told)

    @cached_property
    def _told(self) -> dict[str, Told]:
        return told_controls(self.scores, self.directions, self.seeds, self.controls)

    @cached_property
    def common_flags(self) -> list[str]:
        """What every line carries, such as ``other-data``."""
        if len(self.unchecked) == len(self.directions):
            return [*self.flags, UNCHECKED]
        return [*self.flags, *(f"{UNCHECKED}:{metric}" for metric in self.unchecked)]

    @cached_property
    def ranking(self) -> Ranking:
        """How the ranks come about, and how sure they are."""
        return ranking(self.whole, self.kinds, self.families, silent=self.silent, seconds=self.seconds)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The table, as ``leaderboard.csv`` holds it."""
        return table.build(self)

    @cached_property
    def floors(self) -> dict[str, float | None]:
        """Metric -> what real sequences score."""
        return facts.mean_floors(self.whole)

    @cached_property
    def scaled(self) -> dict[tuple[str, str], float]:
        """(generator, metric) -> the score on the scale from the floor, 0, to the suite's useless generator, 1."""
        return mean_normalised(self.facts)

    @cached_property
    def title(self) -> str:
        """What the table is about, in a line."""
        first = self.whole[0]
        n = len(self.seeds)
        return (
            f"{self.suite} · {first['dataset']} (sha256 {first['dataset_sha256'][:12]}...), {first['split']} · "
            f"{first['n_generated']} generated against {first['n_reference']} held out · {n} seed{'s' * (n > 1)}"
        )
