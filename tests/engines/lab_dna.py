"""A plugin whose generators write down where they train, and do what their names say; for the cells of a cluster."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from dnabench import GeneratorSpec, hookimpl


@hookimpl
def dnabench_generators():
    for name in ("good", "raises", "segfaults", "hangs", "waits"):
        yield GeneratorSpec(name=name, target=f"lab_dna:{name.title()}", summary=name)


class Good:
    def fit(self, train, *, context):
        with Path(os.environ["DIARY"]).open("a") as diary:
            diary.write(f"{type(self).__name__} {context.seed} {os.environ['WORKER']} {os.getpid()}\n")
        context.progress(1, 2, "working")
        self.work()

    def work(self):
        pass

    def sample(self, n, *, context):
        return context.rng.integers(0, 4, (n, context.length), dtype=np.uint8)

    def save(self, directory):
        pass

    load = save


class Raises(Good):
    def work(self):
        raise ValueError("no luck")


class Segfaults(Good):
    def work(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Hangs(Good):
    def work(self):
        time.sleep(600)


class Waits(Good):
    """Waits for the gate to be opened."""

    def work(self):
        while not Path(os.environ["GATE"]).exists():
            time.sleep(0.02)
