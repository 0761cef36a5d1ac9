"""What moved between two leaderboards of one suite, and whether it moved beyond the intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dnabench.leaderboard.cells import to_text
from dnabench.leaderboard.protocol import PROTOCOL

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

COLUMNS = ("suite", "what", "generator", "metric", "before", "after", "change", "beyond", "better")


def differences(before: Board, after: Board) -> list[dict[str, Any]]:
    """A row for each thing that is not the same, with the columns of COLUMNS.

    ``what`` is ``protocol`` (of a metric, the columns that scores must agree in), ``field`` (the id of what ranks are
    relative to), ``added``, ``removed``, ``version``, ``kind``, ``complete``, ``rank``, ``mean-rank``, ``score``, or
    ``interval`` of a score that is the same. Of a score ``beyond`` says whether the change exceeds both intervals in
    quadrature, and ``better`` which way it went; of ranks in the same field ``better`` alone.
    """
    return [{"suite": after.suite, **row} for row in _rows(before, after)]


def _rows(before: Board, after: Board) -> Iterator[dict[str, Any]]:
    old, new = ({row["generator"]: row for row in board.rows} for board in (before, after))
    yield from _protocols(before, after)
    if before.ranking.field != after.ranking.field:
        yield _row("field", before=before.ranking.field, after=after.ranking.field)
    for name in sorted(new.keys() - old.keys()):
        yield _row("added", name, after=new[name]["rank"])
    for name in sorted(old.keys() - new.keys()):
        yield _row("removed", name, before=old[name]["rank"])
    for metric in sorted(after.directions.keys() - before.directions.keys()):
        yield _row("added", metric=metric)
    for metric in sorted(before.directions.keys() - after.directions.keys()):
        yield _row("removed", metric=metric)
    for name in sorted(old.keys() & new.keys()):
        yield from _of_generator(name, old[name], new[name], same_field=before.ranking.field == after.ranking.field)
        for metric in sorted(before.directions.keys() & after.directions.keys()):
            columns = (metric, f"{metric}_ci_low", f"{metric}_ci_high")
            if any(to_text(old[name][column]) != to_text(new[name][column]) for column in columns):
                yield _score(name, metric, old[name], new[name], after.directions[metric])


def _of_generator(name: str, a: Any, b: Any, *, same_field: bool) -> Iterator[dict[str, Any]]:
    if a["generator_version"] != b["generator_version"]:
        yield _row("version", name, before=a["generator_version"], after=b["generator_version"])
    for what in ("kind", "complete"):
        if a[what] != b[what]:
            yield _row(what, name, before=to_text(a[what]), after=to_text(b[what]))
    for column, what in (("rank", "rank"), ("mean_rank", "mean-rank")):
        if to_text(a[column]) != to_text(b[column]):
            better = _less(b[column], a[column]) if same_field else None
            yield _row(what, name, before=a[column], after=b[column], better=better)


def _score(name: str, metric: str, a: Any, b: Any, direction: str) -> dict[str, Any]:
    old, new = a[metric], b[metric]
    if old is None or new is None:
        return _row("score", name, metric, before=old, after=new)
    if old == new:
        ends = ("..".join(to_text(row[f"{metric}_ci_{end}"]) for end in ("low", "high")) for row in (a, b))
        return _row("interval", name, metric, **dict(zip(("before", "after"), ends, strict=True)))
    halves = [_half(row, metric) for row in (a, b)]
    beyond = None if None in halves else abs(new - old) > math.hypot(*halves)  # type: ignore[arg-type]
    better = new < old if direction == "lower" else new > old
    return _row("score", name, metric, before=old, after=new, change=new - old, beyond=beyond, better=better)


def _half(row: Any, metric: str) -> float | None:
    low, high = row[f"{metric}_ci_low"], row[f"{metric}_ci_high"]
    return None if low is None or high is None else (high - low) / 2


def _protocols(before: Board, after: Board) -> Iterator[dict[str, Any]]:
    old, new = ({row["metric"]: row for row in board.whole if row["status"] == "done"} for board in (before, after))
    for metric in sorted(old.keys() & new.keys()):
        for column in PROTOCOL:
            if old[metric][column] != new[metric][column]:
                a, b = (f"{column} {rows[metric][column]}" for rows in (old, new))
                yield _row("protocol", metric=metric, before=a, after=b)


def _less(new: float | None, old: float | None) -> bool | None:
    return None if new is None or old is None else new < old


def _row(what: str, generator: str = "", metric: str = "", **values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("before", "after", "change", "beyond", "better"))
    if isinstance(values.get("before"), int) and isinstance(values.get("after"), int):
        values.setdefault("change", values["after"] - values["before"])
    return {"what": what, "generator": generator, "metric": metric, **empty, **values}
