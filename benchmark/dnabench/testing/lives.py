"""A generator under test, and its lives: what the checks of generators judge."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from dnabench.testing.fresh import live
from dnabench.testing.subject import Subject

if TYPE_CHECKING:
    from dnabench.testing.fresh import Life

FEW = (1, 7)
"""Sequences asked for beside :attr:`GeneratorSubject.drawn`: one, and a number that no batch size divides."""
DRAWS = 4


class GeneratorSubject(Subject):
    """A generator, its first life and its second."""

    default_sequences = 64

    @property
    def length(self) -> int:
        """The nearest to the one asked for that the record allows; that of its data set, if it has one."""
        if self._its_dataset is not None:
            return self._its_dataset.length
        low, high = self.spec.lengths or (1, self.setup.length)
        multiple = self.spec.length_multiple
        near = min(max(self.setup.length, low), high)
        return int(max(near // multiple, -(-low // multiple)) * multiple)

    @property
    def drawn(self) -> int:
        """Sequences drawn where the number does not matter."""
        return min(20, self.n)

    @cached_property
    def first(self) -> Life:
        """Fit, samples of all sizes, save, load, and samples again."""
        changes = self.other_batch() if self.spec.batch_option else {}
        return self._live("first", hash_seed=1, changes=changes)

    @cached_property
    def second(self) -> Life:
        """A fit that is killed and continued, if there is training, and another one from the start."""
        fit = self.first.steps["fit"]
        kill = {"report": (fit["reports"] + 1) // 2, "seconds": max(fit["seconds"] / 2, 1e-6)}
        return self._live("second", hash_seed=2, kill=kill if self.spec.needs_training else None)

    def on(self, device: str) -> Life:
        """Fit and sample on a device."""
        return self._live("again", hash_seed=1, device=device)

    def _live(self, life: str, *, hash_seed: int, **more: Any) -> Life:
        from dnabench.data.kept import write_kept

        directory = self.new_directory(life)
        for name, seed in (("train", 10), ("held_out", 11)):
            (directory / name).mkdir()
            write_kept(self.real(self.n, seed), directory / name)
        order = {
            "life": life,
            "plugin": self.offer.plugin,
            "name": self.spec.name,
            "options": self.settings,
            "control": self.spec.kind == "control",
            "device": "cpu",
            "length": self.length,
            "train": str(directory / "train"),
            "held_out": str(directory / "held_out"),
            "sizes": [*FEW, self.drawn],
            "draws": DRAWS,
            "changes": {},
            "kill": None,
        }
        return live(order | more, directory, hash_seed)
