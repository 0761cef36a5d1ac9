"""What every metric sees of every stand-in for a generator, beside the others: printed for promoters of four species.

A height is how far a value lies from that between real sets, in half-widths of its 95 % band: above 1 it is worse, and
below -1 better than real DNA. What the README says is seen is asserted for every species.
"""

from __future__ import annotations

import numpy as np
import pytest

from dnabench import SequenceSet
from dnabench_metrics.calibration.bench import Bench
from dnabench_metrics.calibration.populations import MEMORISER, stand_ins
from dnabench_metrics.calibration.sights import floor

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]

DRAWS = 10
#: Species -> promoters a side, as many as leave others to train on.
SPECIES = {"hs": 2000, "at": 1500, "ce": 1500, "pf": 1500}
#: Seen by every metric of the second column, in every species.
SEEN = [
    ("real, 10 % of bases substituted", ("fred", "swd", "mmd")),
    ("real, 30 % of bases substituted", ("fred", "swd", "mmd", "recall", "coverage", "c2st", "kmer-js")),
    ("real, moved by 30 bp in a circle", ("fred", "swd", "mmd", "c2st")),
    ("Markov chain, order 5", ("fred", "swd", "mmd", "coverage", "c2st", "motif-profile")),
    ("dinucleotide shuffle", ("fred", "swd", "mmd", "coverage", "c2st", "motif-profile")),
    ("per-position frequencies", ("fred", "swd", "mmd", "coverage", "c2st", "kmer-js", "motif-profile")),
    ("uniform random", ("fred", "swd", "mmd", "coverage", "c2st", "kmer-js", "motif-profile")),
    ("20 real sequences, repeated", ("fred", "recall", "coverage", "c2st", "uniqueness")),
    (MEMORISER, ("novelty", "authenticity")),
    (f"{MEMORISER}, 5 % of bases substituted", ("novelty", "authenticity")),
]


@pytest.mark.parametrize("species", SPECIES)
def test_heights(species, real_promoters):
    codes, n, rng = real_promoters(species).codes, SPECIES[species], np.random.default_rng(0)
    codes = codes[rng.permutation(len(codes))]
    pool, train = codes[: 2 * n], codes[2 * n :]
    bench, reference = Bench(SequenceSet(train)), SequenceSet(pool[n:])
    floors = {metric: floor(bench, metric, SequenceSet(pool), n=n, draws=DRAWS, rng=rng) for metric in bench.metrics}
    heights: dict[str, dict[str, float]] = {}
    print(f"\n{species}, {n:,} a side, {len(train):,} training sequences")
    for name, stand_in in stand_ins(pool[:n], train, rng).items():
        heights[name] = {}
        for metric, band in floors.items():
            value = bench.score(metric, generated=SequenceSet(stand_in), reference=reference).value
            worse = 1 if bench.metrics[metric].direction == "lower" else -1
            heights[name][metric] = worse * band.height(value)
        print(f"{name}: " + ", ".join(f"{metric} {min(height, 9999):.1f}" for metric, height in heights[name].items()))
    for name, metrics in SEEN:
        for metric in metrics:
            assert heights[name][metric] > 1, f"{metric} does not see {name}"
