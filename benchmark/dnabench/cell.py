"""What happens in a cell. Results go to the store before they are reported; no exception leaves a cell."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench import keys, options
from dnabench.context import Context
from dnabench.data.slices import ALL, slice_rows
from dnabench.errors import UserError
from dnabench.plan import check_metric
from dnabench.plugins import Catalog, construct
from dnabench.scoring import Scorer
from dnabench.seeds import derive_seed, rng, seed_globals
from dnabench.sequences import SequenceSet

if TYPE_CHECKING:
    from dnabench.data.source import Data
    from dnabench.plan import Cell, Plan
    from dnabench.scoring import Wholes
    from dnabench.store import Store

# Beside the generator's own files; the one name that they must leave free.
MODEL_FILE = "dnabench.json"


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """How a cell ended.

    Attributes:
        status: ``done``, ``failed``, or ``skipped`` when the sample it needs is missing or a slice is too small.
        record: the score record of a score or floor cell; empty for a sample cell.
        sample: where a sample cell's files are.
        cached: whether the store had it.
        seconds, peak_memory_mb: of this execution; the memory is the process's peak so far.
    """

    cell: Cell
    status: str
    error: str = ""
    record: dict[str, Any] = field(default_factory=dict)
    sample: Path | None = None
    cached: bool = False
    seconds: float = 0.0
    peak_memory_mb: float = 0.0


class CellRunner:
    """Executes the cells of one plan in this process. UserError for a metric that refuses its options."""

    def __init__(
        self,
        catalog: Catalog,
        plan: Plan,
        data: Data,
        store: Store,
        *,
        device: str,
        progress: Callable[[int, int, str], None],
        debug: bool = False,
    ) -> None:
        self._catalog = catalog
        self._plan = plan
        self._data = data
        self._store = store
        self._progress = progress
        self._debug = debug
        self._scorer = Scorer(catalog, store, device=device, train=data.train, progress=progress)
        self._scorer.check(plan.metrics)
        self._samples: dict[tuple[str, int], Path] = {}
        self._recent: tuple[Path, SequenceSet] | None = None

    def run(self, cell: Cell) -> CellResult:
        """Execute one cell; whatever goes wrong in a plugin is in the result."""
        start = time.perf_counter()
        try:
            outcome = {"sample": self._sample, "score": self._score, "floor": self._floor}[cell.kind](cell)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's plugin may raise anything
            if self._debug:
                traceback.print_exc(file=sys.stderr)
            text = " ".join(str(error).split())
            outcome = {"status": "failed", "error": f"{type(error).__name__}: {text}"}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return CellResult(cell=cell, seconds=time.perf_counter() - start, peak_memory_mb=peak, **outcome)

    def _sample(self, cell: Cell) -> dict[str, Any]:
        key = self._sample_key(cell)
        with self._store.work(key) as scratch:
            # Looked up with the work in hand: another run may just have finished it.
            path = self._store.sample(key)
            cached = path is not None
            if path is None:
                path = self._store.put_sample(key, self._make_sample(cell, scratch))
        self._samples[cell.generator, cell.seed] = path
        return {"status": "done", "sample": path, "cached": cached}

    def _make_sample(self, cell: Cell, work: Path) -> Path:
        """Train and sample; a directory below ``work`` that holds sample and model."""
        planned = self._plan.generator(cell.generator)
        spec = self._catalog.generator(planned.plugin).spec
        generator = construct(spec, options.build(spec.options, spec.name, planned.options))
        scratch, directory = work / "scratch", work / "sample"
        scratch.mkdir(exist_ok=True)
        shutil.rmtree(directory, ignore_errors=True)
        model = directory / "model"
        model.mkdir(parents=True)

        def context(role: str) -> Context:
            seed = derive_seed(role, repeat=cell.seed, dataset=self._plan.dataset_sha256, generator=spec.name)
            seed_globals(seed)
            return Context(
                device=planned.device,
                seed=seed,
                length=self._plan.length,
                scratch=scratch,
                train=self._data.train,
                labels=self._data.labels(self._plan.n_generated, repeat=cell.seed) if role == "sample" else None,
                held_out=self._data.validation if spec.kind == "control" else None,
                progress=self._progress,
            )

        generator.fit(self._data.train, context=context("fit"))
        drawn = generator.sample(self._plan.n_generated, context=context("sample"))
        sequences = checked_sample(drawn, self._plan.n_generated, self._plan.length)
        sequences.to_fasta(directory / "sample.fa.gz")
        generator.save(model)
        if (model / MODEL_FILE).exists():
            raise ValueError(f"{spec.name}.save wrote {MODEL_FILE}, a name that dnabench keeps for itself")
        about = {
            "generator": spec.name,
            "version": spec.version,
            "distribution": planned.distribution,
            "options": planned.options,
            "length": self._plan.length,
            "dataset": self._plan.dataset,
            "dataset_sha256": self._plan.dataset_sha256,
            "seed": cell.seed,
        }
        (model / MODEL_FILE).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return directory

    def _score(self, cell: Cell) -> dict[str, Any]:
        path = self._samples.get((cell.generator, cell.seed))
        if path is None:
            return {"status": "skipped", "error": "there is no sample to score"}
        if self._recent is None or self._recent[0] != path:  # all slices and metrics of a sample come one by one
            self._recent = path, SequenceSet.from_fasta(path / "sample.fa.gz")
        compare = self._compare if cell.slice == ALL else self._compare_slice
        return compare(cell, self._recent[1], self._data.reference(self._plan.n_reference, repeat=cell.seed))

    def _floor(self, cell: Cell) -> dict[str, Any]:
        pair = self._floor_pair(cell)
        if pair is None:
            return {"status": "skipped", "error": "too few held-out sequences for two sets of these sizes"}
        return self._compare(cell, *pair)

    def _floor_pair(self, cell: Cell) -> tuple[SequenceSet, SequenceSet] | None:
        return self._data.floor_pair(self._plan.n_generated, self._plan.n_reference, repeat=cell.seed)

    def _compare(
        self, cell: Cell, generated: SequenceSet, reference: SequenceSet, wholes: Wholes = MappingProxyType({})
    ) -> dict[str, Any]:
        record, cached = self._scorer.score(
            self._plan.metric(cell.metric),
            generated=generated,
            reference=reference,
            dataset=self._plan.dataset_sha256,
            repeat=cell.seed,
            wholes=wholes,
        )
        return {"status": "done", "record": record, "cached": cached}

    def _compare_slice(self, cell: Cell, generated: SequenceSet, reference: SequenceSet) -> dict[str, Any]:
        """Compare a slice of both sides, with its own floor in the record, at the very sizes.

        Of the generated and of the held-out sequences that stand for a perfect generator's, the more numerous are
        thinned out.
        """
        pair = self._floor_pair(cell)
        wholes = [generated, reference] + ([pair[0]] if pair else [])
        rows = [slice_rows(whole, cell.slice) for whole in wholes]
        sizes = [len(chosen) for chosen in rows]
        n_generated = min(sizes[0], sizes[-1]) if pair else sizes[0]
        order = rng("slice", repeat=cell.seed, dataset=self._plan.dataset_sha256)
        for side in (0, 2):
            if sizes[side:]:
                rows[side] = np.sort(order.permutation(rows[side])[:n_generated])
        parts = [whole.take(chosen) for whole, chosen in zip(wholes, rows, strict=True)]
        known = {part.digest: of for part, of in zip(parts, zip(wholes, rows, strict=True), strict=True)}
        try:
            check_metric(self._catalog, self._plan.metric(cell.metric), n_generated, sizes[1], self._plan.length)
        except UserError as error:
            record = {"n_generated": n_generated, "n_reference": sizes[1]}
            return {"status": "skipped", "error": str(error), "record": record}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # every slice is small: its row says how small, and has its own floor
            outcome = self._compare(cell, parts[0], parts[1], known)
            if pair:
                floor = self._compare(cell, parts[2], parts[1], known)
                outcome["record"] = outcome["record"] | {"floor": floor["record"]}
                outcome["cached"] = outcome["cached"] and floor["cached"]
        return outcome

    def is_stored(self, cell: Cell) -> bool | None:
        """Whether the store holds a sample cell; None for other cells, whose key rests on the sample's content."""
        return self._store.sample(self._sample_key(cell)) is not None if cell.kind == "sample" else None

    def _sample_key(self, cell: Cell) -> str:
        planned = self._plan.generator(cell.generator)
        spec = self._catalog.generator(planned.plugin).spec
        return keys.key(
            "sample",
            {
                "generator": [planned.plugin, planned.version, planned.options],
                "distribution": planned.distribution,
                "package": keys.package_digest(spec.target),
                "dataset": self._plan.dataset_sha256,
                "train": self._data.train.digest,
                "held_out": self._data.validation.digest if planned.kind == "control" else "",
                "versions": keys.versions(),
                "n": self._plan.n_generated,
                "length": self._plan.length,
                "seed": cell.seed,
                "device": planned.device.partition(":")[0],
            },
        )


def checked_sample(drawn: Any, n: int, length: int) -> SequenceSet:
    """What a generator returned, as a SequenceSet of ``n`` sequences of ``length`` bp; ValueError otherwise."""
    sequences = drawn if isinstance(drawn, SequenceSet) else SequenceSet(np.asarray(drawn))
    if sequences.codes.shape != (n, length):
        raise ValueError(f"the generator returned shape {sequences.codes.shape}; ({n}, {length}) was asked for")
    return sequences


def make_deterministic() -> None:
    """Ask torch for deterministic algorithms; what has none warns instead of failing."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
