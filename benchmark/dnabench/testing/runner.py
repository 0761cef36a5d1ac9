"""Running the checks of a plugin: one after the other, each once, whatever it raises."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dnabench import options
from dnabench.errors import UserError, did_you_mean
from dnabench.plugins import Catalog, Provided, load_catalog
from dnabench.specs import DatasetSpec, EmbedderSpec, GeneratorSpec, MetricSpec, Spec
from dnabench.testing import common, datasets, embedders, generators, metrics
from dnabench.testing.lives import GeneratorSubject
from dnabench.testing.outcomes import BrokenPromiseError, Check, Outcome, Report, SkippedError
from dnabench.testing.subject import Setup, Subject

if TYPE_CHECKING:
    from dnabench.testing.outcomes import Status

KINDS: Mapping[type[Spec], tuple[type[Subject], list[Check]]] = {
    GeneratorSpec: (GeneratorSubject, generators.CHECKS),
    MetricSpec: (metrics.MetricSubject, metrics.CHECKS),
    EmbedderSpec: (embedders.EmbedderSubject, embedders.CHECKS),
    DatasetSpec: (datasets.DatasetSubject, datasets.CHECKS),
}


def checks_of(kind: type[Spec]) -> list[Check]:
    """The checks of a kind of record, in the order in which they are run."""
    return [*common.CHECKS, *KINDS[kind][1]]


class Trial:
    """The checks of one plugin, each run when it is first asked for."""

    def __init__(self, catalog: Catalog, offer: Provided[Any], setup: Setup) -> None:
        self.offer = offer
        self.setup = setup
        self.subject = KINDS[type(offer.spec)][0](catalog, offer, setup)
        self._all = {check.name: check for check in checks_of(type(offer.spec))}
        self._known: dict[str, Outcome] = {}

    @property
    def names(self) -> list[str]:
        """The checks that are to be run."""
        return [name for name in self._all if not self.setup.only or name in self.setup.only]

    def outcome(self, name: str) -> Outcome:
        """What came of a check."""
        if name not in self._known:
            check = self._all[name]
            status, why = self._run(check)
            if name in self.setup.expected:
                status, why = _as_expected(status, why, self.setup.expected[name])
            self._known[name] = Outcome(name, check.promise, status, why)
        return self._known[name]

    def report(self, watch: Callable[[str], None] = lambda _: None) -> Report:
        """What came of all of them; ``watch`` is told the name of each before it is run."""
        outcomes = []
        for name in self.names:
            watch(name)
            outcomes.append(self.outcome(name))
        return Report(self.offer.spec.name, self.offer.spec.noun, self.offer.distribution, tuple(outcomes))

    def _run(self, check: Check) -> tuple[Status, str]:
        for need in check.needs:
            if self.outcome(need).status != "passed":
                return "skipped", f"it needs {need} to pass"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a warning breaks no promise, also where tests make it an error
                check.run(self.subject)
        except SkippedError as reason:
            return "skipped", str(reason)
        except BrokenPromiseError as finding:
            return "failed", str(finding)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's plugin may raise anything
            return "failed", f"{type(error).__name__}: {' '.join(str(error).split())} ({_place(error)})"
        return "passed", ""


def check(
    name: str,
    *,
    setup: Setup | None = None,
    catalog: Catalog | None = None,
    watch: Callable[[str], None] = lambda _: None,
) -> list[Report]:
    """Check whatever is called ``name``: a report for each kind of plugin that has the name.

    ``watch`` is told the name of each check before it is run. UserError for an unknown name, an option that it does not
    have, or a check that there is not.
    """
    return [trial.report(watch) for trial in trials(name, setup or Setup(), catalog or load_catalog())]


def trials(name: str, setup: Setup, catalog: Catalog) -> list[Trial]:
    """The checks of whatever is called ``name``, not yet run. UserError as in :func:`check`."""
    offers = catalog.find(name)
    if not offers:
        raise catalog.unknown("plugin", name, catalog.names())
    for offer in offers:
        options.build(offer.spec.options, name, setup.options)
    known_checks = {check.name for offer in offers for check in checks_of(type(offer.spec))}
    for wanted in (*setup.only, *setup.expected):
        if wanted not in known_checks:
            raise UserError(f"no check of {name} is named {wanted!r}; {did_you_mean(wanted, known_checks)}")
    return [trial for offer in offers if (trial := Trial(catalog, offer, setup)).names]


def _as_expected(status: Status, why: str, reason: str) -> tuple[Status, str]:
    if status == "failed":
        return "expected", reason
    if status == "passed":
        return "failed", f"it was expected to fail ({reason}) and passed; remove the expectation"
    return status, why


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else "nowhere"
