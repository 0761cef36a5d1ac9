"""The generators of ``faulty_dna``, in NumPy: a good one, and others with one fault each."""

import functools
import json
import os
import pickle
from pathlib import Path

import numpy as np

STEPS = 6
HOARD = []


class Good:
    """Frequencies at each position, learned in steps from random rows, with a checkpoint after each."""

    def __init__(self, options):
        self.options = options

    def fit(self, train, *, context):
        state = context.scratch / "state.json"
        first, self.counts = 0, np.ones((4, train.length))
        if state.exists():
            first, counts, position = json.loads(state.read_text())
            self.counts = np.array(counts)
            self.wind(context.rng, position)
        for step in range(first, STEPS):
            rows = context.rng.integers(len(train), size=5)
            self.counts += (train.codes[rows][:, None] == np.arange(4)[:, None]).sum(0)
            self.keep(state, json.dumps([step + 1, self.counts.tolist(), context.rng.bit_generator.state]))
            context.progress(step + 1, STEPS, "count")

    def wind(self, rng, position):
        rng.bit_generator.state = position

    def keep(self, state, text):
        new = state.with_suffix(".new")
        new.write_text(text)
        new.replace(state)

    def sample(self, n, *, context):
        dice = self.dice(context, n)
        parts = [self.part(dice[i : i + self.options.batch]) for i in range(0, n, self.options.batch)]
        return np.concatenate(parts)[:n]

    def dice(self, context, n):
        return context.rng.random((n, context.length))

    def part(self, dice):
        below = np.cumsum(self.counts / self.counts.sum(0), axis=0)[:3]
        return (dice[:, None] > below).sum(1).astype(np.uint8)

    def save(self, directory):
        np.save(directory / "counts.npy", self.counts, allow_pickle=False)

    def load(self, directory):
        self.counts = np.load(directory / "counts.npy", allow_pickle=False)


class CrookedDefault(Good):
    def __init__(self, options):
        self.options = type(options)(8)


class NoLoad(Good):
    load = None


class Dies(Good):
    def fit(self, train, *, context):
        os._exit(7)


class RoundsUp(Good):
    def sample(self, n, *, context):
        return super().sample(-(-n // 4) * 4, context=context)


class WideCodes(Good):
    def sample(self, n, *, context):
        return super().sample(n, context=context).astype(np.int64)


class FiveLetters(Good):
    def dice(self, context, n):
        return context.rng.integers(0, 5, (n, context.length), dtype=np.uint8)

    def part(self, dice):
        return dice


class HashSeeded(Good):
    def dice(self, context, n):
        return np.random.default_rng([context.seed, hash("dna") % 1000]).random((n, context.length))


class OwnSeed(Good):
    def dice(self, context, n):
        return np.random.default_rng(0).random((n, context.length))


class GlobalSeed(Good):
    def dice(self, context, n):
        return np.random.random((n, context.length))


class Moves(Good):
    def fit(self, train, *, context):
        super().fit(train, context=context)
        os.chdir(context.scratch)


class Litters(Good):
    def fit(self, train, *, context):
        super().fit(train, context=context)
        Path("losses.csv").write_text("step,loss\n")


class Prints(Good):
    def part(self, dice):
        os.write(1, b"a batch\n")
        return super().part(dice)


class Pickles(Good):
    def save(self, directory):
        (directory / "model.bin").write_bytes(pickle.dumps(self.counts))

    def load(self, directory):
        self.counts = pickle.loads((directory / "model.bin").read_bytes())


class Loses(Good):
    def load(self, directory):
        self.counts = np.ones_like(np.load(directory / "counts.npy", allow_pickle=False))


class RestartsWrong(Good):
    def wind(self, rng, position):
        pass


class Chokes(Good):
    def keep(self, state, text):
        state.write_text(text[: len(text) // 2])


class Hoards(Good):
    def part(self, dice):
        HOARD.append(np.ones(400_000))
        return super().part(dice)


class Clings(Good):
    @functools.cache  # noqa: B019 - the fault
    def below(self):
        return self.counts.tobytes()

    def part(self, dice):
        self.below()
        return super().part(dice)


class Batchwise(Good):
    def part(self, dice):
        return super().part(dice)[::-1]


class Bare(Good):
    pass


class Dreams(Good):
    pass
