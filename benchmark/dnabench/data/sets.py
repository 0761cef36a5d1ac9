"""The sets that ``dnabench data fetch`` and ``import`` keep in the user's cache, each whole or not at all.

::

    data/<name>/    about.json, and the files of dnabench.data.kept
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench.data.kept import read_kept, write_kept
from dnabench.errors import UserError, did_you_mean
from dnabench.files import locked, sync
from dnabench.specs import NAME_PATTERN

if TYPE_CHECKING:
    from dnabench.sequences import SequenceSet

SCHEMA = 1


class Sets:
    """The named sets under ``root``."""

    def __init__(self, root: Path) -> None:
        self._directory = root / "data"

    def names(self) -> list[str]:
        """What there is."""
        return sorted(p.parent.name for p in self._directory.glob("*/about.json") if not p.parent.name.startswith("."))

    def directory(self, name: str) -> Path:
        """Where a set is."""
        return self._directory / name

    def about(self, name: str) -> dict[str, Any]:
        """The record of a set: name, sha256, n, length, where it comes from. UserError for an unknown name."""
        path = self._directory / name / "about.json"
        try:
            about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if about.get("schema") != SCHEMA:
                raise ValueError(f"not a record of schema {SCHEMA}")
        except FileNotFoundError:
            raise UserError(f"no set named {name!r} is stored; {did_you_mean(name, self.names())}") from None
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: cannot be read: {error}") from None
        return about

    def load(self, name: str) -> SequenceSet:
        """The set. UserError for an unknown name, and when its files are no longer what was stored."""
        about = self.about(name)
        directory = self._directory / name
        try:
            sequences = read_kept(directory)
        except (OSError, ValueError, KeyError, TypeError):
            sequences = None
        if sequences is None or sequences.digest != about["sha256"]:
            raise UserError(f"{directory}: the stored set is damaged; fetch or import it again with --replace")
        return sequences

    def put(self, name: str, sequences: SequenceSet, about: Mapping[str, object], *, replace: bool = False) -> bool:
        """Keep a set; False when it was there already, the same.

        UserError for a name that is not lower-case words joined by hyphens, and for another set of that name unless
        ``replace``.
        """
        check_name(name)
        record = {
            "schema": SCHEMA,
            "name": name,
            "sha256": sequences.digest,
            "n": len(sequences),
            "length": sequences.length,
            **about,
        }
        target = self._directory / name
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with locked(self._directory / f".{name}.lock"):
                # Nobody else writes this name now: what lies here under such a name was left by an interruption.
                for old in self._directory.glob(f".{name}.*.old.part"):
                    if not target.exists():
                        old.replace(target)
                for left in self._directory.glob(f".{name}.*.part"):
                    shutil.rmtree(left)
                if target.exists() and not replace:
                    there = self.about(name)
                    if there["sha256"] != sequences.digest:
                        raise UserError(
                            f"another set named {name!r} is stored (sha256 {there['sha256'][:12]}..., this one "
                            f"{sequences.digest[:12]}...); choose another --name, or --replace it"
                        )
                    return False
                self._write(target, sequences, record)
        except OSError as error:
            raise UserError(f"{self._directory}: the set cannot be written: {error.strerror}") from None
        return True

    def _write(self, target: Path, sequences: SequenceSet, record: Mapping[str, object]) -> None:
        part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
        try:
            write_kept(sequences, part)
            (part / "about.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            sync(part / "about.json")
            part.chmod(0o755)
            if target.exists():
                old = part.with_suffix(".old.part")
                target.replace(old)
                part.replace(target)
                shutil.rmtree(old)
            else:
                part.replace(target)
            sync(target.parent)
        except BaseException:
            if not target.exists() and (old := part.with_suffix(".old.part")).exists():
                old.replace(target)
            shutil.rmtree(part, ignore_errors=True)
            raise


def check_name(name: str) -> None:
    """UserError unless it can be the name of a set."""
    if not NAME_PATTERN.fullmatch(name):
        raise UserError(f"name {name!r} is not lower-case words joined by hyphens, such as my-promoters")


def size_on_disk(directory: Path) -> int:
    """Bytes of the files in ``directory``."""
    return sum(entry.stat().st_size for entry in os.scandir(directory) if entry.is_file())
