"""Options of the generator ``external``: its commands, and what their placeholders stand for."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from dnabench import option

EXAMPLE = "--set external.command='./sample.sh {n} {seed} {out}'"
PLACEHOLDERS = {
    "command": ("n", "seed", "out", "length", "model", "device", "name"),
    "train": ("train", "seed", "length", "model", "device", "name"),
}
REQUIRED = {"command": ("n", "seed", "out"), "train": ("train",)}
"""Without a seed all seeds of a run would get the same sequences."""


@dataclass(frozen=True)
class ExternalOptions:
    """Two commands, split as a shell would, but run without one."""

    command: str = option(
        "", "writes {n} sequences as FASTA to {out}, seeded by {seed}; may use {length} {model} {device} {name}"
    )
    train: str = option(
        "", "runs first, if set: reads FASTA from {train}, writes into {model}; may use {seed} {length} {device} {name}"
    )
    name: str = option("", "what {name} stands for: one run compares external=a and external=b")
    files_sha256: str = option("", "of the files that the commands name; found when the run is planned")

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError(f"external has no command; give one: {EXAMPLE}")
        for which in ("command", "train") if self.train else ("command",):
            self._check(which)
        if self.name and "{name}" not in self.command + self.train:
            raise ValueError(f"{self.name} is to be external's name, but no command has {{name}}")
        found = self._digest()
        if self.files_sha256 not in ("", found):
            raise ValueError(f"files of {self.command!r} are not what they were, or not to be found from {Path.cwd()}")
        object.__setattr__(self, "files_sha256", found)

    def _check(self, which: str) -> None:
        text = getattr(self, which)
        try:
            fields = [field for word in shlex.split(text) for field in Formatter().parse(word)]
        except ValueError as error:
            raise ValueError(f"{which} {text!r}: {error}") from None
        named, known = {name for _, name, _, _ in fields if name is not None}, PLACEHOLDERS[which]
        for name in sorted(named - set(known)):
            words = " ".join(f"{{{one}}}" for one in known)
            raise ValueError(f"{which} {text!r}: {{{name}}} is none of {words}; other braces are doubled: {{{{ }}}}")
        if any(detail or conversion for _, _, detail, conversion in fields):
            raise ValueError(f"{which} {text!r}: a placeholder is a name alone, such as {{n}}")
        for name in REQUIRED[which]:
            if name not in named:
                raise ValueError(f"{which} {text!r} lacks {{{name}}}")
        if "name" in named and not self.name:
            raise ValueError(f"{which} {text!r} has {{name}}: say --generator external=NAME")
        program, *_ = self._words(which)
        if "{" not in program and shutil.which(program) is None:
            why = (
                "cannot be executed (chmod +x)" if Path(program).exists() else f"is not in {Path.cwd()} or on the PATH"
            )
            raise ValueError(f"{which} {text!r}: the program {program} {why}")

    def _words(self, which: str) -> list[str]:
        """The words of a command, with its name in those that hold no other placeholder."""
        return [_formatted(word, self.name) for word in shlex.split(getattr(self, which))]

    def _digest(self) -> str:
        """sha256 over the files that are words of the commands, so that results are known to be of these very files."""
        files = sorted(word for word in {*self._words("command"), *self._words("train")} if _is_file(word))
        if not files:
            return ""
        state = hashlib.sha256()
        for file in files:
            try:
                with open(file, "rb") as stream:  # noqa: PTH123 - a Path's is_file, of which they come, refuses long words
                    state.update(f"{file}\n{hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
            except OSError as error:
                raise ValueError(f"{file}: cannot be read: {error.strerror}") from None
        return state.hexdigest()


def _formatted(word: str, name: str) -> str:
    try:
        return word.format(name=name)
    except KeyError:  # it holds what is known when the command is run
        return word


def _is_file(word: str) -> bool:
    return os.path.isfile(word)  # noqa: PTH113 - a word may be any text
