"""`uniqueness`: how many of the generated sequences are distinct."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv

from dnabench import Score
from dnabench_metrics.compiled import compiled
from dnabench_metrics.features import require_samples

if TYPE_CHECKING:
    from dnabench import Context, SequenceSet


class Uniqueness:
    """Distinct sequences over all sequences of the generated set: 1 when no two are equal; higher is better.

    Definition:
        D / n, with D the number of different sequences among n. Equal means equal in every base, N included, on the
        given strand. The part `reference` holds the same for the real set, which is what a generator should reach: real
        sets have duplicates too, unless they were taken out.
        It depends on n: the more are drawn, the more repeat. Compare values at equal n only, as with MOSES' unique@k.
    Interval:
        Of the number of repeats R = n - D, with f_k the number of sequences seen exactly k times. V, the variance of D
        over draws of n, is the larger of two estimates, but at most R: that of draws from a population made up of the
        sequences seen, their frequencies shrunk, and f_0 unseen ones (Chao et al. 2014), and
        min(f_1, f_1 - f_2 + f_3 - ...) - f_1^2 / n (Good and Toulmin 1956). R over V / R is taken as a Poisson number,
        whose exact (Garwood) limits are the interval. If no sequence repeats, R may still be up to 3.7 on average; and
        if newcomers are rarer than repeats (2 V < R), the upper end is at least D - V + the upper limit of V Poisson
        newcomers: a generator that gave the same few sequences n times may have 3.7 more on average.
        It is not too short for any population tried, and too long for small ones: simulated, it holds the mean in 94 to
        99 % of draws from large pools and from long-tailed ones, in 98 to 100 % from pools of 10, 30 and 100
        sequences at 20 to 300 draws, where it is 1.2 to 2.5 times as wide as it had to be, and wider once all of the
        pool is seen. The ordinary bootstrap is wrong here: it draws about 37 % of the distinct sequences not at all,
        so every resample lies far below D.
    Floor:
        1 where the real set was freed of duplicates; else the value of the part `reference`.
    Sees:
        A generator that repeats itself exactly.
    Misses:
        Near-copies: one base is enough to be distinct. Copies of training sequences (`novelty`). Uniform random
        sequences get 1.
    Cost:
        O(n length): 0.001 s for 10,000 a side of 256 bp, 0.01 s for 2,048 bp (one thread).
    Source:
        Polykovskiy et al. 2020, Front Pharmacol 11:565644 (unique@k); Chao et al. 2014, Ecol Monogr 84:45, and Good
        and Toulmin 1956, Biometrika 43:45, for the variance; Garwood 1936, Biometrika 28:437, for the limits.
    """

    def score(self, *, generated: SequenceSet, reference: SequenceSet, context: Context) -> Score:  # noqa: ARG002
        """The share of distinct sequences, with that of the real side as a part.

        Raises UserError when a side holds fewer than two sequences.
        """
        for side, sequences in (("generated", generated), ("reference", reference)):
            require_samples(sequences, side=side, metric="uniqueness")
        value, low, high = distinct_share(multiplicities(generated))
        part = distinct_share(multiplicities(reference))
        return Score(
            value=value,
            ci_low=low,
            ci_high=high,
            parts={"reference": Score(value=part[0], ci_low=part[1], ci_high=part[2], direction="none")},
        )


def multiplicities(sequences: SequenceSet) -> np.ndarray:
    """How often each distinct sequence occurs: int64, in the order in which they first come."""
    n, length = sequences.codes.shape
    # Eight bases to a machine word.
    padded = np.pad(sequences.codes, ((0, 0), (0, -length % 8))) if length % 8 else sequences.codes
    words = padded.view(np.uint64)
    multipliers = np.random.default_rng(0).integers(1, 2**64, words.shape[1:], dtype=np.uint64)
    slots = np.full(2 << n.bit_length(), -1)
    counts = np.zeros(n, np.int64)
    _count_equal_rows(words, multipliers, slots, counts)
    return counts[counts > 0]


@compiled
def _count_equal_rows(words: np.ndarray, multipliers: np.ndarray, slots: np.ndarray, counts: np.ndarray) -> None:
    """Count each row at the first that equals it, by a hash table with open addressing.

    Rows are found by a sum of products, and compared in full: the hash has no part in the answer.
    """
    last = len(slots) - 1
    for i in range(words.shape[0]):
        key = np.uint64(0)
        for j in range(words.shape[1]):
            key += words[i, j] * multipliers[j]
        # The low bits of a sum of products depend on the low bits of the words alone: fold the high ones in.
        slot = np.int64((key ^ (key >> np.uint64(32))) & np.uint64(0x7FFFFFFF)) & last
        while slots[slot] >= 0 and not np.array_equal(words[slots[slot]], words[i]):
            slot = (slot + 1) & last
        if slots[slot] < 0:
            slots[slot] = i
        counts[slots[slot]] += 1


def distinct_share(counts: np.ndarray) -> tuple[float, float, float]:
    """D / n with the ends of its 95 % interval, from how often each distinct sequence occurs."""
    distinct, n = len(counts), int(counts.sum())
    repeats, variance = n - distinct, distinct_variance(counts)
    low, high = _repeat_limits(repeats, variance)
    most = n - low
    if 2 * variance < repeats:
        most = max(most, distinct - variance + gammaincinv(variance + 1, 0.975))
    return distinct / n, max(1.0, n - high) / n, min(1.0, float(most) / n)


def distinct_variance(counts: np.ndarray) -> float:
    """Variance of the number of distinct sequences over draws of ``n = counts.sum()``, estimated from one draw.

    The larger of two estimates: either one falls short where the other does not, that of the population where a few
    singletons stand for a long tail, Good and Toulmin's, whose noise grows with the counts, in small pools. At most the
    number of repeats, which is the variance where repeats are pairs that come up independently.

    Args:
        counts: how often each distinct sequence occurs, int64, shape ``(distinct,)``.
    """
    frequencies = np.bincount(counts)[1:]
    repeats = int(counts.sum()) - len(counts)
    return min(max(population_variance(frequencies), good_toulmin_variance(frequencies)), float(repeats))


def good_toulmin_variance(frequencies: np.ndarray) -> float:
    """The variance of D by what a second draw as large would add.

    If sequence s comes up as a Poisson number with mean l_s, D has the variance sum_s exp(-l_s) (1 - exp(-l_s)), which
    is the number of sequences that a second draw would add; Good and Toulmin 1956 estimate it by ``f_1 - f_2 + f_3 -
    ...``. It is at most sum_s l_s exp(-l_s), estimated by f_1. That n is fixed takes the squared covariance of D and n,
    over the variance of n, off it: ``f_1^2 / n``.

    Args:
        frequencies: f_1, f_2, ...: how many sequences occur once, twice, ..., int64.
    """
    n = frequencies @ np.arange(1, len(frequencies) + 1)
    newcomers = frequencies[::2].sum() - frequencies[1::2].sum()
    return max(0.0, float(min(newcomers, frequencies[0]) - frequencies[0] ** 2 / n))


def population_variance(frequencies: np.ndarray) -> float:
    """The variance of D over draws from a population that is estimated from the sequences seen and unseen.

    The unseen ones are ``f_0 = f_1 (f_1 - 1) / (2 (f_2 + 1))`` (Chao 1, without its bias), equally frequent, and come
    up ``f_1 (n - 1) (f_1 - 1) / ((n - 1) (f_1 - 1) + 2 (f_2 + 1))`` times among n (the share of unseen mass of Chao and
    Jost 2012, Ecology 93:2533, with f_1 - 1 and f_2 + 1 as in f_0). That is taken off those seen: one that was seen k
    times comes up ``k (1 - c exp(-k))`` times. From such a population Chao et al. 2014 draw bootstrap samples; here the
    variance over them is written down, as in `good_toulmin_variance`.

    Args:
        frequencies: f_1, f_2, ...: how many sequences occur once, twice, ..., int64.
    """
    seen = np.arange(1, len(frequencies) + 1, dtype=np.float64)
    n = frequencies @ seen
    pairs, twice = frequencies[0] * max(0, frequencies[0] - 1), frequencies[1] if len(frequencies) > 1 else 0
    unseen = pairs / (2 * (twice + 1))
    taken = (n - 1) * pairs / ((n - 1) * max(0, frequencies[0] - 1) + 2 * (twice + 1))
    means = np.maximum(0.0, seen * (1 - taken / (frequencies @ (seen * np.exp(-seen))) * np.exp(-seen)))
    if unseen:
        means, frequencies = np.append(means, taken / unseen), np.append(frequencies, unseen)
    absent = np.exp(-means)
    variance = frequencies @ (absent * (1 - absent)) - (frequencies @ (means * absent)) ** 2 / n
    return max(0.0, float(variance))


def _repeat_limits(repeats: int, variance: float) -> tuple[float, float]:
    """The 95 % limits of the mean of a number that is ``variance / repeats`` times a Poisson number."""
    if repeats == 0:
        return 0.0, -float(np.log(0.025))
    if variance < 1e-12:  # closer than the limits can be worked out
        return float(repeats), float(repeats)
    scale = variance / repeats
    events = repeats / scale
    return float(scale * gammaincinv(events, 0.025)), float(scale * gammaincinv(events + 1, 0.975))
