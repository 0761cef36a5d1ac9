"""The directory that ``dnabench data split`` writes and runs read.

::

    train.fa.gz  validation.fa.gz  test.fa.gz
    split.json      how they were made, and what validation and test share with train
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.data import info
from dnabench.data.formats import split_ending, stem
from dnabench.data.split import Split
from dnabench.errors import UserError
from dnabench.files import sync

if TYPE_CHECKING:
    from dnabench.data.source import Data

PARTS = Split._fields
ABOUT = "split.json"
_OF_SPLITS = {"train", "training", "validation", "valid", "val", "dev", "test"}


def part_files(directory: Path) -> list[Path]:
    """The files of train, validation and test, in any format; none where a directory holds others.

    UserError for a directory that looks split but does not hold these three alone: to take its files together would put
    test sequences among the training sequences.
    """
    if not directory.is_dir():
        return []
    files = [path for path in sorted(directory.iterdir()) if split_ending(path)[1] and not path.name.startswith(".")]
    if not {stem(path).lower() for path in files} & _OF_SPLITS:
        return []
    if sorted(map(stem, files)) != sorted(PARTS):
        raise UserError(
            f"{directory}: looks split, but holds {', '.join(path.name for path in files)}; a split has one file each "
            f"of {', '.join(PARTS)} and no others"
        )
    return [path for part in PARTS for path in files if stem(path) == part]


def given_protocol(directory: Path) -> str:
    """What ``split.json`` says, if it is about these very files, else ``given``."""
    try:
        about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
        return str(about["protocol"]) if about["files"] == _checksums(part_files(directory)) else "given"
    except (OSError, ValueError, KeyError, TypeError):
        return "given"


def _checksums(files: Sequence[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def check_new(directory: Path) -> None:
    """UserError unless the directory is empty or not there."""
    if directory.is_dir() and any(directory.iterdir()):
        raise UserError(f"{directory}: is not empty; choose another --out")
    if directory.exists() and not directory.is_dir():
        raise UserError(f"{directory}: is a file; --out takes a directory")


def write_split(directory: Path, data: Data) -> dict[str, Any]:
    """Write the parts of ``data`` into a new directory, whole or not at all; what ``split.json`` says."""
    parts = {name: getattr(data, name) for name in PARTS}
    about: dict[str, Any] = {"name": data.name, "sha256": data.digest, "length": data.length}
    about |= info.describe_split(parts, data.protocol)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f".{directory.name}.") as temporary:
            new = Path(temporary) / "new"
            new.mkdir()
            for name, part in parts.items():
                part.to_fasta(new / f"{name}.fa.gz")
            about["files"] = _checksums(part_files(new))
            (new / ABOUT).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
            sync(new / ABOUT)
            new.replace(directory)
    except OSError as error:
        raise UserError(f"{directory}: cannot be written: {error.strerror}") from None
    return about
