"""`gc`: the 1-Wasserstein distance between the GC contents of generated and real sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dnabench import Score, UserError
from dnabench_metrics.features import Z95, require_samples, standard_error

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet


class GCContent:
    """1-Wasserstein distance between the distributions of GC content, as a fraction from 0 to 1; lower is better.

    Definition:
        A sequence's GC content is (#G + #C) / (#A + #C + #G + #T); N is left out, and a sequence of N alone is an
        error, as it has none. With F and G the empirical distribution functions of the contents of both sides, the
        value is W = integral |F(t) - G(t)| dt: the mean GC content that must be moved, so 0.01 is one percentage point.
        It is at least the difference of the means, which the parts `generated-mean` and `reference-mean` hold.
        Both strands give the same. The sides may differ in length.
    Interval:
        Normal, from the influence of each sequence, which is its Kantorovich potential,
        integral sign(F - G)(t) (1{x <= t} - F(t)) dt. It covers the value expected at these sample sizes. Where the
        distributions agree the standard error is about one and a half times the spread, as W has no derivative there;
        once W is twice its floor it is right to a tenth. Between 90 and 98 % of simulated intervals hold the mean.
    Floor:
        Real against real gives sqrt(2 / pi) sqrt(1/n + 1/m) integral sqrt(F(t) (1 - F(t))) dt on average, which is
        1.26 s sqrt(1/n + 1/m) for normal contents with standard deviation s: 0.006 for 1,000 a side of 256 bp (human
        promoters, s = 0.12).
    Sees:
        A wrong mean and a wrong spread of the composition; a generator that gives every sequence the average content.
    Misses:
        Everything else: which bases (#G against #C), their order and place. A shuffle of each sequence is at the floor.
    Cost:
        O(n length + n log n): 0.01 s for 10,000 a side of 256 bp, 0.05 s for 2,048 bp (one thread).
    Source:
        Vallender 1974, Theory Probab Appl 18:784 (the integral form); influence: Santambrogio 2015, Optimal Transport
        for Applied Mathematicians, proposition 7.17 (the first variation of a transport cost is its potential); floor:
        del Barrio, Gine and Matran 1999, Ann Probab 27:1009.
    """

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:
        """The distance, with the means of both sides as parts.

        Raises UserError when a side holds fewer than two sequences, or one of N alone.
        """
        contents = []
        for side, sequences in (("generated", generated), ("reference", reference)):
            require_samples(sequences, side=side, metric="gc")
            bases = context.per_sequence("gc-bases", sequences, _gc_and_known)
            if unknown := int((bases[:, 1] == 0).sum()):
                raise UserError(
                    f"gc: {unknown} of {len(sequences)} {side} sequences hold no base but N and have no GC content"
                )
            contents.append(bases[:, 0] / bases[:, 1])
        result = wasserstein(generated=contents[0], reference=contents[1])
        error = standard_error(result.influence_generated, result.influence_reference)
        return Score(
            value=result.value,
            ci_low=max(0.0, result.value - Z95 * error),
            ci_high=min(1.0, result.value + Z95 * error),
            parts={"generated-mean": _mean(contents[0]), "reference-mean": _mean(contents[1])},
        )


class Transport(NamedTuple):
    """A transport cost and every observation's influence on it, shapes ``(n,)`` and ``(m,)``."""

    value: float
    influence_generated: np.ndarray
    influence_reference: np.ndarray


def wasserstein(*, generated: np.ndarray, reference: np.ndarray) -> Transport:
    """The 1-Wasserstein distance of two samples of numbers, float64 of shape ``(n,)`` and ``(m,)``.

    The influences lack a constant, so they are not centred.
    """
    points = np.sort(np.concatenate([generated, reference]))
    gaps = np.diff(points)
    excess = _distribution(generated, points[:-1]) - _distribution(reference, points[:-1])
    # The integral of sign(F - G) from an observation up to the largest.
    after = np.append(np.cumsum((np.sign(excess) * gaps)[::-1])[::-1], 0.0)
    return Transport(
        float(np.abs(excess) @ gaps),
        after[np.searchsorted(points, generated)],
        -after[np.searchsorted(points, reference)],
    )


def _distribution(sample: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The empirical distribution function of ``sample`` at ``points``."""
    values: np.ndarray = np.searchsorted(np.sort(sample), points, side="right") / len(sample)
    return values


def _gc_and_known(sequences: SequenceSet) -> np.ndarray:
    """Each sequence's numbers of G or C, and of bases that are not N: int64, shape ``(n, 2)``."""
    codes = sequences.codes
    # C and G are 1 and 2; below, A wraps around to 255.
    gc = np.count_nonzero(codes - np.uint8(1) < 2, axis=1)
    return np.stack([gc, np.count_nonzero(codes < 4, axis=1)], axis=1)


def _mean(contents: np.ndarray) -> Score:
    mean, error = float(contents.mean()), float(contents.std(ddof=1)) / np.sqrt(len(contents))
    low, high = max(0.0, mean - Z95 * error), min(1.0, mean + Z95 * error)
    return Score(value=mean, ci_low=low, ci_high=high, direction="none")
