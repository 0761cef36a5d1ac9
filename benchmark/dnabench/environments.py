"""Generators that are installed in environments of their own, with packages that would not go together with ours.

Their cells run in that environment's interpreter, and nothing but files passes between it and this process. What is
asked before, :mod:`dnabench.elsewhere` answers there.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from typing import Any

from dnabench import keys
from dnabench.errors import UserError

_PATIENCE = 120  # seconds for an answer, which takes a fraction of one, on a busy machine with a slow disk
# They would put our packages in place of the other environment's.
_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def describe(package: str) -> dict[str, Any]:
    """What the results of ``package`` rest on in this environment: python, packages with versions, its own code."""
    packages: dict[str, str] = {}
    for found in importlib.metadata.distributions():  # of two of one name the first is imported
        if found.name:  # an interrupted installation leaves one without
            packages.setdefault(found.name, found.version)
    return {
        "python": platform.python_version(),
        "packages": dict(sorted(packages.items())),
        "code": keys.package_digest(package),
    }


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment's variables without those that say where this interpreter's packages are."""
    return {name: value for name, value in environment.items() if name not in _OURS}


def ask(name: str, python: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """What :mod:`dnabench.elsewhere` answers in the environment of the interpreter ``python``.

    UserError when it refuses, cannot be started, or has not this very dnabench; ``name`` is the generator's.
    """
    where = f"--python {name}={python}"
    try:
        ended = subprocess.run(
            [python, "-P", "-m", "dnabench.elsewhere"],
            input=json.dumps({**question, "dnabench": keys.package_digest("dnabench")}),
            capture_output=True,
            text=True,
            check=False,
            env=variables(os.environ),
            timeout=_PATIENCE,
        )
    except OSError as error:
        raise UserError(f"{where}: cannot be started: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise UserError(f"{where}: no answer within {_PATIENCE} s") from None
    try:
        answer: dict[str, Any] = json.loads(ended.stdout)
    except ValueError:
        said = [line.strip() for line in ended.stderr.splitlines() if line.strip()] or ["it said nothing"]
        advice = "it takes the Python of an environment in which this dnabench and the generator are installed"
        raise UserError(f"{where}: {said[-1][:200]}; {advice}") from None
    if not isinstance(answer, dict) or answer.keys().isdisjoint(("planned", "refused")):
        raise UserError(f"{where}: it gives another answer than Python; it takes the Python of an environment")
    if "refused" in answer:
        raise UserError(f"{where}: {answer['refused']}")
    return answer
