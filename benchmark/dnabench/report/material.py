"""The sequences and embeddings behind a run's scores, as far as they are still there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dnabench import suites
from dnabench.data.parts import StoredParts, key_of_digests
from dnabench.data.slices import ALL, column_of
from dnabench.errors import UserError
from dnabench.sequences import SequenceSet

if TYPE_CHECKING:
    from dnabench.plan import Plan
    from dnabench.store import Store

#: Sequences that are looked at on each side: shares are then known to about 1 %.
MOST = 2000


def entry(directory: Path, *names: str) -> Path:
    """A file of the run directory. FileNotFoundError for a name that is a path and would lead elsewhere."""
    if any(name != Path(name).name for name in names):
        raise FileNotFoundError(f"{names} leads out of {directory}")
    return directory.joinpath(*names)


def spread(n: int, most: int) -> np.ndarray:
    """At most ``most`` of ``n`` rows, evenly spread: real sequences may be sorted by species."""
    rows: np.ndarray = np.linspace(0, n - 1, min(n, most)).round().astype(int)
    return rows


class Embedded(NamedTuple):
    """Embeddings by one embedder: float32, shapes ``(n, dimension)``; generated ones by generator."""

    real: np.ndarray
    generated: dict[str, np.ndarray]


class Material:
    """Of the first seed: it stands for the others, whose samples are of the same model and size.

    Attributes:
        seed: that seed.
    """

    def __init__(
        self, directory: Path, plan: Plan, store: Store, ended: Mapping[str, Mapping[str, Any]], tss: int | None
    ) -> None:
        self._directory = directory
        self._plan = plan
        self._store = store
        self._ended = ended
        self._tss = tss
        self.seed = plan.seeds[0]

    @cached_property
    def real(self) -> SequenceSet | None:
        """The reference: at most ``MOST`` of the real sequences that samples were compared with.

        None where the store is gone.
        """
        whole = self._reference
        return None if whole is None else whole.take(spread(len(whole), MOST))

    @cached_property
    def _reference(self) -> SequenceSet | None:
        digests = self._digests()
        if digests is None:
            return None
        directory = self._store.root / "parts" / key_of_digests(digests)
        try:
            return StoredParts(directory).reference(self._plan.n_reference, repeat=self.seed)
        except (OSError, ValueError, KeyError):
            return None

    def _digests(self) -> list[str] | None:
        """Those of the whole set, and of its training, validation and test part, as the keys of cells have them."""
        parts: dict[str, Any] = {}
        for kind, names in (("train/", ("train",)), ("score/", ("validation", "test"))):
            keys = (event["key"] for name, event in self._ended.items() if name.startswith(kind) and event.get("key"))
            known = next((found for key in keys if (found := self._store.key_parts(key)) is not None), None)
            if known is None or not known.keys() >= set(names):
                return None
            parts |= {name: known[name] for name in names}
        return [self._plan.dataset_sha256, parts["train"], parts["validation"], parts["test"]]

    @cached_property
    def generated(self) -> dict[str, SequenceSet]:
        """Generator -> at most ``MOST`` of its sequences; those that have a sample of that seed."""
        found = {}
        for generator in self._plan.generators:
            try:
                sample = SequenceSet.from_fasta(
                    entry(self._directory, "samples", generator.name, f"seed{self.seed}.fa.gz")
                )
            except (OSError, UserError):
                continue
            found[generator.name] = sample.take(spread(len(sample), MOST))
        return found

    @cached_property
    def tss(self) -> int | None:
        """The index of the transcription start site: as the user says, the suite, or the label ``range=-205..50``.

        That counts from the site, which is 0; longer sequences were cropped around their centre. None where nobody
        says, or the labels not one place.
        """
        if self._tss is not None:
            return self._tss
        plan = self._plan
        if plan.suite in suites.names() and not plan.published:
            suite = suites.load(plan.suite)
            site, length = suite.dataset.tss, suite.length or plan.length
        else:
            site, length = self._labelled_site()
        index = -1 if site is None else site - (length - plan.length) // 2
        return index if 0 <= index < plan.length else None

    def _labelled_site(self) -> tuple[int | None, int]:
        """Where the site is in the sequences as they were before they were cropped, and their length."""
        labels = None if self.real is None else self.real.labels
        ranges = set() if labels is None or "range" not in labels else set(labels["range"])
        found = re.fullmatch(r"(-?\d+)\.\.(-?\d+)", next(iter(ranges))) if len(ranges) == 1 else None
        if found is None:
            return None, 0
        first, last = int(found[1]), int(found[2])
        return -first, last - first + 1

    def groups(self, sequences: SequenceSet) -> np.ndarray | None:
        """The label of each sequence by which the run's slices are made; None where it has none."""
        columns = {column_of(part) for part in self._plan.slices}
        labels = sequences.labels
        column = next((name for name in sorted(columns) if name in labels), None)
        return None if column is None else labels[column].to_numpy(str)

    def embedded(self, label: str) -> Embedded | None:
        """The embeddings that the metric of that label compared; None where the store lacks the real ones."""
        real: np.ndarray | None = None
        generated = {}
        for generator in self._plan.generators:
            event = self._ended.get(f"score/{generator.name}/seed{self.seed}/{label}", {})
            answer = self._store.cell("score", event.get("key") or "") if event.get("status") == "done" else None
            keys = answer["slices"][ALL]["record"].get("embeddings") if answer else None
            if not keys:
                continue
            first, second = (self._store.embedding(key) for key in keys)
            if first is not None and second is not None:
                generated[generator.name] = first[spread(len(first), MOST)]
                real = second[spread(len(second), MOST)]
        return None if real is None else Embedded(real, generated)
