"""Processes of their own for what a generator does from its construction on: its lives, and what they left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 1800
"""Seconds after which a life has not ended."""


@dataclass(frozen=True)
class Life:
    """What came of a life.

    Attributes:
        steps: step -> what :mod:`dnabench.testing.life` recorded of it; ``error`` is None where it went well.
        out: what it wrote on stdout.
        home: the directory that it started in, with what it left there.
        saved: the directory that it was to save into.
    """

    steps: Mapping[str, Mapping[str, Any]]
    out: str
    home: Path
    saved: Path

    def error(self, step: str) -> str | None:
        """Why a step failed, or was never reached; None where it went well."""
        error: str | None = self.steps.get(step, {"error": "it was not reached"})["error"]
        return error

    def digest(self, step: str) -> str | None:
        """The sha256 of the sequences of a step; None where it failed."""
        return self.steps.get(step, {}).get("digest")


def environment(**more: str) -> dict[str, str]:
    """That of this process, with all that can be imported here."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path), **more}


def live(order: Mapping[str, Any], directory: Path, hash_seed: int) -> Life:
    """Have a process execute ``order`` (see :mod:`dnabench.testing.life`), with files below ``directory``."""
    home, saved = directory / "home", directory / "saved"
    for path in (home, saved, directory / "scratch"):
        path.mkdir()
    (directory / "order.json").write_text(json.dumps(dict(order)), encoding="utf-8")
    command = [sys.executable, "-m", "dnabench.testing.life", str(directory)]
    variables = environment(PYTHONHASHSEED=str(hash_seed))
    with (directory / "stdout").open("wb") as out, (directory / "stderr").open("wb") as err:
        try:
            code = subprocess.run(
                command, cwd=home, env=variables, stdout=out, stderr=err, timeout=LIMIT, check=False
            ).returncode
            end = f"the process died with exit code {code}"
        except subprocess.TimeoutExpired:
            code, end = 1, f"it did not end within {LIMIT} s"
    record = directory / "record.json"
    steps: dict[str, dict[str, Any]] = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    if code:
        said = (directory / "stderr").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        unfinished = next(
            (step for step, facts in steps.items() if "error" not in facts), "exit" if steps else "construct"
        )
        steps[unfinished] = {"error": f"{end}{': ' + said[-1] if said else ''}"}
    return Life(steps, (directory / "stdout").read_text(encoding="utf-8", errors="replace"), home, saved)
