"""A run from its request to its tables: what ``dnabench run`` and :func:`dnabench.run` have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnabench import provenance, report, runs
from dnabench.data import source
from dnabench.data.parts import put_parts
from dnabench.errors import UserError
from dnabench.execution import Execution
from dnabench.given import GivenEngine
from dnabench.identity import Identity
from dnabench.leaderboard import published
from dnabench.orders import FAILURES, Site
from dnabench.planning import plan_run
from dnabench.plugins import allowed_plugins

if TYPE_CHECKING:
    from dnabench.execution import Watcher
    from dnabench.host import Host
    from dnabench.planning.metrics import Settings
    from dnabench.plugins import Catalog
    from dnabench.runs import Outcome
    from dnabench.store import Store
    from dnabench.suites import Suite


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be compared.

    Attributes:
        generators: ``NAME`` or ``NAME=VALUE`` each.
        metrics: ``NAME`` or ``NAME@EMBEDDER`` each.
        settings: options by plugin.
        datasets: data of the user's in place of the suite's; see :func:`dnabench.data.source.load`.
        data_directory: where the suite's data are taken from in place of the cache.
        split_method: None for the suite's.
        samples, length: None for the suite's.
        controls: whether the suite's controls take part.
        leaderboard: where results are also published.
        blocked: plugins that cells leave out, as the catalog does.
        pythons: generator -> the interpreter of the environment that it is installed in, for those of others.
        given: generators that are objects of this process, by name; ``generators`` names them, too.
    """

    catalog: Catalog
    suite: Suite
    generators: Sequence[str]
    metrics: Sequence[str]
    seeds: Sequence[int]
    settings: Settings = field(default_factory=dict)
    datasets: tuple[str, ...] = ()
    data_directory: Path | None = None
    sequence_column: str | None = None
    split_method: str | None = None
    samples: int | None = None
    length: int | None = None
    preset: str = "quick"
    threads: int = 1
    controls: bool = True
    leaderboard: Path | None = None
    blocked: tuple[str, ...] = ()
    pythons: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


class Run:
    """A request with its data and its plan; nothing has been computed or written but the split.

    Raises UserError for whatever could not work.
    """

    def __init__(self, request: Request, host: Host, store: Store) -> None:
        suite, method = request.suite, request.split_method
        if request.datasets and request.data_directory:
            raise UserError("--data takes the place of a suite's data, --dataset is your own: give one of the two")
        settings = {name: dict(values) for name, values in request.settings.items()}
        self._request = request
        self._host = host
        self._store = store
        self._data = source.load(
            request.catalog,
            suite,
            store.root,
            dataset=request.datasets,
            directory=request.data_directory,
            length=request.length,
            rule=None if method is None else dataclasses.replace(suite.split, method=method),
            settings=settings,
            sequence_column=request.sequence_column,
        )
        self.plan = plan_run(
            request.catalog,
            suite,
            self._data,
            generators=request.generators,
            metrics=request.metrics,
            seeds=request.seeds,
            samples=request.samples,
            preset=request.preset,
            device=host.device,
            threads=request.threads,
            settings=settings,
            controls=request.controls,
            to_publish=request.leaderboard is not None,
            pythons=request.pythons,
            given=request.given,
        )
        host.check(self.plan)
        files = host.metric_files(self.plan, request.blocked, store.root)
        if request.leaderboard is not None:
            published.check_plan(request.leaderboard, self.plan, files)
        self.identity = Identity(request.catalog, self.plan, self._data, files)

    def default_directory(self) -> Path:
        """Where the run goes unless it is told."""
        return runs.default_directory(self.plan.dataset if self._request.datasets else self._request.suite.name)

    def carry_out(
        self,
        directory: Path,
        watcher: Watcher,
        *,
        retried: Collection[str] = FAILURES,
        max_failures: int | None = None,
        checkpoint_seconds: float = 15.0,
        anonymous: bool = False,
    ) -> Outcome:
        """Execute all cells and write the tables and the report.

        Args:
            directory: the run's; that of an earlier attempt is continued.
            retried: which failures of an earlier attempt are tried again.
            max_failures: after so many the attempt is given up; None for never.
            checkpoint_seconds: how long a training goes on without a checkpoint.
            anonymous: leaves the names of host and user out of the manifest.
        """
        request, plan, code = self._request, self.plan, self.identity.code()
        site = Site(
            store=str(self._store.root),
            since=self._store.since,
            parts=str(put_parts(self._store.root, self._data)),
            blocked=request.blocked,
            allowed=allowed_plugins(),
            code=code,
            pythons=request.pythons,
            checkpoint_seconds=checkpoint_seconds,
        )
        self._host.admit(site)
        made_with = provenance.collect(self._host.machine, code, request.pythons, anonymous=anonymous)
        runs.open_directory(directory, plan, made_with)
        earlier = runs.earlier_failures(directory, plan)
        engine = self._host.engine
        if request.given:
            engine = GivenEngine(engine, request.given, self._host.device_here)
        with self._store.in_use(directory):
            results = Execution(
                plan=plan,
                identity=self.identity,
                site=site,
                store=self._store,
                engine=engine,
                catalog=request.catalog,
                directory=directory,
                watcher=watcher,
                kept={cell: result for cell, result in earlier.items() if result.status not in retried},
                max_failures=max_failures,
            ).run()
            outcome = runs.write_tables(directory, plan, results)
            report.write_after_run(directory, self._store, request.catalog, outcome.board)
            if request.leaderboard is not None:
                board = outcome.board
                published.publish_facts(request.leaderboard, plan.suite, board.facts, board.kinds, plan.flags)
        return outcome
