"""What the manifest of a run says about its cells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dnabench_trackers.values import series

_OF_PLAN = (
    "suite", "dataset", "dataset_sha256", "split", "length", "n_train", "n_generated", "n_reference", "preset",
    "device",
)  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """A run's plan, and of each of its cells the id and the series; empty where no manifest can be read."""

    plan: dict[str, Any] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """The manifest in a run directory."""
        try:
            about = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
            return cls(about["plan"], {cell["id"]: series(cell["generator"], cell["seed"]) for cell in about["cells"]})
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    @property
    def suite(self) -> str:
        """The run's suite."""
        return str(self.plan.get("suite", "custom"))

    def settings(self, generator: str, seed: int) -> dict[str, str]:
        """Name -> text of what the numbers of a generator, or without one of a floor, depend on."""
        settings = {"seed": seed} | {name: self.plan[name] for name in _OF_PLAN if name in self.plan}
        settings |= dict(self._of_generator(generator))
        settings |= {f"version.{metric['label']}": metric["version"] for metric in self.plan.get("metrics", ())}
        return {name: str(value) for name, value in settings.items()}

    def _of_generator(self, name: str) -> Iterator[tuple[str, Any]]:
        yield "generator", name or "floor"
        for planned in self.plan.get("generators", ()):
            if planned["name"] == name:
                yield "generator_version", planned["version"]
                yield from ((key, planned[key]) for key in ("kind", "distribution"))
                yield from ((f"option.{option}", value) for option, value in planned["options"].items())
