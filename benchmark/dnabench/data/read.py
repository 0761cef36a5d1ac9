"""Reading: one file, several, or a directory whose file names are the species; each in whatever format it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from dnabench.data.fasta import read_fasta
from dnabench.data.formats import FASTA, PARQUET, TEXT_TABLES, split_ending, stem
from dnabench.data.records import Reading, Records
from dnabench.errors import UserError

_FORMATS = (*FASTA, *TEXT_TABLES, *PARQUET)


def read(paths: Sequence[Path], *, sequence_column: str | None = None) -> Reading:
    """Read FASTA (plain, gzip, bgzip), CSV, TSV (plain or gzip) or Parquet, told by the files' endings, else FASTA.

    Of a directory every file with such an ending that is not hidden is read, and gives its name without ending as the
    label ``species`` to records that have none. Raises UserError for a file that cannot be read at all; faults of
    single records are in the result.
    """
    files: list[Records] = []
    for path in paths:
        if path.is_dir():
            members = sorted(p for p in path.iterdir() if p.is_file() and split_ending(p)[1] and p.name[0] != ".")
            if not members:
                raise UserError(f"{path}: no file of sequences in this directory (looked for {', '.join(_FORMATS)})")
            files += [_with_species(_read_file(p, sequence_column), stem(p)) for p in members]
        else:
            files.append(_read_file(path, sequence_column))
    return Reading(files)


def _read_file(path: Path, sequence_column: str | None) -> Records:
    ending = split_ending(path)[1]
    if ending in TEXT_TABLES:
        from dnabench.data.tabular import read_text_table

        return read_text_table(path, sequence_column=sequence_column)
    if ending in PARQUET:
        from dnabench.data.tabular import read_parquet

        return read_parquet(path, sequence_column=sequence_column)
    return read_fasta(path)


def _with_species(records: Records, species: str) -> Records:
    labels = records.labels.copy()
    if "species" in labels:
        labels["species"] = labels["species"].where(labels["species"] != "", species)
    else:
        labels.insert(0, "species", species)
    return dataclasses.replace(records, labels=labels)
