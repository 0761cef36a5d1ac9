"""How what is old in a store, or too much, goes while other processes work on it.

A run makes anew whatever it does not find. Nothing is removed without the lock under which it is made, and a cell's
record goes before its files, so that no cell is ever finished without them.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from dnabench.files import is_held, locked
from dnabench.inventory import DOWNLOADS, KINDS, MADE, Item, measure, scan
from dnabench.store import FOLDERS

PRUNABLE = (*MADE, DOWNLOADS)
HOUR, DAY = 3_600.0, 86_400.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What goes together, in this order.

    Attributes:
        kind: that of its last item: a model with its record is a model.
        lock: held by whoever makes it; None where it is written in one step.
        waste: whether it is of no use to anybody: files without a record, or what a killed process left.
    """

    kind: str
    items: tuple[Item, ...]
    lock: Path | None
    waste: bool

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(item.bytes for item in self.items)

    @property
    def used(self) -> float:
        """The last use of any of it, in seconds since 1970."""
        return max(item.used for item in self.items)


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What a pruning came to.

    Attributes:
        removed: in a dry run, what would be.
        spared: what is old or too much, but in use or used of late.
        refused: a line for each thing that the operating system would not remove.
        left: bytes of the kinds concerned that are still there.
    """

    removed: list[Unit]
    spared: list[Unit]
    refused: list[str]
    left: int


def units(root: Path, items: Iterable[Item]) -> list[Unit]:
    """What can be removed, each with its lock."""
    grouped: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        if item.kind in PRUNABLE:
            of_cell = item.whole and item.kind in ("cells", *FOLDERS.values())
            grouped[("cell", item.key) if of_cell else (item.kind, item.path.name)].append(item)
    return [_unit(root, sorted(group, key=lambda item: KINDS.index(item.kind))) for group in grouped.values()]


def _unit(root: Path, items: list[Item]) -> Unit:
    first, kind = items[0], items[-1].kind
    lock: Path | None
    if first.path.suffix == ".lock":
        lock = first.path
    elif kind == "parts":
        lock = first.path.with_suffix(".lock")
    elif kind == "splits" or not first.whole:
        lock = None
    else:
        lock = root / "scratch" / f"{'fetch-' if kind == DOWNLOADS else ''}{first.key}.lock"
    waste = not first.whole or first.kind in FOLDERS.values()
    return Unit(kind=kind, items=tuple(items), lock=lock, waste=waste)


def choose(
    found: Collection[Unit],
    *,
    now: float,
    older_than: float | None,
    max_size: int | None,
    in_use: Callable[[Unit], bool],
) -> tuple[list[Unit], list[Unit]]:
    """What is to go, the oldest first, and what would have to go but is in use.

    Args:
        now: seconds since 1970.
        older_than: seconds; what was not used for longer goes.
        max_size: bytes; the oldest goes until all of ``found`` together is no larger.
        in_use: asked of what would go.

    Waste goes after a day, and no earlier: it may be about to become something.
    """
    total = sum(unit.bytes for unit in found)
    chosen: list[Unit] = []
    spared: list[Unit] = []
    for unit in sorted(found, key=lambda unit: (not unit.waste, unit.used, unit.items[0].path)):
        age = now - unit.used
        if unit.waste:
            goes = age > DAY
        else:
            goes = (older_than is not None and age > older_than) or (max_size is not None and total > max_size)
        if goes and in_use(unit):
            spared.append(unit)
        elif goes:
            chosen.append(unit)
            total -= unit.bytes
    return chosen, spared


def prune(
    root: Path, kinds: Collection[str], *, older_than: float | None, max_size: int | None, dry_run: bool = False
) -> Pruned:
    """Remove what :func:`choose` says of these kinds. UserError when the store cannot be read.

    What was used within the hour stays, unless ``older_than`` is less. While a run is at work on the store, so does
    what was used since it began, and within a day: it may be about to sample from a model, or to score a sample.
    """
    everything = list(scan(root))
    now = time.time()
    held = [item for item in everything if item.path.suffix == ".lock" and is_held(item.path)]
    grace = max((now - item.used for item in held), default=0.0)
    grace = max(DAY, grace) if held else min(HOUR, older_than or HOUR)

    def in_use(unit: Unit) -> bool:
        return now - unit.used < grace or (unit.lock is not None and is_held(unit.lock))

    found = [unit for unit in units(root, everything) if unit.kind in kinds]
    chosen, spared = choose(found, now=now, older_than=older_than, max_size=max_size, in_use=in_use)
    removed: list[Unit] = []
    refused: list[str] = []
    for unit in chosen:
        try:
            (removed if dry_run or remove(unit) else spared).append(unit)
        except OSError as error:
            refused.append(f"{error.filename or unit.items[0].path}: cannot be removed: {error.strerror}")
    left = sum(unit.bytes for unit in found) - sum(unit.bytes for unit in removed)
    return Pruned(removed=removed, spared=spared, refused=refused, left=left)


def remove(unit: Unit) -> bool:
    """Remove it; False if somebody holds its lock, or has used it since it was looked at. OSError when it cannot be."""
    if unit.lock is not None:
        unit.lock.parent.mkdir(exist_ok=True)
    try:
        with locked(unit.lock, wait=False) if unit.lock else contextlib.nullcontext():
            rest = [item for item in unit.items if item.path != unit.lock]  # a lock goes as it is let go of
            if _is_recorded(unit) or any(measure(item.path)[1] > item.used for item in rest):
                return False
            for path in (item.path for item in rest):
                if path.is_dir():
                    (path / "about.json").unlink(missing_ok=True)  # parts are there as long as this is
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    return True


def _is_recorded(unit: Unit) -> bool:
    """Whether files that had no record have one now: their cell was just about to be finished."""
    last = unit.items[-1]
    record = last.path.parents[1] / "cells" / f"{last.key}.json"
    return unit.waste and last.kind in FOLDERS.values() and record.exists()
