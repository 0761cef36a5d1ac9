"""docs/tutorial.md, done as a newcomer does it: every command, every file, in a fresh environment.

What its Markdown means to this test:

- ``console``: a line with a dollar sign is a command for one shell that goes on through the whole tutorial, and ends
  with code 0, or with 1 where the fence says ``console exit=1``. What follows a command is what it prints: stdout, or
  stderr where stdout is empty. ``...`` stands for any text, on a line of its own for any lines. Numbers with a point or
  an exponent, the sign ◆ of what is quick, and the width of tables may differ; everything else may not.
- A block below ``**Write** `path`:`` is a file, one below ``**Append to** `path`:`` goes below it after two empty
  lines, and a ``diff`` below ``**Change** `path`:`` replaces the one place where its old lines stand. Paths count from
  where the shell began.
- ``text`` is shown, and holds nothing that is to be done here. Any other block is an error.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"

FENCE = re.compile(r"```(.*)")
FILE = re.compile(r"\*\*(Write|Append to|Change)\*\* `([^`]+)`:")
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?|-?\d+e[-+]?\d+")


class TutorialError(Exception):
    """Where the tutorial does not hold, and why."""


@dataclass(frozen=True)
class Command:
    """What a reader types, the exit code, and what the page shows of what it prints; nothing if that is empty."""

    line: int  # of the page, from 1 on
    text: str
    code: int
    shown: str


@dataclass(frozen=True)
class File:
    """Text that a reader puts into a file: ``how`` is one of Write, Append to, Change."""

    line: int
    how: str
    path: str
    text: str


def steps(page: str) -> Iterator[Command | File]:
    """What a reader does, in order. TutorialError, with the line, for a block that is of no known kind."""
    lines = page.splitlines()
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        end = next((i for i in range(at + 1, len(lines)) if lines[i].rstrip() == "```"), None)
        if end is None:
            raise TutorialError(f"line {at + 1}: the block does not end")
        above = next((line for line in reversed(lines[:at]) if line.strip()), "")
        yield from _block(at + 1, fence[1].strip(), FILE.fullmatch(above), lines[at + 1 : end])
        at = end + 1


def _block(line: int, kind: str, file: re.Match[str] | None, content: list[str]) -> Iterator[Command | File]:
    if file is not None:
        if (file[1] == "Change") != (kind == "diff"):
            raise TutorialError(f"line {line}: a diff changes a file, and any other block writes one, not {kind!r}")
        yield File(line, file[1], file[2], "".join(f"{text}\n" for text in content))
    elif kind in ("console", "console exit=1"):
        yield from _commands(line + 1, content, int(kind != "console"))
    elif kind != "text":
        raise TutorialError(f"line {line}: a block of the kind {kind!r} is neither run nor written to a file")


def _commands(first: int, content: list[str], code: int) -> Iterator[Command]:
    starts = [i for i, text in enumerate(content) if text.startswith("$ ")]
    if not starts or starts[0]:
        raise TutorialError(f"line {first}: a console block begins with a command, '$ ...'")
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        last = start
        while content[last].endswith("\\"):
            last += 1
        text = "\n".join(content[start : last + 1]).removeprefix("$ ")
        yield Command(first + start, text, code, "\n".join(content[last + 1 : end]))


def matches(shown: str, printed: str) -> bool:
    """Whether what a command printed is what the page shows."""
    pattern = ""
    for line in _plain(shown):
        pattern += r"(?:.*\n)*?" if line == "..." else ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _plain(printed))) is not None


def _plain(text: str) -> list[str]:
    """Lines without what may differ: measured numbers, the sign ◆, which goes by time, and the width of columns."""
    lines = [" ".join(re.sub("◆|(?<=─)─+", "", NUMBER.sub("#", line)).split()) for line in text.splitlines()]
    return [line for line in lines if line]


class Desk:
    """A reader's directory and shell, in which the tutorial is followed."""

    def __init__(self, place: Path) -> None:
        self.home = place / "home"
        self._state = place / "state"  # of the shell: variables and directory, written after every command
        self._tools = place / "tools"
        for directory in (self.home, self._tools):
            directory.mkdir()
        (self.home / "dnabench").symlink_to(ROOT)  # the checkout that the reader has
        # `python3` is the one that runs the tests; no other program of its environment is to be found.
        (self._tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        (self._tools / "python3").chmod(0o755)
        self._environment = self._clean_environment(place)

    def _clean_environment(self, place: Path) -> dict[str, str]:
        ours = ("PYTHON", "PIP_", "DNABENCH_", "PYTEST_", "COV_", "VIRTUAL_ENV", "COLUMNS", "TOX")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        programs = [path for path in os.environ["PATH"].split(os.pathsep) if path != sysconfig.get_path("scripts")]
        return inherited | {
            "PATH": os.pathsep.join([str(self._tools), *programs]),
            "OMP_NUM_THREADS": "1",
            "DNABENCH_STORE": str(place / "store"),
            # The commands of pip are those of the page. Without a network it is not to look for what they depend on,
            # which is there already (see borrow), nor for hatchling, in an environment of its own for every build.
            # The last means --no-build-isolation: pip reads such a variable as the value of what the option turns off.
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_CACHE_DIR": str(place / "pip"),
        }

    def follow(self, step: Command | File) -> None:
        """Do what a step says. TutorialError where that is not possible, or something else comes of it."""
        self._edit(step) if isinstance(step, File) else self._run(step)

    def borrow(self) -> None:
        """Let the reader's new environment find torch and the like in that of the tests, behind all that it has."""
        (site,) = (self.home / "env" / "lib").glob("python3*/site-packages")
        outer = sysconfig.get_path("purelib")
        (site / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n", encoding="utf-8")

    def _run(self, command: Command) -> None:
        script = (
            f'[ ! -f "$0" ] || . "$0"\n{command.text}\ncode=$?\n{{ export -p; echo "cd \'$PWD\'"; }} > "$0"\nexit $code'
        )
        ended = subprocess.run(
            ["bash", "-c", script, self._state],
            cwd=self.home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        story = f"line {command.line}: {command.text}\n--- stdout\n{ended.stdout}--- stderr\n{ended.stderr}"
        if ended.returncode != command.code:
            raise TutorialError(f"{story}--- ended with {ended.returncode}, not {command.code}")
        if command.shown.strip() and not matches(command.shown, ended.stdout or ended.stderr):
            raise TutorialError(f"{story}--- is not what the page shows:\n{command.shown}")
        if command.text == "python3 -m venv env":
            self.borrow()

    def _edit(self, step: File) -> None:
        path = self.home / step.path
        if step.how == "Write":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            return
        if not path.is_file():
            raise TutorialError(f"line {step.line}: there is no {step.path}")
        text = path.read_text(encoding="utf-8")
        if step.how == "Append to":
            text += f"\n\n{step.text}"
        else:
            lines = step.text.splitlines(keepends=True)
            old, new = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
            if text.count(old) != 1:
                raise TutorialError(f"line {step.line}: {step.path} has {text.count(old)} such places, not 1:\n{old}")
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_a_newcomer_gets_a_model_and_a_metric_into_a_ranked_table(tmp_path):
    desk = Desk(tmp_path)
    for step in steps(TUTORIAL.read_text(encoding="utf-8")):
        try:
            desk.follow(step)
        except TutorialError as error:
            pytest.fail(f"docs/tutorial.md, {error}", pytrace=False)

    with (desk.home / "table" / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["slice"] == "all"]
    assert {row["status"] for row in rows} == {"done"}
    for metric in ("kmer-js", "position-entropy"):
        scores = {(row["generator"], row["seed"]): row for row in rows if row["metric"] == metric}
        for seed in ("0", "1"):  # an LSTM that has learned anything is nearer to real DNA than to random bases
            mine, random, real = (float(scores[name, seed]["value"]) for name in ("my-lstm", "random", "holdout"))
            assert mine - real < 0.5 * (random - real)
            assert float(scores["my-lstm", seed]["ci_low"]) < mine < float(scores["my-lstm", seed]["ci_high"])
    with (desk.home / "table" / "leaderboard.csv").open(encoding="utf-8", newline="") as file:
        table = {row["generator"]: row for row in csv.DictReader(file)}
    assert [table["my-lstm"][column] for column in ("rank", "kind", "seeds", "complete")] == ["1", "model", "2", "true"]
    assert not [row for row in table.values() if "blind:position-entropy" in row["flags"]]


PAGE = """
# A page

```console
$ echo one
one
$ echo two \\
    three
```

**Write** `below/a.txt`:

```python
x = 1
y = 2
```

**Change** `below/a.txt`:

```diff
 x = 1
-y = 2
+y = 3
```

```text
rm -rf everything
```
"""


def test_steps_are_taken_in_order(tmp_path):
    page = PAGE + "```console\n$ export WORD=kept; cd below\n$ echo $WORD; cat a.txt\nkept\nx = 1\ny = 3\n```\n"
    assert [step.line for step in steps(page)] == [5, 7, 13, 20, 30, 31]
    desk = Desk(tmp_path)
    for step in steps(page):
        desk.follow(step)
    assert (desk.home / "below" / "a.txt").read_text() == "x = 1\ny = 3\n"


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("```sh\nls\n```\n", "line 29: a block of the kind 'sh'"),
        ("```\nls\n```\n", "line 29: a block of the kind ''"),
        ("```python\nx = 1\n```\n", "line 29: a block of the kind 'python'"),
        ("```console\nls\n```\n", "line 30: a console block begins with a command"),
        ("```console\n$ ls\n", "line 29: the block does not end"),
        ("```console\n$ true\n$ (exit 3)\n```\n", r"(?s)line 31: \(exit 3\).*ended with 3, not 0"),
        ("```console exit=1\n$ true\n```\n", "(?s)line 30: true.*ended with 0, not 1"),
        ("```console\n$ echo three\ntwo\n```\n", "(?s)line 30: echo three.*is not what the page shows:\ntwo"),
        ("**Change** `below/a.txt`:\n```diff\n-z = 1\n+z = 2\n```\n", "line 30: below/a.txt has 0 such places"),
        ("**Change** `below/a.txt`:\n```python\nz = 1\n```\n", "line 30: a diff changes a file"),
        ("**Append to** `b.txt`:\n```python\nz = 1\n```\n", "line 30: there is no b.txt"),
    ],
)
def test_what_does_not_hold_is_told_with_its_line(tmp_path, added, message):
    desk = Desk(tmp_path)
    with pytest.raises(TutorialError, match=message):
        for step in steps(PAGE + added):
            desk.follow(step)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a  0.51 ± 0.2 (1.00)\n──", "a     -1.2e-05 ± 12.5 (-0.01)   \n\n─────", True),
        ("1000 sequences", "1001 sequences", False),
        ("first\n...\nlast", "first\nlast", True),
        ("first\n...\nlast", "first\n2\n3\nlast", True),
        ("first\n...\nlast", "first\n2\nlast\nmore", False),
        ("at ... of 20 (x)", "at line 4 of 20 (x)", True),
        ("at ... of 20 (x)", "at line 4 of 21 (x)", False),
    ],
)
def test_numbers_and_widths_may_differ_and_nothing_else(shown, printed, same):
    assert matches(shown, printed) is same
