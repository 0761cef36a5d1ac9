"""A plugin of generators that misbehave, for the tests to install."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dnabench import GeneratorSpec, MetricSpec, Score, hookimpl, option


@dataclass(frozen=True)
class GroupOptions:
    devices: int = option(1, "processes that train together", minimum=1)
    fault: str = option("", "what goes wrong: raises, dies or hangs")


@hookimpl
def dnabench_metrics():
    yield MetricSpec(name="picky", target="wild_dna:Picky", summary="fails on one slice", direction="lower")


@hookimpl
def dnabench_generators():
    for name in ("good", "raises", "segfaults", "hangs", "eats", "exits", "quits", "stubborn", "killed", "bulky"):
        yield GeneratorSpec(name=name, target=f"wild_dna:{name.title()}", summary=name)
    yield GeneratorSpec(
        name="group", target="wild_dna:Group", summary="trains together", options=GroupOptions, devices_option="devices"
    )


def note(file: str, text: object) -> None:
    with Path(file).open("a") as diary:
        diary.write(f"{text}\n")


class Good:
    def fit(self, train, *, context):
        note("diary.txt", type(self).__name__)
        print("about to begin", flush=True)
        self.misbehave()

    def misbehave(self):
        pass

    def sample(self, n, *, context):
        return context.rng.integers(0, 4, (n, context.length), dtype=np.uint8)

    def save(self, directory):
        pass

    load = save


class Raises(Good):
    def misbehave(self):
        raise ValueError("no\nluck")


class Segfaults(Good):
    def misbehave(self):
        os.kill(os.getpid(), signal.SIGSEGV)


class Hangs(Good):
    def misbehave(self):
        child = subprocess.Popen(["sleep", "600"])
        note("child.txt", child.pid)
        time.sleep(600)


class Stubborn(Good):
    def misbehave(self):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)


class Eats(Good):
    def misbehave(self):
        hoard = []
        while True:
            hoard.append(np.ones(10_000_000))


class Exits(Good):
    def misbehave(self):
        os._exit(7)


class Quits(Good):
    def misbehave(self):
        os._exit(0)


class Killed(Good):
    def misbehave(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Bulky(Good):
    """Its model takes a megabyte."""

    def save(self, directory):
        (directory / "bulk.bin").write_bytes(bytes(1_000_000))

    def load(self, directory):
        assert (directory / "bulk.bin").stat().st_size == 1_000_000


class Picky:
    def score(self, *, generated, reference, context):
        if set(generated.labels["species"]) == {"gc"}:
            raise ValueError("not these")
        return Score(value=float(len(generated)))


class Group(Good):
    """Every process draws a number; the first keeps the sum of all."""

    def __init__(self, options):
        self.options = options

    def fit(self, train, *, context):
        import torch
        import torch.distributed

        note("child.txt", os.getpid())
        print(f"rank {context.rank} of {context.ranks} on {context.device}, {torch.get_num_threads()} threads")
        if context.rank == context.ranks - 1:
            if self.options.fault == "raises":
                raise ValueError(f"rank {context.rank} has had enough")
            if self.options.fault == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.options.fault == "hangs":
                time.sleep(600)
        self.sum = torch.tensor([len(train) * 10.0**context.rank])
        context.progress(1, 2, "summing")
        if context.ranks > 1:
            torch.distributed.all_reduce(self.sum)

    def save(self, directory):
        (directory / "sum.txt").write_text(f"{self.sum.item():g}")

    def load(self, directory):
        self.sum = float((directory / "sum.txt").read_text())
