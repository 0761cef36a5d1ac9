"""The conformance kit: what a plugin promises, checked.

In the tests of a plugin's package::

    from dnabench.testing import parametrize_checks

    @parametrize_checks("my-model", options={"steps": 4})
    def test_my_model(check):
        check()

and on the command line ``dnabench check my-model --set my-model.steps=4``. :func:`check` gives the report as data.
"""

from __future__ import annotations

from dnabench.testing.marks import parametrize_checks
from dnabench.testing.outcomes import Check, Outcome, Report
from dnabench.testing.runner import check, checks_of
from dnabench.testing.subject import Setup

__all__ = ["Check", "Outcome", "Report", "Setup", "check", "checks_of", "parametrize_checks"]
