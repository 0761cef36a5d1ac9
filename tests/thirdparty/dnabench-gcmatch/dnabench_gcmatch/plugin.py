"""What the records of this package point to."""

import json

import numpy as np

from dnabench import Score


class GCMatched:
    def __init__(self, options):
        self.options = options

    def fit(self, train, *, context):
        self.gc = np.isin(train.codes, (1, 2)).mean(axis=1)

    def sample(self, n, *, context):
        gc = context.rng.choice(self.gc, n) + context.rng.normal(0, self.options.jitter, n)
        strong = context.rng.random((n, context.length)) < gc[:, None]
        second = context.rng.random((n, context.length)) < 0.5
        return np.where(strong, 1 + second, 3 * second).astype(np.uint8)

    def save(self, directory):
        (directory / "gc.json").write_text(json.dumps(self.gc.tolist()))

    def load(self, directory):
        self.gc = np.array(json.loads((directory / "gc.json").read_text()))


class CpG:
    def score(self, *, generated, reference, context):
        sides = [
            ((s.codes[:, :-1] == 1) & (s.codes[:, 1:] == 2)).mean(axis=1).astype(float) for s in (generated, reference)
        ]
        margin = 1.96 * np.sqrt(sum(side.var() / len(side) for side in sides))
        value = abs(sides[0].mean() - sides[1].mean())
        return Score(value=value, ci_low=max(value - margin, 0.0), ci_high=value + margin)


class Bases:
    def embed(self, sequences, *, context):
        return np.stack([(sequences.codes == code).mean(axis=1) for code in (1, 2, 3)], axis=1).astype(np.float32)
