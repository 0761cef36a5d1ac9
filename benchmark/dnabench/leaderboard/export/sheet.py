"""What every rendering of a board shows: cells with their marks, and the notes that explain them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dnabench.leaderboard.board import Board

ARROWS = {"lower": "↓", "higher": "↑", "": ""}
Place = Literal["best", "second", ""]
TIED, AT_FLOOR, SHARED, MISSING = "≈", "°", "=", "–"


@dataclass(frozen=True)
class Cell:
    """A score, ready to be shown.

    Attributes:
        value, half: as texts with the same decimals; ``half`` of the 95 % interval, empty where none is known.
        place: whether it is the best of the ranked generators, or the next.
        tied: whether it is not the best and yet not told apart from it.
    """

    value: str
    half: str = ""
    place: Place = ""
    tied: bool = False
    at_floor: bool = False


@dataclass(frozen=True)
class Line:
    """A generator's row. ``flags``: those that no mark or note shows."""

    rank: str
    generator: str
    kind: str
    mean_rank: str
    cells: tuple[Cell, ...]
    tied_with: tuple[str, ...]
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The whole: ``metrics`` with the arrows of their directions."""

    title: str
    metrics: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    floors: tuple[str, ...]
    notes: tuple[str, ...]


def sheet(board: Board) -> Sheet:
    """The board with its marks.

    Best and second are by the mean over seeds as it counts, up to the floor, in the metric's direction, among the
    generators with a rank; a metric that a control shows to be blind has neither. Where several have the best value, as
    those beyond the floor do, all are the best.
    """
    places = {metric: _places(board, metric) for metric in board.directions}
    return Sheet(
        title=board.title,
        metrics=tuple((metric, ARROWS[direction]) for metric, direction in board.directions.items()),
        lines=tuple(_line(board, row, places) for row in board.rows),
        floors=tuple(MISSING if floor is None else f"{floor:.3g}" for floor in map(board.floors.get, board.directions)),
        notes=tuple(_notes(board)),
    )


def plus_minus(value: float | None, half: float | None) -> tuple[str, str]:
    """A value and half its interval as texts: the half with two digits, the value with the same decimals."""
    if value is None:
        return MISSING, ""
    if half is None or half <= 0:
        return f"{value:.3g}", ""
    decimals = max(0, 1 - int(f"{half:.1e}".partition("e")[2]))
    if decimals > 6:
        return f"{value:.2e}", f"{half:.1e}"
    return f"{round(value, decimals) + 0.0:.{decimals}f}", f"{half:.{decimals}f}"


def best_of(board: Board, metric: str) -> list[str]:
    """The ranked generators with the best mean over seeds; none where the metric is blind."""
    return [name for name, place in _places(board, metric).items() if place == "best"]


def is_tied(board: Board, name: str, metric: str, best: Sequence[str]) -> bool:
    """Whether a ranked generator is none of the ``best`` of a metric, and yet not told apart from them."""
    if not best or name in best:
        return False
    difference = board.ranking.differences.get((best[0], name, metric))
    return difference is not None and difference.sign == 0


def _places(board: Board, metric: str) -> dict[str, Place]:
    if metric in board.blind:
        return {}
    sign = 1 if board.directions[metric] == "lower" else -1
    values = {entry.generator: sign * board.ranking.means[entry.generator, metric] for entry in board.ranking.entries}
    levels = sorted(set(values.values()))
    named: dict[float, Place] = dict(zip(levels, ("best", "second"), strict=False))
    return {name: named[value] for name, value in values.items() if value in named}


def _line(board: Board, row: Mapping[str, Any], places: Mapping[str, Mapping[str, Place]]) -> Line:
    name, flags = row["generator"], [flag for flag in row["flags"].split(";") if flag]
    entry = board.ranking.entry(name)
    cells = []
    for metric in board.directions:
        low, high = row[f"{metric}_ci_low"], row[f"{metric}_ci_high"]
        best = [other for other, place in places[metric].items() if place == "best"]
        cells.append(
            Cell(
                *plus_minus(row[metric], None if low is None else (high - low) / 2),
                place=places[metric].get(name, ""),
                tied=is_tied(board, name, metric, best),
                at_floor=f"at-floor:{metric}" in flags,
            )
        )
    if entry is not None and entry.pareto:
        flags.append("pareto")
    mean = entry.mean_rank if entry else None
    return Line(
        rank="" if row["rank"] is None else f"{row['rank']}{SHARED if row['tied_with'] else ''}",
        generator=name,
        kind=row["kind"],
        mean_rank="" if mean is None else f"{mean.value:.1f} ({mean.low:.1f}–{mean.high:.1f})",
        cells=tuple(cells),
        tied_with=tuple(filter(None, row["tied_with"].split(";"))),
        flags=tuple(
            [flag for flag in flags if ":" not in flag and flag not in board.common_flags]
            + ([] if row["complete"] else ["incomplete"])
        ),
    )


def _notes(board: Board) -> Iterator[str]:
    yield (
        f"± half of the 95 % interval; {TIED} not told apart from the best (paired by seed); {AT_FLOOR} at the floor, "
        "which is what real held-out sequences score against each other."
    )
    if board.ranking.entries:
        voices = "; ".join(f"{family}: {', '.join(metrics)}" for family, metrics in board.ranking.voices.items())
        yield (
            f"Mean rank: the mean place in each family of metrics ({voices}), then over families, with its 95 % "
            "interval. Generators that share a rank are not told apart by all metrics together. Ranks hold among these "
            f"generators, metrics and data alone: field {board.ranking.field}."
        )
    for metric, names in board.blind.items():
        yield (
            f"{metric} is blind{' to all controls, and has no voice in the ranks' * (metric in board.silent)}: it does "
            f"not put held-out real sequences before {' and '.join(names)}."
        )
    for metric, names in board.unchecked.items():
        yield f"Whether {metric} is blind is not known for want of scores of {' and '.join(names)}, or of intervals."
    if "other-data" in board.common_flags:
        yield "other-data: nobody vouches for these data but whoever ran this."
    if "random-split" in board.common_flags:
        yield "random-split: test sequences may have near copies among the training sequences."
    if any(entry.pareto for entry in board.ranking.entries):
        yield (
            "pareto: no other generator is as good in mean rank and as cheap to sample from, and better in one; costs "
            "within a tenth are the same."
        )
    if any(row["complete"] is False for row in board.rows):
        yield "incomplete: scores are missing, so there is no rank."
