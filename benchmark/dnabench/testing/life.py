"""The life of a generator in a process of its own: ``python -m dnabench.testing.life DIRECTORY``.

``DIRECTORY/order.json`` says what to do; what came of every step is in ``DIRECTORY/record.json``, at any moment.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dnabench import options, plugins
from dnabench.context import Context
from dnabench.data.kept import read_kept
from dnabench.sequences import SequenceSet

T = TypeVar("T")

FIT, SAMPLE, OTHER = 1, 2, 3
"""Seeds."""


class StepFailedError(Exception):
    """A step went wrong; the record says how."""


class Life:
    """One order, being executed in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.order = json.loads((directory / "order.json").read_text(encoding="utf-8"))
        self.train = read_kept(Path(self.order["train"]))
        self.held_out = read_kept(Path(self.order["held_out"]))
        self.n = self.order["sizes"][-1]
        self.reports = 0
        self.steps: dict[str, dict[str, Any]] = {}

    def first(self) -> None:
        """All that a generator is asked for."""
        generator = self.do("construct", self.construct)
        self.do("fit", lambda: self.fit(generator, "scratch"))
        self.note("fit", reports=self.reports)
        for n in self.order["sizes"]:
            with contextlib.suppress(StepFailedError):
                self.sample(f"sample {n}", generator, n)
        with contextlib.suppress(StepFailedError):
            self.sample("other seed", generator, self.n, seed=OTHER)
        self.do("save", lambda: generator.save(self.directory / "saved"))
        self.sample("loaded", self.do("load", self.load), self.n)
        if self.order["changes"]:
            with contextlib.suppress(StepFailedError):
                other = self.do("load other batch", lambda: self.load(self.order["changes"]))
                self.sample("other batch", other, self.n)
        self.note("memory", **self.do("memory", self.memory))

    def second(self) -> None:
        """The same once more, after a training that is killed and continued."""
        if self.order["kill"]:
            self.killed()
            with contextlib.suppress(StepFailedError):
                generator = self.do("construct", self.construct)
                self.do("resume", lambda: self.fit(generator, "killed"))
                self.sample("resumed", generator, self.n)
        self.again()

    def again(self) -> None:
        """Construct, fit and sample."""
        generator = self.do("construct", self.construct)
        self.do("fit", lambda: self.fit(generator, "scratch"))
        self.sample(f"sample {self.n}", generator, self.n)

    def killed(self) -> None:
        """Have another process fit, with checkpoints as often as there can be, and be killed in the midst of it.

        It is forked before anything of the plugin is imported.
        """
        kill = self.order["kill"]
        (self.directory / "killed").mkdir()
        if (pid := os.fork()) == 0:
            try:
                generator = self.construct()
                # Without progress to go by, its time; else enough of it, so that one that hangs comes to its end, too.
                seconds = 60 + 10 * kill["seconds"] if kill["report"] else kill["seconds"]
                signal.setitimer(signal.ITIMER_REAL, seconds)
                self.fit(generator, "killed", kill_at=kill["report"], checkpoint_seconds=0.0)
            finally:
                os._exit(0)
        _, status = os.waitpid(pid, 0)
        self.steps["kill"] = {"error": None, "killed": os.WIFSIGNALED(status)}

    def construct(self, changes: dict[str, Any] | None = None) -> Any:
        """An instance with the order's options and these changes."""
        spec = plugins.load_catalog(allowed=[self.order["plugin"]]).generator(self.order["name"]).spec
        return plugins.construct(spec, options.build(spec.options, spec.name, self.order["options"], changes or {}))

    def load(self, changes: dict[str, Any] | None = None) -> Any:
        """An instance that has read what was saved."""
        generator = self.construct(changes)
        generator.load(self.directory / "saved")
        return generator

    def fit(self, generator: Any, scratch: str, kill_at: int = 0, **attributes: Any) -> None:
        """Train; kill this process at the report ``kill_at``."""

        def progress(_done: int, _total: int, _stage: str) -> None:
            self.reports += 1
            if self.reports == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        context = Context(
            device=self.order["device"],
            seed=FIT,
            length=self.order["length"],
            scratch=self.directory / scratch,
            train=self.train,
            held_out=self.held_out if self.order["control"] else None,
            progress=progress,
            **attributes,
        )
        generator.fit(self.train, context=context)

    def draw(self, generator: Any, n: int, seed: int = SAMPLE) -> Any:
        """What ``sample`` returns."""
        scratch = Path(tempfile.mkdtemp(dir=self.directory))
        rows = np.random.default_rng(SAMPLE).integers(len(self.train), size=n)
        labels = self.train.labels.iloc[rows].reset_index(drop=True)
        context = Context(
            device=self.order["device"], seed=seed, length=self.order["length"], scratch=scratch, labels=labels
        )
        return generator.sample(n, context=context)

    def sample(self, step: str, generator: Any, n: int, seed: int = SAMPLE) -> None:
        """Draw, and note what came."""
        self.note(step, **self.do(step, lambda: described(self.draw(generator, n, seed)), seed))

    def memory(self) -> dict[str, Any]:
        """Bytes that the process has grown by over two series of draws, and whether a dropped instance is gone."""
        import psutil

        process = psutil.Process()

        def growth(generator: Any) -> int:
            before = process.memory_info().rss
            for _ in range(self.order["draws"]):
                self.draw(generator, self.n)
            gc.collect()
            return int(process.memory_info().rss - before)

        generator = self.load()
        growth(generator)  # caches and pools fill up
        grown = [growth(generator), growth(generator)]
        try:
            reference = weakref.ref(generator)
        except TypeError:  # a class with slots
            return {"growth": grown, "released": True}
        del generator
        gc.collect()
        return {"growth": grown, "released": reference() is None}

    def do(self, step: str, call: Callable[[], T], seed: int = FIT) -> T:
        """What ``call`` returns; its error, duration, and what else it changed go into the record."""
        self.steps[step] = {}
        self.write()
        seed_globals(seed)
        randomness, home, start = states(), Path.cwd(), time.monotonic()
        try:
            value = call()
        except (Exception, SystemExit) as error:
            self.note(step, error=told(error))
            raise StepFailedError from error
        self.note(
            step,
            error=None,
            seconds=time.monotonic() - start,
            randomness=changed(randomness, states()),
            cwd=str(Path.cwd()) if Path.cwd() != home else "",
        )
        os.chdir(home)
        return value

    def note(self, step: str, **facts: Any) -> None:
        """Add to the record."""
        self.steps[step].update(facts)
        self.write()

    def write(self) -> None:
        """Put the record on disk, whole: the next step may be the end of this process."""
        temporary = self.directory / "record.json.new"
        temporary.write_text(json.dumps(self.steps), encoding="utf-8")
        temporary.replace(self.directory / "record.json")


def described(value: Any) -> dict[str, Any]:
    """What ``sample`` returned, in plain data."""
    codes = value.codes if isinstance(value, SequenceSet) else np.asarray(value)
    labels = value.labels if isinstance(value, SequenceSet) else None
    text = "" if labels is None else labels.to_csv()
    return {
        "type": type(value).__name__,
        "dtype": str(codes.dtype),
        "shape": list(codes.shape),
        "codes": np.unique(codes).tolist()[:20] if codes.dtype.kind in "iub" else [],
        "labels": [] if labels is None else list(labels.columns),
        "digest": hashlib.sha256(codes.tobytes() + text.encode()).hexdigest(),
    }


def seed_globals(seed: int) -> None:
    """Seed the global generators that are there, as a run does."""
    random.seed(seed)
    np.random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].default_generator.manual_seed(seed)


def states() -> dict[str, bytes]:
    """The states of the global generators; torch's only where something has imported it."""
    found = {"random": repr(random.getstate()).encode(), "numpy.random": repr(np.random.get_state()).encode()}
    if "torch" in sys.modules:
        found["torch"] = sys.modules["torch"].default_generator.get_state().numpy().tobytes()
    return found


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """The generators whose state is another one. Of torch's, which starts anywhere, nothing is known at its import."""
    return [name for name in before if after[name] != before[name]]


def told(error: BaseException) -> str:
    """An error in a line, and where it was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {' '.join(str(error).split())} ({frame.filename}, line {frame.lineno})"


def main() -> None:
    """Execute the order in the directory that is named on the command line."""
    life = Life(Path(sys.argv[1]))
    with contextlib.suppress(StepFailedError):  # the record has it
        {"first": life.first, "second": life.second, "again": life.again}[life.order["life"]]()


if __name__ == "__main__":
    main()
