"""The metrics, embedders and data sets of ``faulty_dna``, in NumPy: a good one each, and others with one fault."""

import os

import numpy as np
import pandas as pd

from dnabench import Score, SequenceSet


class GoodScore:
    """Mean absolute difference of the frequencies of the bases, with a bootstrap interval."""

    draws = 100

    def __init__(self, options):
        self.options = options

    def score(self, *, generated, reference, context):
        sides = [self.frequencies(sequences) for sequences in (generated, reference)]
        value = self.distance(*sides)
        spread = [
            self.distance(*(side[context.rng.integers(len(side), size=len(side))] for side in sides))
            for _ in range(self.draws)
        ]
        low, high = np.quantile(spread, [0.025, 0.975])
        return Score(value=value, ci_low=min(low, value), ci_high=max(high, value))

    def frequencies(self, sequences):
        return np.stack([(sequences.codes == code).mean(1) for code in range(4)], axis=1)

    def distance(self, generated, reference):
        return float(np.abs(generated.mean(0) - reference.mean(0)).mean())


class UpsideDown(GoodScore):
    pass


class Unmoved(GoodScore):
    def frequencies(self, sequences):
        return np.full((len(sequences), 4), 0.25)


class Pairwise:
    def __init__(self, options):
        pass

    def score(self, *, generated, reference, context):
        return Score(value=float((generated.codes != reference.codes).mean()))


class NanOfOne(GoodScore):
    def score(self, *, generated, reference, context):
        score = super().score(generated=generated, reference=reference, context=context)
        if len(generated) == 1:
            return Score(value=float("nan"))
        return score


class TooSure(GoodScore):
    def score(self, *, generated, reference, context):
        value = super().score(generated=generated, reference=reference, context=context).value
        return Score(value=value, ci_low=value * 0.9999, ci_high=value * 1.0001)


class Vague(GoodScore):
    def score(self, *, generated, reference, context):
        value = super().score(generated=generated, reference=reference, context=context).value
        return Score(value=value, ci_low=value - 1, ci_high=value + 1)


class Remembers(GoodScore):
    past = 0.0

    def distance(self, generated, reference):
        self.past = 0.9 * self.past + 0.1 * super().distance(generated, reference)
        return self.past


class BatchMeans(GoodScore):
    def distance(self, generated, reference):
        order = np.lexsort(generated.T)  # the batches, at least, do not depend on the order
        step = self.options.batch
        means = [generated[order[i : i + step]].mean(0) for i in range(0, len(order), step)]
        return float(np.abs(np.mean(means, axis=0) - reference.mean(0)).mean())


class GoodVectors:
    def embed(self, sequences, *, context):
        return np.stack([(sequences.codes == code).mean(1) for code in range(4)], axis=1).astype(np.float32)


class Double(GoodVectors):
    def embed(self, sequences, *, context):
        return super().embed(sequences, context=context).astype(np.float64)


class Narrow(GoodVectors):
    pass


class DropsOut(GoodVectors):
    def embed(self, sequences, *, context):
        vectors = super().embed(sequences, context=context)
        return vectors * (context.rng.random(vectors.shape) < 0.9).astype(np.float32)


class Normalises(GoodVectors):
    def embed(self, sequences, *, context):
        vectors = super().embed(sequences, context=context)
        return vectors - vectors.mean(0)


class Sorts(GoodVectors):
    def embed(self, sequences, *, context):
        return np.sort(super().embed(sequences, context=context), axis=0)


class Hollow(GoodVectors):
    def embed(self, sequences, *, context):
        vectors = super().embed(sequences, context=context)
        vectors[0] = np.nan
        return vectors


class ForgetsWeights(GoodVectors):
    """Its digest is another one each time it is loaded."""

    weights = b""

    def fit(self, train, *, context):
        pass

    def save(self, directory):
        (directory / "weights.bin").write_bytes(b"weights")

    def load(self, directory):
        self.weights = (directory / "weights.bin").read_bytes() + os.urandom(8)

    def digest(self):
        return self.weights.hex()


class GoodSet:
    seed = 0

    def load(self, *, context):
        codes = np.random.default_rng(self.seed).integers(0, 4, (50, 30), dtype=np.uint8)
        return SequenceSet(codes, labels=pd.DataFrame({"species": ["hs", "mm"] * 25}))


class RawArray(GoodSet):
    def load(self, *, context):
        return super().load(context=context).codes


class NoT(GoodSet):
    def load(self, *, context):
        return SequenceSet(super().load(context=context).codes // 2)


class DrawnAnew(GoodSet):
    def load(self, *, context):
        return super().load(context=context).take(context.rng.permutation(50))


class HalfLabelled(GoodSet):
    def load(self, *, context):
        return SequenceSet(super().load(context=context).codes, labels=pd.DataFrame({"species": ["hs", ""] * 25}))
