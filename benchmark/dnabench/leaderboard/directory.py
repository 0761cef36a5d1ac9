"""A directory of published results: facts in ``<suite>/<generator>.csv``, and ``<suite>.csv``, the table of them.

A table says one thing that its facts do not: the kinds of the generators. They stay as the table that is there has
them; of a generator that it lacks, the record of the installed plugin says. Whether nobody vouches for the suite's data
(``other-data``) follows from the digest where the suite pins one, and stays else as the table has it. The suite is one
that comes with dnabench, or ``<suite>.toml`` beside the table; without either its controls are the usual ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import manifest, suites
from dnabench.errors import UserError
from dnabench.leaderboard import facts, names, protocol, publication, reading, table
from dnabench.leaderboard.board import Board
from dnabench.leaderboard.families import known_families
from dnabench.leaderboard.scores import whole_facts
from dnabench.planning import OTHER_DATA, RANDOM_SPLIT

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row
    from dnabench.suites import Controls, Suite


@dataclass(frozen=True, kw_only=True)
class Published:
    """The results of one suite, checked.

    Attributes:
        facts: sorted.
        kinds: generator -> ``model``, ``baseline`` or ``control``.
        flags: what every line of the table carries.
        there: the table's text as it is there, read with the facts; None where it is missing.
    """

    directory: Path
    suite: str
    facts: Sequence[Row]
    kinds: Mapping[str, str]
    flags: tuple[str, ...]
    controls: Controls
    there: str | None

    @cached_property
    def board(self) -> Board:
        """All that follows from the facts."""
        return Board(
            suite=self.suite,
            facts=self.facts,
            kinds=self.kinds,
            families=known_families(sorted({row["metric"] for row in whole_facts(self.facts)})),
            controls=self.controls,
            flags=self.flags,
        )

    def text(self) -> str:
        """The table that follows from the facts, as CSV."""
        return facts.to_csv(self.board.rows, table.columns(self.board.directions))


def table_path(directory: Path, suite: str) -> Path:
    """Where a suite's table is."""
    return directory / f"{names.check_suite(suite, directory)}.csv"


def facts_path(directory: Path, suite: str, generator: str) -> Path:
    """Where a generator's facts are. UserError for names that are not safe as paths."""
    return directory / names.check_suite(suite, directory) / f"{names.check_generator(generator, directory)}.csv"


def suites_in(directory: Path) -> list[str]:
    """The suites that have a table or facts there, or will when a publication is finished. UserError for none."""
    if not directory.is_dir():
        raise UserError(f"{directory}: is no directory; a leaderboard is one, with SUITE.csv and SUITE/GENERATOR.csv")
    check_no_run(directory)
    tables = {path.stem for path in _csv_files(directory)} | set(publication.interrupted(directory))
    folders = {path.name for path in directory.iterdir() if path.is_dir() and path.name[0] != "." and _csv_files(path)}
    if not tables | folders:
        raise UserError(f"{directory}: holds no leaderboard: no SUITE.csv, and no SUITE/GENERATOR.csv")
    return [names.check_suite(name, directory) for name in sorted(tables | folders)]


def load(directory: Path, suite: str, kinds: Mapping[str, str] | None = None) -> Published:
    """What is published of a suite at one moment, whoever publishes meanwhile; it may be nothing.

    ``kinds``: those that a run knows, which win. UserError where files are missing, damaged, or of several protocols.
    """
    return publication.undisturbed(directory, suite, lambda: load_held(directory, suite, kinds))


def load_held(directory: Path, suite: str, kinds: Mapping[str, str] | None = None) -> Published:
    """What :func:`load` loads, for whoever holds the suite."""
    path = table_path(directory, suite)
    there = reading.read_text(path) if path.exists() else None
    lines = [] if there is None else reading.parse_leaderboard(there, path)
    folder = directory / suite
    generators = [names.check_generator(file.stem, file) for file in _csv_files(folder)] if folder.is_dir() else []
    for line in lines:
        if line["generator"] not in generators:
            raise UserError(
                f"{facts_path(directory, suite, line['generator'])}: is missing, and {path} lists {line['generator']}; "
                "bring it back, or take its line out of the table"
            )
    names.check_distinct(generators, folder)
    rows = [row for name in generators for row in reading.read_facts(facts_path(directory, suite, name), suite, name)]
    rows.sort(key=facts.order)
    protocol.check(rows, rows, folder)
    known = suite_of(directory, suite)
    return Published(
        directory=directory,
        suite=suite,
        facts=rows,
        kinds=_kinds(generators, {line["generator"]: line["kind"] for line in lines} | dict(kinds or {}), path),
        flags=_flags(known, rows, lines),
        controls=controls_of(known),
        there=there,
    )


def suite_of(directory: Path, suite: str) -> Suite | None:
    """The suite of that name: dnabench's own, or that of the file beside its table; None where there is neither."""
    if suite in suites.names():
        return suites.load(suite)
    path = directory / f"{suite}.toml"
    return suites.load(str(path)) if path.exists() else None


def controls_of(suite: Suite | None) -> Controls:
    """The controls of a suite, or the usual ones."""
    return (suite or suites.load(suites.DEFAULT)).controls


def check_writable(directory: Path) -> None:
    """UserError where ``directory`` could not be made or written."""
    there = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UserError(f"{there}: is a file; --leaderboard takes a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UserError(f"{there}: cannot be written: no permission")
    check_no_run(directory)


def check_no_run(directory: Path) -> None:
    """UserError where ``directory`` is that of a run."""
    if (directory / manifest.NAME).is_file():
        raise UserError(
            f"{directory}: is a run's directory, no leaderboard; dnabench leaderboard show {directory} shows its "
            "table, and dnabench run --leaderboard DIR publishes its facts"
        )


def _csv_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.csv") if not path.is_dir() and path.name[0] != ".")


def _kinds(generators: Iterable[str], known: Mapping[str, str], path: Path) -> dict[str, str]:
    found = {name: known[name] for name in generators if name in known}
    others = [name for name in generators if name not in known]
    if others:
        from dnabench.plugins import load_catalog
        from dnabench.specs import GeneratorSpec

        specs = {offer.spec.name: offer.spec for offer in load_catalog().all(GeneratorSpec)}
        for name in others:
            plugin = name.partition("=")[0]
            if plugin not in specs:
                raise UserError(
                    f"{path}: does not list {name}, and no installed plugin is called {plugin}: whether it is a model, "
                    "a baseline or a control is not known; install its plugin, or bring a table that lists it"
                )
            found[name] = specs[plugin].kind
    return found


def _flags(suite: Suite | None, rows: Sequence[Row], lines: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    if not rows:
        return ()
    if suite is not None and suite.dataset.sha256:
        other = rows[0]["dataset_sha256"] != suite.dataset.sha256
    elif lines:
        other = all(OTHER_DATA in line["flags"].split(";") for line in lines)
    else:
        other = suite is None or suite.dataset.path is None  # a suite's own file needs nobody to vouch for it
    applies = {OTHER_DATA: other, RANDOM_SPLIT: rows[0]["split"].startswith("random")}
    return tuple(flag for flag, holds in applies.items() if holds)
