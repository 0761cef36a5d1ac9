"""CSV, TSV and Parquet: a column of sequences, the others labels."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from dnabench.data.formats import TEXT_TABLES, WHITE_SPACE, open_bytes, split_ending
from dnabench.data.records import Collector, Records, wrong_letter
from dnabench.errors import UserError
from dnabench.sequences import CODE_TABLE, INVALID, label_name

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

# Where --sequence-column does not say, the first of these that a table has, in any case.
SEQUENCE_COLUMNS = ("sequence", "seq", "dna", "dna_sequence")
NAME_COLUMNS = ("name", "id")
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


class _Row(NamedTuple):
    """A record: its line (0 in Parquet) and its values in the order of the columns."""

    line: int
    values: Sequence[str]


def read_text_table(path: Path, *, sequence_column: str | None = None) -> Records:
    """The records of a CSV or TSV file (by its ending) with a header line; plain or gzip, UTF-8.

    A column without a name, such as pandas writes its index, is left out. A row of another number of columns, without a
    sequence or with a letter outside DNA is a fault of that record. UserError for a file without a column of sequences
    or that is not text, and for a quotation that never ends.
    """
    rows = _text_rows(path, TEXT_TABLES[split_ending(path)[1]])
    header = next(rows, None)
    if header is None:
        raise UserError(f"{path}: the file is empty; a header line with column names was expected")
    return _read(path, list(header.values), rows, sequence_column)


def read_parquet(path: Path, *, sequence_column: str | None = None) -> Records:
    """The records of a Parquet file; faults as in :func:`read_text_table`. UserError when it is not Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        # Else it would keep whole columns beside what is made of them.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            return _read(path, file.schema_arrow.names, _parquet_rows(path, file), sequence_column)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a Parquet file that can be read: {' '.join(str(error).split())}") from None


def _text_rows(path: Path, delimiter: str) -> Iterator[_Row]:
    """The header and every row that is not blank."""
    csv.field_size_limit(sys.maxsize)
    with open_bytes(path) as stream:
        reader = csv.reader(_lines(stream), delimiter=delimiter, strict=True)
        start = 1
        try:
            for values in reader:
                if values:
                    yield _Row(start, values)
                start = reader.line_num + 1
        except csv.Error as error:
            hint = "; a quotation mark is left open" if "unexpected end" in str(error) else ""
            raise UserError(f"{path}, line {start}: not a table that can be read: {error}{hint}") from None
        except UnicodeDecodeError:
            raise UserError(f"{path}, line {reader.line_num + 1}: not UTF-8 text") from None


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Lines as text with their ends, LF, CR LF or CR; UnicodeDecodeError for what is not UTF-8."""
    encoding = "utf-8-sig"
    for content in stream:
        line = content.decode(encoding)
        encoding = "utf-8"
        if line.count("\r") == line.endswith("\r\n"):
            yield line
        else:
            yield from _LINE.findall(line)


def _parquet_rows(path: Path, file: pq.ParquetFile) -> Iterator[_Row]:
    for batch in file.iter_batches(batch_size=1024, use_threads=False):
        columns = [_texts(path, field, column) for field, column in zip(batch.schema, batch.columns, strict=True)]
        yield from (_Row(0, values) for values in zip(*columns, strict=True))


def _texts(path: Path, field: pa.Field, column: pa.Array) -> list[str]:
    """The values of a column as text; ``""`` for null and NaN."""
    try:
        return [_text(value) for value in column.to_pylist()]
    except (ValueError, OverflowError) as error:  # text that is not UTF-8, or a time that Python does not know
        raise UserError(f"{path}: column {field.name!r} of type {field.type} cannot be read: {error}") from None


def _text(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 - so is NaN
        return ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _read(path: Path, columns: list[str], rows: Iterable[_Row], sequence_column: str | None) -> Records:
    as_labels = [label_name(column) for column in columns]
    if len(set(as_labels)) < len(columns):
        twice = next(column for column in as_labels if as_labels.count(column) > 1)
        raise UserError(f"{path}: two columns are called {twice!r}; rename one")
    where = _sequence_column(path, columns, sequence_column)
    named = _find(columns, NAME_COLUMNS)
    labels = [(i, column) for i, column in enumerate(as_labels) if i not in (where, named) and columns[i]]
    records = Collector(path)
    kept = bytearray()
    number = 0
    for number, (line, values) in enumerate(rows, start=1):
        name = values[named].strip() if named is not None and named < len(values) else ""
        place = line, number, name or f"record {number}"
        if len(values) != len(columns):
            records.refuse(f" has {len(values)} columns, the header has {len(columns)}", *place)
            continue
        text = bytearray(values[where], "utf-8")
        codes = text.translate(CODE_TABLE, WHITE_SPACE)
        if not codes:
            records.refuse(f" has no sequence in column {columns[where]!r}", *place)
        elif INVALID in codes:
            at, what = wrong_letter(text)
            position = len(text[:at].translate(None, WHITE_SPACE)) + 1
            records.refuse(f", position {position} of the sequence: {what}", *place)
        else:
            kept += records.take(codes, [(column, values[i]) for i, column in labels], *place)
    if not number:
        raise UserError(f"{path}: the table has a header and no rows")
    return records.records(kept)


def _sequence_column(path: Path, columns: list[str], wanted: str | None) -> int:
    listed = ", ".join(repr(column) for column in columns[:20]) + (", ..." if len(columns) > 20 else "")
    if wanted is not None:
        if wanted not in columns:
            raise UserError(f"{path}: no column {wanted!r}; its columns are {listed}")
        return columns.index(wanted)
    found = _find(columns, SEQUENCE_COLUMNS)
    alike = [column for column in columns if found is not None and column.lower() == columns[found].lower()]
    if len(alike) > 1:
        raise UserError(f"{path}: {' and '.join(map(repr, alike))} could be the sequences; say --sequence-column")
    if found is None:
        raise UserError(
            f"{path}: no column of sequences (looked for {', '.join(SEQUENCE_COLUMNS)}); its columns are {listed}; "
            f"name one with --sequence-column"
        )
    return found


def _find(columns: list[str], known: Sequence[str]) -> int | None:
    """The first of the known names that there is, in any case."""
    lower = [column.strip().lower() for column in columns]
    return next((lower.index(name) for name in known if name in lower), None)
