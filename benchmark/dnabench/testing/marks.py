"""pytest: one test for each check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dnabench.plugins import load_catalog
from dnabench.testing.runner import Trial, trials
from dnabench.testing.subject import Setup

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class _Test:
    """One check of a trial, to be called by a test."""

    trial: Trial
    name: str

    def __call__(self) -> None:
        import pytest

        outcome = self.trial.outcome(self.name)
        if outcome.status == "failed":
            pytest.fail(f"{outcome.promise}\n{outcome.why}", pytrace=False)
        if outcome.status == "skipped":
            pytest.skip(outcome.why)
        if outcome.status == "expected":
            pytest.xfail(outcome.why)


@dataclass(frozen=True)
class _SomeRan:
    """That not all checks of a trial were skipped."""

    trial: Trial

    def __call__(self) -> None:
        import pytest

        report = self.trial.report()
        if report.count("skipped") == len(report.outcomes):
            pytest.fail(report.summary, pytrace=False)


def parametrize_checks(*names: str, **setup: Any) -> pytest.MarkDecorator:
    """A test that takes ``check`` and calls it, once for each check of each plugin called one of ``names``.

    ``setup``: the attributes of :class:`Setup`. UserError, when the tests are collected, for an unknown name::

        @parametrize_checks("my-model", options={"steps": 4}, expected={"other_seed_other_sequences": "a lookup table"})
        def test_my_model(check):
            check()
    """
    import pytest

    catalog = load_catalog()
    parameters = []
    for trial in (trial for name in names for trial in trials(name, Setup(**setup), catalog)):
        spec = trial.offer.spec
        prefix = f"{spec.name}-{spec.noun}"
        parameters += [pytest.param(_Test(trial, name), id=f"{prefix}-{name}") for name in trial.names]
        parameters.append(pytest.param(_SomeRan(trial), id=f"{prefix}-some_checks_ran"))
    return pytest.mark.parametrize("check", parameters)
