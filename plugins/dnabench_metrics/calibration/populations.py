"""What stands in for generators of promoters, by name."""

from __future__ import annotations

import numpy as np

from dnabench_metrics.stand_ins import dinucleotide_shuffle, markov, mutated, per_position

#: Length of the promoters and index of their transcription start site.
LENGTH, TSS = 256, 205
#: First base, from the start site, and length of the region that holds the TATA-box; where it goes.
TATA_REGION, TATA_WIDTH, MOVED_TO = -40, 25, -110
#: Sequences that a collapsed generator knows.
MODES = 20
RATES = (0.01, 0.03, 0.1, 0.3)
MEMORISER = "training sequences again"


def stand_ins(real: np.ndarray, train: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Codes by name, from real promoters that are not the reference, and from others to fit on; both uint8."""
    fresh = {f"real, {100 * rate:.0f} % of bases substituted": mutated(real, rate, rng) for rate in RATES}
    copies = train[rng.permutation(len(train))[: len(real)]]
    return {
        "real": real,
        **fresh,
        "real, moved by 30 bp in a circle": np.roll(real, 30, axis=1),
        "real, TATA region moved": with_tata_region_moved(real),
        "Markov chain, order 5": markov(train, 5, real.shape, rng),
        "dinucleotide shuffle": np.stack([dinucleotide_shuffle(row, rng) for row in real]),
        "per-position frequencies": per_position(train, real.shape, rng),
        "composition": markov(train, 0, real.shape, rng),
        "uniform random": rng.integers(0, 4, real.shape).astype(np.uint8),
        f"{MODES} real sequences, repeated": np.resize(real[:MODES], real.shape),
        MEMORISER: copies,
        f"{MEMORISER}, 5 % of bases substituted": mutated(copies, 0.05, rng),
    }


def with_tata_region_moved(codes: np.ndarray) -> np.ndarray:
    """The 25 bp from -40 to -16 in the place of those from -110 to -86, and these in theirs."""
    moved = codes.copy()
    region, other = (slice(TSS + start, TSS + start + TATA_WIDTH) for start in (TATA_REGION, MOVED_TO))
    moved[:, region], moved[:, other] = codes[:, other], codes[:, region]
    return moved
