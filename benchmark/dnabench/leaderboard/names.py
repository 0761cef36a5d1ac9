"""Names that are safe as names of files, on any system, before they become any."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dnabench.errors import UserError

_GENERATOR = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*(=[\w.+-]+)?")
_SUITE = re.compile(r"\w([\w.+= -]*[\w+=-])?")
_LONGEST = 100  # of the 255 bytes that file systems allow, in letters of up to two bytes
# Windows takes these for devices, whatever ending follows.
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def check_generator(name: str, where: object) -> str:
    """The name of a generator, ``NAME`` or ``NAME=VALUE``; UserError for one that cannot be a file's."""
    return _check(
        name, _GENERATOR, "generator", "lower-case words joined by hyphens, such as markov or markov=3", where
    )


def check_suite(name: str, where: object) -> str:
    """The name of a suite; UserError for one that cannot be a directory's."""
    return _check(name, _SUITE, "suite", "letters, digits and - _ . + = within", where)


def check_distinct(names: Iterable[str], where: object) -> None:
    """UserError for two names that are one where file systems ignore case."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise UserError(f"{where}: {other} and {name} would be one file where case is ignored; rename one")


def _check(name: str, pattern: re.Pattern[str], noun: str, right: str, where: object) -> str:
    if not pattern.fullmatch(name) or len(name) > _LONGEST:
        raise UserError(f"{where}: {name[:_LONGEST]!r} cannot be the name of a {noun}: {right}")
    if _DEVICES.fullmatch(name):
        raise UserError(f"{where}: {name!r} cannot be the name of a {noun}: it is a device on Windows")
    return name
