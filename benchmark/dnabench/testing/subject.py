"""The plugin under test: its record, its options, sequences that suit it, and a directory for the work."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import options, plugins
from dnabench.testing.outcomes import SkippedError

if TYPE_CHECKING:
    from dnabench.context import Context
    from dnabench.plugins import Catalog, Provided
    from dnabench.sequences import SequenceSet
    from dnabench.specs import Spec

LENGTH = 64  # bp


@dataclass(frozen=True, kw_only=True)
class Setup:
    """How a plugin is checked.

    Attributes:
        options: of the plugin, such as few training steps.
        sequences: how many it is given; None for what its kind needs.
        length: of the sequences, in bp; the nearest that the plugin takes.
        expected: check -> why it fails, for promises that the author does not give.
        only: the checks to run; empty for all.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    sequences: int | None = None
    length: int = LENGTH
    expected: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()


class Subject:
    """What a check is handed. Its parts are made when they are first asked for, and once."""

    default_sequences = 40

    def __init__(self, catalog: Catalog, offer: Provided[Any], setup: Setup) -> None:
        self.catalog = catalog
        self.offer = offer
        self.setup = setup

    @property
    def spec(self) -> Any:
        """The plugin's record."""
        return self.offer.spec

    @cached_property
    def directory(self) -> Path:
        """For files; gone with the subject."""
        path = Path(tempfile.mkdtemp(prefix="dnabench-check-")).resolve()
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
        return path

    def new_directory(self, name: str) -> Path:
        """An empty one below it."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))

    @property
    def settings(self) -> dict[str, Any]:
        """All options with their values, JSON-ready."""
        return options.as_dict(options.build(self.spec.options, self.spec.name, self.setup.options))

    def construct(self, **changes: Any) -> Any:
        """A new instance, with ``changes`` to the options."""
        return plugins.construct(
            self.spec, options.build(self.spec.options, self.spec.name, self.setup.options, changes)
        )

    @property
    def length(self) -> int:
        """Of the sequences that it is checked with, in bp."""
        return self.setup.length

    @property
    def n(self) -> int:
        """How many sequences it is given."""
        return self.setup.sequences or self.default_sequences

    def context(self, name: str, **attributes: Any) -> Context:
        """The surroundings of one call."""
        from dnabench.context import Context

        surroundings: dict[str, Any] = {"length": self.length, "seed": 1, "scratch": self.new_directory(name)}
        return Context(**surroundings | attributes)

    def other_batch(self) -> dict[str, int]:
        """The batch option with another value than in ``settings``. SkippedError where none is declared."""
        name = self.spec.batch_option
        if name is None:
            raise SkippedError(
                "its record has no batch_option, the option that says how many sequences it works on at once"
            )
        return {name: 3 if self.settings[name] != 3 else 5}

    def real(self, n: int, seed: int) -> SequenceSet:
        """``n`` real sequences; other seeds give others. From the data set that the plugin is for, if there is one."""
        from dnabench.testing import toy

        return self._of_its_dataset(n, seed) if self._its_dataset else toy.draw(n, self.length, seed)

    @cached_property
    def _its_dataset(self) -> SequenceSet | None:
        """All sequences of the first data set that the record names; None where it names none."""
        from dnabench.context import Context

        names = getattr(self.spec, "datasets", ())
        if not names:
            return None
        spec: Spec = self.catalog.dataset(names[0]).spec
        dataset = plugins.construct(spec, options.build(spec.options, spec.name))
        found: SequenceSet = dataset.load(context=Context(length=0, scratch=self.new_directory("dataset")))
        return found

    def _of_its_dataset(self, n: int, seed: int) -> SequenceSet:
        import numpy as np

        assert self._its_dataset is not None
        rows = np.random.default_rng(seed).permutation(len(self._its_dataset))[:n]
        return self._its_dataset.take(rows)
