"""A check is a promise and the function that tests it; a report is the list of what came of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias

Status: TypeAlias = Literal["passed", "failed", "skipped", "expected"]


class BrokenPromiseError(Exception):
    """A check's finding: what was expected, what was seen, and what to change."""


class SkippedError(Exception):
    """Why a check does not apply here."""


@dataclass(frozen=True)
class Check:
    """One promise.

    Attributes:
        name: what it is called, by its function.
        run: called with the subject of its kind; it returns where the promise is kept.
        needs: checks without which its finding would say nothing new; where one did not pass, it is skipped.
    """

    name: str
    run: Callable[[Any], None]
    needs: tuple[str, ...] = ()

    @property
    def promise(self) -> str:
        """What is promised, in a line."""
        return (self.run.__doc__ or "").strip().splitlines()[0].replace("``", "")


@dataclass(frozen=True)
class Outcome:
    """What came of one check.

    Attributes:
        status: ``passed``, ``failed``, ``skipped``, or ``expected``: it failed, as the author said it would.
        why: the finding of one that failed, the reason of one that was skipped or expected to fail.
    """

    check: str
    promise: str
    status: Status
    why: str = ""


@dataclass(frozen=True)
class Report:
    """What came of the checks of one plugin.

    Attributes:
        name: the plugin.
        what: ``generator``, ``metric``, ``embedder`` or ``dataset``.
        distribution: the package that it came with, as ``name version``.
    """

    name: str
    what: str
    distribution: str
    outcomes: tuple[Outcome, ...]

    def count(self, status: Status) -> int:
        """How many checks ended so."""
        return Counter(outcome.status for outcome in self.outcomes)[status]

    @property
    def failed(self) -> list[str]:
        """The names of the checks that failed."""
        return [outcome.check for outcome in self.outcomes if outcome.status == "failed"]

    @property
    def ok(self) -> bool:
        """Whether none failed, and some ran."""
        return not self.failed and self.count("skipped") < len(self.outcomes)

    @property
    def summary(self) -> str:
        """How many passed, failed, were skipped and failed as expected, of how many."""
        text = (
            f"{self.count('passed')} passed, {self.count('failed')} failed, {self.count('skipped')} skipped, "
            f"{self.count('expected')} failed as expected, of {len(self.outcomes)} checks"
        )
        return text if self.count("skipped") < len(self.outcomes) else f"{text}: none ran, which is a failure"


def promised(battery: list[Check], *, needs: tuple[str, ...] = ()) -> Callable[[Callable[[Any], None]], Check]:
    """Add the function below to ``battery`` as a check of its name; its docstring's first line is the promise."""

    def add(run: Callable[[Any], None]) -> Check:
        battery.append(check := Check(run.__name__, run, needs))
        return check

    return add


def broken(expected: str, seen: str, change: str) -> NoReturn:
    """End a check: the promise is broken."""
    raise BrokenPromiseError(f"expected {expected}; saw {seen}. {change}")
