"""Two leaderboards into one: the union of their facts, or an error that names what contradicts what."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dnabench.errors import UserError
from dnabench.files import sync
from dnabench.leaderboard import directory as directories
from dnabench.leaderboard import facts, names, protocol, publication, reading
from dnabench.leaderboard.cells import to_text

if TYPE_CHECKING:
    from dnabench.leaderboard.directory import Published
    from dnabench.leaderboard.facts import Row


def merge(first: Path, second: Path, out: Path) -> list[Published]:
    """Write the union of two leaderboards to ``out``, which must not be there yet, or be empty; what it holds then.

    UserError, and nothing written, where one fact has other numbers in the two, where they were measured by different
    protocols, or where they differ in what kind a generator is or in the file of a suite.
    """
    for side in (first, second):
        if out.resolve().is_relative_to(side.resolve()):
            raise UserError(f"{out}: is inside {side}, which would be no leaderboard any more; --out takes one outside")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: is there already; --out takes a directory that is new or empty")
    sides = [
        {suite: directories.load(side, suite) for suite in directories.suites_in(side)} for side in (first, second)
    ]
    texts: dict[str, str | bytes] = {}
    merged = []
    for suite in sorted({*sides[0], *sides[1]}):
        names.check_distinct({*sides[0], *sides[1]}, out)
        found = [side[suite] for side in sides if suite in side]
        files = {known.directory / f"{suite}.toml" for known in found}
        contents = {path: path.read_bytes() for path in sorted(files) if path.exists()}
        if len(set(contents.values())) > 1:
            raise UserError(f"{' and '.join(map(str, contents))} differ: they are two suites; rename one")
        texts |= {f"{suite}.toml": content for content in contents.values()}
        together = found[0] if len(found) == 1 else _union(*found)
        for generator in together.kinds:
            rows = (row for row in together.facts if row["generator"] == generator)
            texts[f"{suite}/{generator}.csv"] = facts.to_csv(rows, facts.COLUMNS)
        texts[f"{suite}.csv"] = text = together.text()
        merged.append(replace(together, directory=out, there=text))
    _write_new(out, texts)
    return merged


def _union(first: Published, second: Published) -> Published:
    where = f"{first.directory} and {second.directory}: {first.suite}"
    for name in first.kinds.keys() & second.kinds.keys():
        if first.kinds[name] != second.kinds[name]:
            raise UserError(
                f"{where}: {name} is a {first.kinds[name]} in the one and a {second.kinds[name]} in the other"
            )
    facts_of = {_key(row): row for row in first.facts}
    versions = {row["generator"]: row for row in first.facts}
    for row in second.facts:
        other = versions.get(row["generator"], row)
        for column in ("generator_version", "options"):
            if row[column] != other[column]:
                raise _conflict(first, other, second, row, column)
        there = facts_of.setdefault(_key(row), row)
        for column in facts.COLUMNS:
            if there[column] != row[column]:
                raise _conflict(first, there, second, row, column)
    rows = sorted(facts_of.values(), key=facts.order)
    protocol.check(rows, rows, where)
    names.check_distinct({*first.kinds, *second.kinds}, where)
    return replace(
        first,
        facts=rows,
        kinds={**first.kinds, **second.kinds},
        flags=tuple(dict.fromkeys([*first.flags, *second.flags])),
        controls=directories.controls_of(
            directories.suite_of(first.directory, first.suite) or directories.suite_of(second.directory, first.suite)
        ),
    )


def _key(row: Row) -> tuple[object, ...]:
    return (row["generator"], row["seed"], row["slice"], row["metric"])


def _conflict(first: Published, one: Row, second: Published, other: Row, column: str) -> UserError:
    cells = (
        f"{directories.facts_path(side.directory, side.suite, row['generator'])} has {column} "
        f"{to_text(row[column]) or 'nothing'} for {reading.describe(row)}"
        for side, row in ((first, one), (second, other))
    )
    return UserError(f"{', but '.join(cells)}; a merge takes no sides: remove the one that is wrong")


def _write_new(out: Path, texts: Mapping[str, str | bytes]) -> None:
    """Write a directory, whole or not at all."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from None
    try:
        publication.stage(temporary, texts)
        temporary.chmod(0o777 & ~_umask())
        temporary.replace(out)
        sync(out.parent)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
