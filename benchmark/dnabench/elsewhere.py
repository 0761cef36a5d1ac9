"""``python -m dnabench.elsewhere``, in the environment of a generator: a question on stdin, its answer on stdout.

See :mod:`dnabench.environments`, which asks.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from dnabench import environments, keys
from dnabench.engines.forkserver import PRELOADED
from dnabench.errors import UserError
from dnabench.planning.generators import plan_generator
from dnabench.planning.traits import Traits
from dnabench.plugins import load_catalog


def answer(question: Mapping[str, Any]) -> dict[str, Any]:
    """``planned``: the generator that ``name`` stands for, with its options, or ``refused``: why it cannot be used."""
    if keys.package_digest("dnabench") != question["dnabench"]:
        return {"refused": "it has another dnabench; install the same version in both environments"}
    for needed in sorted({name.partition(".")[0] for name in PRELOADED}):
        if find_spec(needed) is None:
            return {"refused": f"{needed} is not installed there, which dnabench needs"}
    try:
        catalog = load_catalog((), ())
        planned = plan_generator(
            catalog,
            question["name"],
            preset=question["preset"],
            device=question["device"],
            settings=question["settings"],
            data=Traits(**question["data"] | {"labels": tuple(question["data"]["labels"])}),
        )
    except UserError as error:
        return {"refused": str(error)}
    package = keys.package_of(catalog.generator(planned.plugin).spec.target)
    return {"planned": dataclasses.asdict(planned) | {"environment": environments.describe(package)}}


def main() -> None:
    """Answer the question; whatever a plugin prints while it is loaded goes to stderr."""
    replies = os.dup(1)
    os.dup2(2, 1)
    text = json.dumps(answer(json.load(sys.stdin)))
    with os.fdopen(replies, "w", encoding="utf-8") as out:
        out.write(text)


if __name__ == "__main__":
    main()
