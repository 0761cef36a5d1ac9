"""dnabench from Python: what the command line does, on sequences at hand, answered with DataFrames."""

from __future__ import annotations

import operator
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from dnabench import suites
from dnabench.data.formats import stem
from dnabench.engines.sandbox import Limits
from dnabench.errors import UserError, did_you_mean
from dnabench.execution import Watcher
from dnabench.given import check_generator, name_of
from dnabench.host import open_host
from dnabench.leaderboard import table, timings
from dnabench.leaderboard.facts import COLUMNS
from dnabench.numerics import choose_device
from dnabench.planning import PRESETS
from dnabench.planning.metrics import check_settings, names_of, plan_metrics
from dnabench.plugins import load_catalog
from dnabench.running import Request, Run
from dnabench.sample_scores import score_samples
from dnabench.sequences import SequenceSet
from dnabench.store import Store, default_root

if TYPE_CHECKING:
    from dnabench.planning.metrics import Settings

Sequences: TypeAlias = SequenceSet | np.ndarray | str | Path
"""Sequences, their uint8 codes (n, length), or a file of them."""

Entrant: TypeAlias = str | tuple[str, Any] | Any
"""The name of an installed generator, an object that generates sequences, or a name for it and the object."""


@dataclass(frozen=True)
class Scores:
    """What :func:`score` found.

    Attributes:
        results: the columns of ``results.csv``, a row for each sample and metric and one for each part of a score, and
            ``flags``: ``at floor``, ``blind``.
    """

    results: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """The values alone: a row for each sample, a column for each metric, parts left out; NaN for what failed."""
        whole = self.results[~self.results["metric"].str.contains(".", regex=False)]
        shape = {"index": whole["generator"].unique(), "columns": whole["metric"].unique()}
        return whole.pivot(index="generator", columns="metric", values="value").reindex(**shape)


@dataclass(frozen=True)
class Comparison:
    """What :func:`run` found.

    Attributes:
        directory: the run's, with samples, models, logs and the tables as files.
        leaderboard: a row for each generator, ranked ones first, with the columns of ``leaderboard.csv``.
        results: a row for each generator, seed, slice and metric, with the columns of ``results.csv``.
        timings: seconds and memory, with the columns of ``timings.csv``.
    """

    directory: Path
    leaderboard: pd.DataFrame
    results: pd.DataFrame
    timings: pd.DataFrame


def run(
    generators: Entrant | Iterable[Entrant] | Mapping[str, Any],
    *,
    metrics: str | Iterable[str] | None = None,
    suite: str | Path = suites.DEFAULT,
    dataset: Sequences | Iterable[str | Path] | None = None,
    seeds: Iterable[int] | None = None,
    samples: int | None = None,
    length: int | None = None,
    preset: str = "quick",
    options: Settings | None = None,
    controls: bool = True,
    device: str = "auto",
    jobs: int | None = None,
    threads: int = 1,
    out: str | Path | None = None,
    store: str | Path | None = None,
) -> Comparison:
    """Train, sample and score generators on the same data, splits and seeds, as ``dnabench run`` does.

    Beside installed generators it takes callables and objects with a method ``sample``, called with the number of
    sequences to draw. They answer with a :class:`SequenceSet`, uint8 codes (n, length) of A C G T N = 0 1 2 3 4, or
    texts. Of ``seed``, ``rng`` (a ``numpy.random.Generator``), ``length`` and ``context`` (a :class:`Context`) they are
    passed what their signatures name; what is to be the same every time takes its randomness from these. An object with
    ``fit`` learns from the training sequences first, a deep copy of it for each seed; one with ``save`` has its model
    kept. Their samples are scored as a whole, not by labels. They run in this process, one after the other, and anew
    each time, from the beginning; what installed generators did before is taken from the store. While one of them runs,
    cells of the others that have begun go on. A generator or metric that raises is no error here: its rows have the
    status ``failed``, and why.

    Args:
        generators: one or several, such as ``["markov", my_function, ("tuned", my_model)]``; a mapping of names to
            objects. Without a name an object is called after its function or class.
        metrics: ``NAME`` or ``NAME@EMBEDDER`` each; the suite's where none are given.
        suite: a protocol's name or file.
        dataset: your own sequences in place of the suite's: in memory, one file or several, a directory, or the name of
            a data set.
        seeds: repeats, each trained and sampled anew; the suite's where none are given.
        samples: on each side of a comparison; the suite's, or as many as are held out.
        length: crops sequences to their central ``length`` bp.
        preset: ``quick``, ``standard`` or ``paper``.
        options: by plugin and option, such as ``{"markov": {"order": 3}}``.
        controls: whether the suite's controls take part.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        jobs: how many cells run at once, besides this process.
        threads: of each cell.
        out: the run's directory; that of an earlier attempt is continued. ``runs/<UTC time>-<suite>`` by default.
        store: the directory of finished work; by default that of the command line.

    Raises:
        UserError: an unknown name or option, a fault in the data, an object that generates nothing, too few sequences
            for a metric.
    """
    names, given = _entrants(generators)
    if preset not in PRESETS:
        raise UserError(f"no preset {preset!r}; {did_you_mean(str(preset), PRESETS)}")
    samples, length, jobs = (
        None if value is None else _count(value, what)
        for what, value in (("samples", samples), ("length", length), ("jobs", jobs))
    )
    threads = _count(threads, "threads")
    protocol = suites.load(str(suite))
    with _alone(), tempfile.TemporaryDirectory() as scratch:
        request = Request(
            catalog=load_catalog(),
            suite=protocol,
            generators=names,
            metrics=_words(metrics) or protocol.metrics,
            seeds=_seeds(protocol.seeds if seeds is None else seeds),
            settings=_settings(options),
            datasets=_datasets(dataset, Path(scratch)),
            samples=samples,
            length=length,
            preset=preset,
            threads=threads,
            controls=controls,
            given=given,
        )
        with open_host("local", _text(device, "device"), jobs=jobs, threads=threads, limits=Limits()) as host:
            planned = Run(request, host, Store.open(Path(store) if store else default_root()))
            directory = Path(out if out else planned.default_directory()).absolute()
            outcome = planned.carry_out(directory, Watcher())
    return Comparison(
        directory=directory,
        leaderboard=pd.DataFrame(outcome.board.rows, columns=table.columns(outcome.board.directions)),
        results=pd.DataFrame(outcome.board.facts, columns=list(COLUMNS)),
        timings=pd.DataFrame(timings.rows(outcome.results), columns=list(timings.COLUMNS)),
    )


def score(
    samples: Sequences | Mapping[str, Sequences],
    reference: Sequences,
    *,
    train: Sequences | None = None,
    metrics: str | Iterable[str] | None = None,
    options: Settings | None = None,
    device: str = "auto",
    store: str | Path | None = None,
) -> Scores:
    """Score generated sequences against real ones, as ``dnabench score`` does.

    A metric that raises is no error here: its row has the status ``failed``, and why.

    Args:
        samples: one sample, which is called after its file or else ``sample``, or several by name.
        reference: real sequences; every one is used.
        train: what the generator was trained on, for metrics that ask and for the floor.
        metrics: ``NAME`` or ``NAME@EMBEDDER`` each; those of the default suite where none are given.
        options: by plugin and option, such as ``{"fred": {"encoder": "fit"}}``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        store: the directory of finished work; by default that of the command line.

    Raises:
        UserError: an unknown name or option, a fault in a file, lengths that differ, too few sequences for a metric.
    """
    catalog, settings = load_catalog(), _settings(options)
    chosen_device = choose_device(device)
    names = _words(metrics) or suites.load(suites.DEFAULT).metrics
    chosen = plan_metrics(catalog, names, settings, chosen_device)
    check_settings(catalog, settings, names_of(chosen))
    by_name = samples if isinstance(samples, Mapping) else {_name(samples, "sample"): samples}
    if not by_name:
        raise UserError("there are no samples to score")
    for name in by_name:
        if not isinstance(name, str):
            raise UserError(f"the name {name!r} of a sample is no text")
    rows = score_samples(
        catalog,
        {name: _sequences(sample, name) for name, sample in by_name.items()},
        chosen,
        real=_sequences(reference, "reference"),
        training=None if train is None else _sequences(train, "train"),
        dataset=_name(reference, "reference"),
        device=chosen_device,
        store=Store.open(Path(store) if store else default_root()),
    )
    return Scores(pd.DataFrame(rows, columns=[*COLUMNS, "flags"]))


_RUNNING = threading.Lock()


@contextmanager
def _alone() -> Iterator[None]:
    """UserError while another run goes on in this process: they would hear of each other's cells."""
    if not _RUNNING.acquire(blocking=False):
        raise UserError("another dnabench.run goes on in this process; begin this one when it has ended")
    try:
        yield
    finally:
        _RUNNING.release()


def _words(texts: Any) -> list[str]:
    """Names of a list, or of one text that commas part."""
    each = [texts] if isinstance(texts, str) else texts or ()
    if not isinstance(each, Iterable) or not all(isinstance(text, str) for text in each):
        raise UserError(f"metrics {texts!r}: it takes their names")
    return [word for text in each for word in (part.strip() for part in text.split(",")) if word]


def _count(value: Any, what: str, minimum: int = 1) -> int:
    """A whole number, NumPy's too. UserError for anything else."""
    try:
        number = operator.index(value)
    except TypeError:
        number = minimum - 1
    if number < minimum or isinstance(value, bool):
        raise UserError(f"{what} {value!r}: it takes whole numbers from {minimum}")
    return number


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{what} {value!r}: it takes a text")
    return value


def _entrants(generators: Any) -> tuple[list[str], dict[str, Any]]:
    """The names of all, and the objects among them by name."""
    if isinstance(generators, Mapping):
        generators = generators.items()
    elif isinstance(generators, tuple) and len(generators) == 2 and not isinstance(generators[1], (str, tuple)):
        generators = [generators] if isinstance(generators[0], str) else generators
    elif isinstance(generators, str) or callable(generators) or hasattr(generators, "sample"):
        generators = [generators]
    elif not isinstance(generators, Iterable):
        raise UserError(f"{generators!r} is no generator: it takes names, callables and objects with a method sample")
    names: list[str] = []
    given: dict[str, Any] = {}
    for entrant in generators:
        if isinstance(entrant, str):
            names += _words(entrant)
            continue
        name, thing = entrant if isinstance(entrant, tuple) and len(entrant) == 2 else (name_of(entrant), entrant)
        check_generator(name, thing)
        if name in given:
            raise UserError(f'two generators are called {name}; give ("another-name", generator) in place of one')
        given[name] = thing
        names.append(name)
    if not names:
        raise UserError("there are no generators to run")
    return names, given


def _seeds(seeds: Any) -> list[int]:
    chosen = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, str) else []
    if not chosen:
        raise UserError(f"seeds {seeds!r}: it takes a list of whole numbers from 0, such as [0, 1, 2]")
    return [_count(seed, "seeds:", minimum=0) for seed in chosen]


def _settings(options: Settings | None) -> Settings:
    if not isinstance(options or {}, Mapping):
        raise UserError(f"options {options!r}: they are given by plugin and name")
    for name, values in (options or {}).items():
        if not isinstance(values, Mapping):
            example = '{"markov": {"order": 3}}'
            raise UserError(f"options of {name}: {values!r}; they are given by plugin and name, as {example}")
    return options or {}


def _datasets(dataset: Any, scratch: Path) -> tuple[str, ...]:
    """Names or files; what is in memory goes into a file."""
    if dataset is None:
        return ()
    if isinstance(dataset, (str, Path)):
        return (str(dataset),)
    if not isinstance(dataset, (SequenceSet, np.ndarray)):
        files = list(dataset) if isinstance(dataset, Iterable) else []
        if not files or not all(isinstance(one, (str, Path)) for one in files):
            raise UserError(f"dataset {dataset!r}: it takes sequences, files, a directory or the name of a data set")
        return tuple(str(one) for one in files)
    path = scratch / "dataset.fa.gz"
    _sequences(dataset, "dataset").to_fasta(path)
    return (str(path),)


def _name(sequences: Sequences, otherwise: str) -> str:
    return stem(Path(sequences)) if isinstance(sequences, (str, Path)) else otherwise


def _sequences(given: Any, what: str) -> SequenceSet:
    if isinstance(given, SequenceSet):
        return given
    if isinstance(given, (str, Path)):
        return SequenceSet.from_fasta(given)
    try:
        return SequenceSet(np.asarray(given))
    except (TypeError, ValueError) as error:
        raise UserError(f"{what}: {error}") from None
