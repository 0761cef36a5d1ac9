"""Facts and tables read back from CSV: whatever is wrong with a file is one line that says where."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.errors import UserError
from dnabench.keys import canonical
from dnabench.leaderboard import facts, names, table
from dnabench.leaderboard.cells import from_text
from dnabench.orders import DONE, FAILURES, INTERRUPTED, SKIPPED

if TYPE_CHECKING:
    from dnabench.leaderboard.facts import Row

KINDS = ("model", "baseline", "control")
_WHOLE_NUMBERS = ("generator_version", "seed", "metric_version", "n_generated", "n_reference")
_NUMBERS = ("value", "ci_low", "ci_high", "floor")
_STATUSES = (DONE, *FAILURES, SKIPPED, INTERRUPTED)
_NEEDED = ("generator_version", "seed", "metric_version")
_LARGEST = 1e100  # beyond it means and squares of numbers may be none any more
_ENDS = ("", "_ci_low", "_ci_high")


def read_text(path: Path) -> str:
    """The text of a file, its line ends as they are. UserError where it cannot be read or is not plain UTF-8."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: is missing") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    if content.startswith(codecs.BOM_UTF8):
        raise UserError(f"{path}: begins with a byte order mark; dnabench writes UTF-8 without one")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in content[:4]:
        raise UserError(f"{path}: is UTF-16, and dnabench writes UTF-8")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}: line {line}: byte {content[error.start]:#04x} is not UTF-8, which dnabench writes; Latin-1 or "
            "another encoding?"
        ) from None


def parse(text: str, where: object) -> list[Row]:
    """Rows with the columns of ``results.csv``, as :func:`dnabench.leaderboard.facts.rows` makes them, but rounded."""
    found = parse_table(text, where, facts.COLUMNS, "results.csv")
    options = {""}
    for line, row in found:
        for name in _WHOLE_NUMBERS:
            row[name] = number(row[name], int, f"{where}: line {line}: {name}")
        for name in _NUMBERS:
            row[name] = number(row[name], float, f"{where}: line {line}: {name}")
        _check_row(row, f"{where}: line {line}")
        if row["options"] not in options:
            _check_options(row["options"], f"{where}: line {line}")
            options.add(row["options"])
    return [row for _, row in found]


def parse_table(text: str, where: object, columns: Sequence[str], name: str) -> list[tuple[int, dict[str, Any]]]:
    """The lines of a CSV text with just these ``columns``, those of the file ``name``: number and cells of each."""
    header, lines = _table(text, where)
    if header != list(columns):
        raise UserError(f"{where}: {_other_columns(header, columns)}; it takes the columns of {name}")
    return [(line, dict(zip(header, cells, strict=True))) for line, cells in lines]


def number(text: str, kind: Callable[[str], Any], where: str) -> Any:
    """The number in a cell, None for an empty one; ``kind``: ``int`` or ``float``. UserError for anything else."""
    if not text:
        return None
    try:
        found = kind(text)
    except ValueError:
        found = math.nan
    if not abs(found) < _LARGEST:
        raise UserError(f"{where} is {_shown(text)}; it takes a {'whole ' if kind is int else ''}number")
    return found


def read_facts(path: Path, suite: str, generator: str) -> list[Row]:
    """The facts in the file of one generator. UserError where they are not as dnabench writes them.

    That is: rows of this suite and generator, of one version with one set of options, sorted, each once, and written
    just so.
    """
    text = read_text(path)
    rows = parse(text, path)
    if not rows:
        raise UserError(f"{path}: holds no facts; remove it, or publish them again")
    for number, row in enumerate(rows, 2):
        for column, expected in (("suite", suite), ("generator", generator)):
            if row[column] != expected:
                raise UserError(f"{path}: line {number}: {column} is {row[column]!r}; in this file it is {expected!r}")
        for column in ("generator_version", "options"):
            if row[column] != rows[0][column]:
                raise UserError(
                    f"{path}: line {number}: {column} is {row[column]!r}, and {rows[0][column]!r} above; a generator's "
                    "facts are of one version with one set of options"
                )
    check_order(rows, path)
    if difference := first_difference(text, facts.to_csv(rows, facts.COLUMNS)):
        raise UserError(f"{path}: {difference}: not as dnabench writes it, with 9 digits at most and LF line ends")
    return rows


def check_order(rows: Sequence[Row], where: object) -> None:
    """UserError unless the rows, which begin on line 2, are sorted and each is there once."""
    for line, (above, row) in enumerate(pairwise(rows), 3):
        if facts.order(above) == facts.order(row):
            raise UserError(f"{where}: line {line}: {describe(row)} is there twice")
        if facts.order(above) > facts.order(row):
            raise UserError(f"{where}: line {line}: {describe(row)} is out of order; sorted by seed, slice, metric")


def parse_leaderboard(text: str, path: Path) -> list[dict[str, Any]]:
    """The rows of the published table at ``path``."""
    header, lines = _table(text, path)
    known = len(table.LEADING)
    metrics = header[known::3]
    if header != table.columns(metrics):
        raise UserError(f"{path}: {_other_columns(header, table.columns(metrics))}; it takes those of leaderboard.csv")
    rows: list[dict[str, Any]] = []
    for line, cells in lines:
        where = f"{path}: line {line}"
        row: dict[str, Any] = dict(zip(header, cells, strict=True))
        names.check_generator(row["generator"], where)
        if row["kind"] not in KINDS:
            raise UserError(f"{where}: kind {row['kind']!r} is none of {', '.join(KINDS)}")
        for name in ("rank", "generator_version", "seeds"):
            row[name] = number(row[name], int, f"{where}: {name}")
        for name in ("mean_rank", *(metric + end for metric in metrics for end in _ENDS)):
            row[name] = number(row[name], float, f"{where}: {name}")
        row["complete"] = row["complete"] == "true"
        if any(other["generator"] == row["generator"] for other in rows):
            raise UserError(f"{where}: {row['generator']} is there twice")
        rows.append(row)
    return rows


def describe(row: Row) -> str:
    """Which fact a row holds: generator, seed, slice and metric."""
    return f"{row['generator']} seed {row['seed']}, slice {row['slice']}, {row['metric']}"


def first_difference(found: str, expected: str) -> str:
    """Where two CSV texts differ first, and what stands there and should: line and, where it is one, column."""
    if found == expected:
        return ""
    one, other = found.splitlines(keepends=True), expected.splitlines(keepends=True)
    at = _apart(one, other)
    a, b = (lines[at] if at < len(lines) else "" for lines in (one, other))
    if a.rstrip("\r\n") == b.rstrip("\r\n"):
        if a.endswith("\r\n"):
            return f"line {at + 1}: ends in CRLF and not in LF (git's core.autocrlf does this)"
        return f"line {at + 1}: does not end in LF"
    try:
        header, (mine,), (theirs,) = (list(csv.reader([line])) for line in (expected.splitlines()[0], a, b))
    except (ValueError, csv.Error):
        return f"line {at + 1}: {_shown(a)} should be {_shown(b)}"
    for name, x, y in zip(header[0], mine, theirs, strict=False):
        if x != y:
            start = max(_apart(x, y) - 20, 0)  # of two long cells, what differs is shown
            shown, right = (_shown(cell if start < 20 else f"...{cell[start:]}") for cell in (x, y))
            return f"line {at + 1}, column {name}: {shown} should be {right}"
    return f"line {at + 1}: {_shown(a)} should be {_shown(b)}"


def _apart(one: Sequence[str], other: Sequence[str]) -> int:
    """How much two lists of lines, or two texts, have in common before they differ."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _table(text: str, where: object) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and the number and cells of each further line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        header = next(reader, [])
        lines += [(reader.line_num, [from_text(cell) for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise UserError(f"{where}: line {reader.line_num}: not CSV: {error}") from None
    if not header:
        raise UserError(f"{where}: is empty; its first line should name the columns")
    for number, cells in lines:
        if len(cells) != len(header):
            raise UserError(f"{where}: line {number}: has {len(cells)} cells, and the header {len(header)}")
    return [from_text(cell) for cell in header], lines


def _other_columns(found: Sequence[str], expected: Sequence[str]) -> str:
    missing = [name for name in expected if name not in found]
    more = [name for name in found if name not in expected]
    if not missing and not more:
        return "the columns are in another order"
    texts = [f"column{'s' * (len(n) > 1)} {', '.join(map(repr, n[:5]))} {what}"
             for n, what in ((missing, "missing"), (more, "not known")) if n]  # fmt: skip
    return ", ".join(texts)


def _check_row(row: Row, where: str) -> None:
    for name in _NEEDED:
        if row[name] is None:
            raise UserError(f"{where}: {name} is empty; it takes a whole number")
    if row["direction"] not in ("lower", "higher", ""):
        raise UserError(f"{where}: direction is {_shown(row['direction'])}; it takes lower, higher or nothing")
    if (row["value"] is not None) != (row["status"] == "done"):
        held = "no value" if row["value"] is None else f"value {row['value']:.9g}"
        raise UserError(f"{where}: {held} with status {_shown(row['status'])}; a value goes with the status done")
    if row["status"] not in _STATUSES:
        raise UserError(f"{where}: status is {_shown(row['status'])}; it takes {', '.join(_STATUSES)}")
    low, high = row["ci_low"], row["ci_high"]
    if (low is None) != (high is None) or (low is not None and low > high):
        raise UserError(f"{where}: ci_low {low} and ci_high {high} are no ends of an interval")


def _check_options(text: str, where: str) -> None:
    try:
        value = json.loads(text)
        right = isinstance(value, dict) and canonical(value) == text
    except (ValueError, RecursionError):
        right = False
    if not right:
        raise UserError(
            f"{where}: options is {_shown(text)}; it takes a JSON object as dnabench writes it, with sorted names and "
            'no spaces, such as {"order":3}, or nothing'
        )


def _shown(text: str, most: int = 60) -> str:
    """A piece of a file in an error message: whole, unless it is long."""
    return repr(text if len(text) <= most else f"{text[:most]}...")
