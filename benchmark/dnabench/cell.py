"""What happens in a cell: train, sample or score, and have the result in the store before saying so.

It runs in a process of its own (see :mod:`dnabench.engines`), on an order, and answers with plain data.
"""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from dnabench import environments, keys, options, torchrun
from dnabench.context import Context
from dnabench.data.floors import DRAWS
from dnabench.data.parts import StoredParts
from dnabench.data.slices import ALL, slice_rows
from dnabench.errors import UserError
from dnabench.identity import sees_training
from dnabench.numerics import make_deterministic
from dnabench.orders import DONE, FAILED, OOM, SKIPPED, Order
from dnabench.plan import Plan
from dnabench.planning.metrics import check_metric
from dnabench.plugins import Catalog, construct, load_catalog
from dnabench.scoring import Scorer, mean_record
from dnabench.seeds import derive_seed, rng, seed_globals
from dnabench.sequences import SequenceSet
from dnabench.store import Store
from dnabench.suites import relatives_of

if TYPE_CHECKING:
    from dnabench.scoring import Wholes
    from dnabench.specs import Spec

Progress = Callable[[int, int, str], None]

# Beside the generator's own files; the one name that they must leave free.
MODEL_FILE = "dnabench.json"

_NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


def execute(plain: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Execute an order; whatever goes wrong in a plugin is in the answer."""
    said: list[str] = []
    warnings.showwarning = lambda message, *_, **__: said.append(" ".join(str(message).split()))
    answer = measured(lambda: Execution(Order.from_json(plain), progress).run())
    return answer | {"warnings": list(dict.fromkeys(said))}


def measured(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer of ``work``, or what it raised, with the seconds that it took and the most memory of this process."""
    start = time.perf_counter()
    try:
        answer = work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's plugin may raise anything
        answer = failure(error)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return answer | {"seconds": time.perf_counter() - start, "peak_memory_mb": peak / 1024}


def failure(error: BaseException) -> dict[str, Any]:
    """Status, error and stack of what was raised; the message of a UserError speaks for itself."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    lacks_memory = isinstance(error, MemoryError) or any(phrase in text.lower() for phrase in _NO_MEMORY)
    line = text if isinstance(error, UserError) else f"{name}: {text}"
    stack = "".join(traceback.format_exception(error))
    status = getattr(error, "status", None) if isinstance(error, torchrun.TrainingProcessError) else None
    return {"status": status or (OOM if lacks_memory else FAILED), "error": line, "stack": stack}


class Execution:
    """One order being executed."""

    def __init__(self, order: Order, progress: Progress) -> None:
        self.order = order
        self.plan = order.plan
        self.cell = order.cell
        self.progress = progress
        self.store = Store(Path(order.site.store), since=order.site.since)
        self.parts = StoredParts(Path(order.site.parts))

    def run(self) -> dict[str, Any]:
        """The answer; whatever the plugin raises passes through."""
        self.check_code()
        make_deterministic()
        work = {"train": self._train, "sample": self._sample, "score": self._score, "floor": self._floor}
        return work[self.cell.kind]()

    def check_code(self) -> None:
        """UserError where this cell would run anything else than the plan says."""
        known = self.order.site.code
        if not self.order.python:
            keys.check_code({name: known[name] for name in ("torch", "dnabench", *self._packages())})
            return
        keys.check_code({"dnabench": known["dnabench"]})
        (package,) = self._packages()
        planned = self.plan.generator(self.cell.generator)
        if environments.describe(package) != planned.environment:
            raise UserError(
                f"the environment of {planned.plugin} is not what the run began with; start the same command again"
            )

    def _packages(self) -> set[str]:
        """The packages that this cell runs."""
        if not self.cell.metric:
            spec: Spec = self.catalog.generator(self.plan.generator(self.cell.generator).plugin).spec
            return {keys.package_of(spec.target)}
        metric = self.plan.metric(self.cell.metric)
        packages = {keys.package_of(self.catalog.metric(metric.name).spec.target)}
        if metric.embedder:
            packages.add(keys.package_of(self.catalog.embedder(metric.embedder).spec.target))
        return packages

    @cached_property
    def catalog(self) -> Catalog:
        """The plugins of the run; in another environment all of its own."""
        if self.order.python:
            return load_catalog((), ())
        return load_catalog(self.order.site.blocked, self.order.site.allowed)

    def generator(self) -> Any:
        """An untrained instance of the cell's generator."""
        planned = self.plan.generator(self.cell.generator)
        spec = self.catalog.generator(planned.plugin).spec
        return construct(spec, options.build(spec.options, spec.name, planned.options))

    def context(self, role: str, scratch: Path, **more: Any) -> Context:
        """The surroundings of one call of the cell's generator."""
        planned = self.plan.generator(self.cell.generator)
        seed = derive_seed(role, repeat=self.cell.seed, dataset=self.plan.dataset_sha256, generator=planned.plugin)
        seed_globals(seed)
        surroundings: dict[str, Any] = {
            "device": planned.device,
            "seed": seed,
            "length": self.plan.length,
            "scratch": scratch,
            "progress": self.progress,
            "checkpoint_seconds": self.order.site.checkpoint_seconds,
        }
        return Context(**surroundings | more)

    def fit(self, scratch: Path, model: Path, **more: Any) -> None:
        """Train the cell's generator and have it write into ``model``, unless another process of its group does."""
        planned = self.plan.generator(self.cell.generator)
        held_out = self.parts.validation if planned.kind == "control" else None
        context = self.context("fit", scratch, train=self.parts.train, held_out=held_out, **more)
        generator = self.generator()
        generator.fit(self.parts.train, context=context)
        if context.rank == 0:
            generator.save(model)

    def _train(self) -> dict[str, Any]:
        return self._once(self._make_model, "model")

    def _sample(self) -> dict[str, Any]:
        return self._once(self._make_sample, "sample")

    def _once(self, make: Callable[[Path, Path], dict[str, Any]], name: str) -> dict[str, Any]:
        """What ``make`` answers when it has filled a directory, which is then stored; or what is there already."""
        order = self.order
        with self.store.work(order.key) as work:
            # Looked up with the work in hand: another run may just have finished it.
            known = self.store.cell(self.cell.kind, order.key)
            if known is not None:
                return {"status": DONE, "answer": known, "cached": True}
            scratch, directory = work / "scratch", work / name
            scratch.mkdir(exist_ok=True)
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            start = time.perf_counter()
            try:
                answer = make(scratch, directory)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)  # a full disk is not to stay full
                raise
            answer["seconds"] = round(time.perf_counter() - start, 3)
            self.store.put_files(self.cell.kind, order.key, directory)
            self.store.put_cell(self.cell.kind, order.key, order.key_parts, answer)
            return {"status": DONE, "answer": answer}

    def _make_model(self, scratch: Path, model: Path) -> dict[str, Any]:
        planned = self.plan.generator(self.cell.generator)
        if planned.devices > 1:
            torchrun.train(self.order, planned.devices, scratch, model, self.progress)
        else:
            self.fit(scratch, model)
        if (model / MODEL_FILE).exists():
            raise ValueError(f"{planned.plugin}.save wrote {MODEL_FILE}, a name that dnabench keeps for itself")
        about = {
            "generator": planned.plugin,
            "version": planned.version,
            "distribution": planned.distribution,
            "options": planned.options,
            "length": self.plan.length,
            "dataset": self.plan.dataset,
            "dataset_sha256": self.plan.dataset_sha256,
            "seed": self.cell.seed,
        }
        (model / MODEL_FILE).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return {}

    def _make_sample(self, scratch: Path, directory: Path) -> dict[str, Any]:
        n = self.plan.n_generated
        generator = self.generator()
        generator.load(self.store.files("train", self.order.input))
        context = self.context("sample", scratch, labels=self.parts.labels(n, repeat=self.cell.seed))
        sequences = checked_sample(generator.sample(n, context=context), n, self.plan.length)
        sequences.to_fasta(directory / "sample.fa.gz")
        return {"sha256": sequences.digest}

    @cached_property
    def scorer(self) -> Scorer:
        """Of this cell's metric."""
        metric = self.plan.metric(self.cell.metric)
        return Scorer(
            self.catalog,
            self.store,
            device=metric.device,
            threads=self.plan.threads,
            core=self.order.site.code["dnabench"],
            train=self.parts.train if sees_training(self.catalog, metric) else None,
            progress=self.progress,
        )

    def _score(self) -> dict[str, Any]:
        """Score the sample and its slices; a slice that fails leaves the others."""
        generated = SequenceSet.from_fasta(self.store.files("sample", self.order.input) / "sample.fa.gz")
        reference = self.parts.reference(self.plan.n_reference, repeat=self.cell.seed)
        slices: dict[str, dict[str, Any]] = {}
        for name in self.plan.slices_of(self.cell.generator):
            try:
                slices[name] = (
                    self._compare(generated, reference, for_plots=True)
                    if name == ALL
                    else self._compare_slice(name, generated, reference)
                )
            except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's metric may raise anything
                slices[name] = failure(error)
            self.progress(len(slices), len(self.plan.slices_of(self.cell.generator)), "slices")
        answer = {"slices": slices}
        for name, outcome in slices.items():
            if outcome["status"] in (FAILED, OOM):
                where = "" if name == ALL else f"{name}: "
                return outcome | {"error": where + outcome["error"], "answer": answer}
        self.store.put_cell(self.cell.kind, self.order.key, self.order.key_parts, answer)
        return {"status": DONE, "answer": answer}

    def _floor(self) -> dict[str, Any]:
        plan = self.plan
        pairs = self.parts.floor_pairs(
            plan.n_generated, plan.n_reference, repeat=self.cell.seed, k=relatives_of(plan.split)
        )
        records, why = [], "too few held-out sequences for two sets of these sizes"
        for number, pair in enumerate(pairs, start=1):
            try:
                records.append(self._compare(*pair.sides, pair.origins())["record"])
            except UserError as error:  # a metric may refuse real sequences too
                why = str(error)
            self.progress(number, DRAWS, "draws")
        if not records:
            return {"status": SKIPPED, "error": why}
        answer = {"record": mean_record(records)}
        self.store.put_cell(self.cell.kind, self.order.key, self.order.key_parts, answer)
        return {"status": DONE, "answer": answer}

    def _floor_pair(self) -> tuple[SequenceSet, SequenceSet] | None:
        return self.parts.floor_pair(self.plan.n_generated, self.plan.n_reference, repeat=self.cell.seed)

    def _compare(
        self,
        generated: SequenceSet,
        reference: SequenceSet,
        wholes: Wholes = MappingProxyType({}),
        *,
        for_plots: bool = False,
    ) -> dict[str, Any]:
        record, _ = self.scorer.score(
            self.plan.metric(self.cell.metric),
            generated=generated,
            reference=reference,
            dataset=self.plan.dataset_sha256,
            repeat=self.cell.seed,
            wholes=wholes,
            for_plots=for_plots,
        )
        return {"status": DONE, "record": record}

    def _compare_slice(self, name: str, generated: SequenceSet, reference: SequenceSet) -> dict[str, Any]:
        """Compare a slice of both sides, with its own floor in the record, at the very sizes.

        Of the generated and of the held-out sequences that stand for a perfect generator's, the more numerous are
        thinned out.
        """
        pair = self._floor_pair()
        wholes = [generated, reference] + ([pair[0]] if pair else [])
        rows = [slice_rows(whole, name) for whole in wholes]
        sizes = [len(chosen) for chosen in rows]
        n_generated = min(sizes[0], sizes[-1]) if pair else sizes[0]
        order = rng("slice", repeat=self.cell.seed, dataset=self.plan.dataset_sha256)
        for side in (0, 2):
            if sizes[side:]:
                rows[side] = np.sort(order.permutation(rows[side])[:n_generated])
        parts = [whole.take(chosen) for whole, chosen in zip(wholes, rows, strict=True)]
        known = {part.digest: ((whole,), of) for part, whole, of in zip(parts, wholes, rows, strict=True)}
        metric = self.plan.metric(self.cell.metric)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # every slice is small: its row says how small, and has its own floor
            try:
                check_metric(self.catalog, metric, n_generated, sizes[1], self.plan.length)
                outcome = self._compare(parts[0], parts[1], known)
            except UserError as error:  # from a metric itself, too, which knows its own least
                record = {"n_generated": n_generated, "n_reference": sizes[1]}
                return {"status": SKIPPED, "error": str(error), "record": record}
            if pair:
                with contextlib.suppress(UserError):
                    floor = self._compare(parts[2], parts[1], known)
                    outcome["record"] = outcome["record"] | {"floor": floor["record"]}
        return outcome


def checked_sample(drawn: Any, n: int, length: int) -> SequenceSet:
    """What a generator returned, as a SequenceSet of ``n`` sequences of ``length`` bp; ValueError otherwise."""
    sequences = drawn if isinstance(drawn, SequenceSet) else SequenceSet(np.asarray(drawn))
    if sequences.codes.shape != (n, length):
        raise ValueError(f"the generator returned shape {sequences.codes.shape}; ({n}, {length}) was asked for")
    return sequences


def check_metrics(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Whether the plan's metrics can be constructed: ``digests`` (see :meth:`Scorer.digests`), or ``refused``, why not.

    ``plain`` holds ``plan``, ``store``, ``blocked`` and ``allowed``.
    """
    plan = Plan.from_json(plain["plan"])
    catalog = load_catalog(plain["blocked"], plain["allowed"])
    store = Store(Path(plain["store"]))
    scorer = Scorer(
        catalog, store, device=plan.device, threads=plan.threads, core="", train=None, progress=lambda *_: None
    )
    try:
        return {"digests": scorer.digests(plan.metrics, plan.length)}
    except UserError as error:
        return {"refused": str(error)}
