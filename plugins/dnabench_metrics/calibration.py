"""Measure the metrics on real promoters: ``python -m dnabench_metrics.calibration --data DIR``.

DIR holds FASTA files whose records name their species (``species=hs``); with the promoters that the encoder was
trained on, `mixed` is unknown to it. Prints the tables of the README in Markdown, on one thread: what the metrics see,
their floors by sample size, their standard errors against the spread over replicates, and the time they take.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from dnabench import Context, Metric, SequenceSet, UserError
from dnabench_metrics.ae.embedder import Autoencoder
from dnabench_metrics.ae.train import Recipe, read_corpus, split
from dnabench_metrics.distances.frechet import FrechetDistance, frechet_estimate
from dnabench_metrics.distances.mmd import MaximumMeanDiscrepancy, rbf_estimate
from dnabench_metrics.distances.swd import SlicedWasserstein, squared_swd_estimate, unit_directions
from dnabench_metrics.features import Z95, Estimate
from dnabench_metrics.kmer import KmerFrequencies
from dnabench_metrics.motifs.divergence import MotifKL
from dnabench_metrics.records.distances import FredOptions, MMDOptions, SWDOptions
from dnabench_metrics.records.motifs import MotifKLOptions
from dnabench_metrics.stand_ins import dinucleotide_shuffle, markov, mutated, per_position

#: Promoters a side.
HUMAN, MIXED = 1700, 2000
#: Promoters, at most, that a baseline is fitted on.
FITTED = 10_000
#: Promoters that floors and replicates are drawn from.
POOL = 20_000
FLOOR_SIZES, FLOOR_DRAWS = (500, 1000, 2000, 5000, 10_000), 10
REPLICATE_SIZES, REPLICATES = (500, 2000), 80

METRICS: dict[str, Metric] = {
    "fred": FrechetDistance(FredOptions()),
    "swd": SlicedWasserstein(SWDOptions()),
    "mmd": MaximumMeanDiscrepancy(MMDOptions()),
    "motif-kl": MotifKL(MotifKLOptions()),
}
#: Factor and digits that a metric's values are printed with.
SHOWN = {"fred": (1, 2), "swd": (1, 3), "mmd": (1000, 2), "motif-kl": (1, 3)}
DIRECTIONS = unit_directions(SWDOptions().projections, 64, seed=SWDOptions().seed)
ESTIMATES: dict[str, Callable[[np.ndarray, np.ndarray], Estimate]] = {
    "fred": lambda x, y: frechet_estimate(generated=x, reference=y),
    "swd²": lambda x, y: squared_swd_estimate(generated=x, reference=y, directions=DIRECTIONS),
    "mmd": lambda x, y: rbf_estimate(generated=x, reference=y, bandwidths=MMDOptions().bandwidths),
}


def stand_ins(real: np.ndarray, fitted: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """By name, from real promoters that are not the reference, and from others to fit on."""
    return {
        "held-out real": real,
        "real, 5 % mutated": mutated(real, 0.05, rng),
        "real, moved by 30 bp in a circle": np.roll(real, 30, axis=1),
        "Markov chain, order 5": markov(fitted, 5, real.shape, rng),
        "dinucleotide shuffle": np.stack([dinucleotide_shuffle(row, rng) for row in real]),
        "real, 20 % mutated": mutated(real, 0.2, rng),
        "per-position frequencies": per_position(fitted, real.shape, rng),
        "composition": markov(fitted, 0, real.shape, rng),
        "uniform random": rng.integers(0, 4, real.shape).astype(np.uint8),
    }


# The tables.


def show(*cells: object) -> None:
    """A row of a Markdown table."""
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)  # noqa: T201


def title(text: str, *columns: object) -> None:
    """A line of text and the head of the table under it."""
    print(f"\n{text}\n")  # noqa: T201
    show(*columns)
    show(*["---"] * len(columns))


def what_they_see(name: str, corpus: np.ndarray, n: int, rng: np.random.Generator, context: Context) -> None:
    """Every stand-in against ``n`` promoters of ``corpus`` that it has nothing of."""
    order = rng.permutation(len(corpus))
    reference, real, fitted = np.split(corpus[order], [n, 2 * n])
    title(f"`{name}`, {n:,} a side:", "generated", *(f"`{m}`{' × 1,000' * (m == 'mmd')}" for m in METRICS))
    reference_set = SequenceSet(reference)
    for stand_in, codes in stand_ins(real, fitted[:FITTED], rng).items():
        cells = []
        for metric, implementation in METRICS.items():
            score = implementation.score(generated=SequenceSet(codes), reference=reference_set, context=context)
            factor, digits = SHOWN[metric]
            value, low, high = (factor * (x or 0.0) for x in (score.value, score.ci_low, score.ci_high))
            cells.append(f"{value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})")
        show(stand_in, *cells)


def floors(pool: np.ndarray, damaged: np.ndarray, rng: np.random.Generator) -> None:
    """Random disjoint halves of the pool, and the mutated pool in place of one, by sample size."""
    sizes = [n for n in FLOOR_SIZES if 2 * n <= len(pool)]
    title(f"Mean ± sd over {FLOOR_DRAWS} draws, n a side:", "", *(f"{n:,}" for n in sizes))
    for metric, squared in (("fred", False), ("swd", True)):
        estimate = ESTIMATES["swd²" if squared else "fred"]
        for label, generated in (("real", pool), ("5 % mutated", damaged)):
            cells = []
            for n in sizes:
                draws = [rng.permutation(len(pool)) for _ in range(FLOOR_DRAWS)]
                pairs = [(generated[order[:n]], pool[order[n : 2 * n]]) for order in draws]
                values = np.array([estimate(x, y).value for x, y in pairs]) ** (0.5 if squared else 1)
                cells.append(f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}")
            show(f"`{metric}`, {label}", *cells)


def standard_errors(populations: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """Mean standard error over the spread of replicates, and how many intervals hold the replicates' mean."""
    pool = populations["real"]
    title(
        f"Standard error over spread, and coverage, of {REPLICATES} replicates drawn with replacement, d = 64:",
        *("generated", "n", "m", *(f"`{metric}`" for metric in ESTIMATES)),
    )
    for label, population in populations.items():
        for n in REPLICATE_SIZES:
            runs: dict[str, list[Estimate]] = {metric: [] for metric in ESTIMATES}
            for _ in range(REPLICATES):
                x, y = population[rng.integers(len(pool), size=n)], pool[rng.integers(len(pool), size=n * 4 // 5)]
                for metric, estimate in ESTIMATES.items():
                    runs[metric].append(estimate(x, y))
            cells = []
            for estimates in runs.values():
                values, errors = np.array(estimates).T
                covered = (np.abs(values - values.mean()) <= Z95 * errors).mean()
                cells.append(f"{errors.mean() / values.std(ddof=1):.2f}, {100 * covered:.0f} %")
            show(label, f"{n:,}", f"{n * 4 // 5:,}", *cells)


def seconds(sequences: SequenceSet, pool: np.ndarray, context: Context) -> None:
    """The best of three runs; embedders and `motif-kl` for both sides together."""
    n = MIXED
    halves = sequences.take(np.arange(n)), sequences.take(np.arange(n, 2 * n))
    both = sequences.take(np.arange(2 * n))
    autoencoder, kmer, motif_kl = Autoencoder(), KmerFrequencies(), METRICS["motif-kl"]
    tasks: dict[str, Callable[[], object]] = {
        "ae": lambda: autoencoder.embed(both, context=context),
        "kmer": lambda: kmer.embed(both, context=context),
        "motif-kl": lambda: motif_kl.score(generated=halves[0], reference=halves[1], context=context),
    }
    title("Seconds, one thread:", "a side", *(f"`{task}`".replace("²", "") for task in (*tasks, *ESTIMATES)))
    row = [_best_time(task) for task in tasks.values()]
    for size in (n, len(pool) // 2):
        x, y = pool[:size], pool[size : 2 * size]
        show(f"{size:,}", *row, *(_best_time(lambda e=e, x=x, y=y: e(x, y)) for e in ESTIMATES.values()))  # type: ignore[misc]
        row = ["–"] * len(tasks)


def _best_time(task: Callable[[], object]) -> str:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return f"{min(times):.2g}"


def main(arguments: list[str] | None = None) -> None:
    """Read the promoters and print every table."""
    parser = argparse.ArgumentParser(description="Measure the metrics on real promoters; tables in Markdown.")
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of FASTA files with species= in the headers"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    sequences = read_corpus(options.data)
    human = (sequences.labels.get("species", default="") == "hs") & np.ones(len(sequences), bool)
    held_out, _ = split(len(sequences), Recipe())
    for label, found, needed in (
        ("species hs", human.sum(), 2 * HUMAN),
        ("the held-out tenth", len(held_out), 2 * MIXED),
    ):
        if found <= needed:
            raise UserError(f"{options.data}: {found} sequences in {label}; more than {needed} are needed")

    autoencoder, cache = Autoencoder(), dict[str, np.ndarray]()

    def embed(name: str, wanted: SequenceSet) -> np.ndarray:  # noqa: ARG001 (there is one embedder here)
        if wanted.digest not in cache:
            cache[wanted.digest] = autoencoder.embed(wanted, context=context)
        return cache[wanted.digest]

    context = Context(length=sequences.length, scratch=Path(), embedder="ae", embed_with=embed)
    rng = np.random.default_rng(options.seed)
    what_they_see("hs", sequences.codes[human], HUMAN, rng, context)
    what_they_see("mixed", sequences.codes[held_out], MIXED, rng, context)

    drawn = sequences.take(rng.permutation(len(sequences))[:POOL])
    damaged = {"real": 0.0, "5 % mutated": 0.05, "20 % mutated": 0.2}
    populations = {
        label: autoencoder.embed(SequenceSet(mutated(drawn.codes, rate, rng)), context=context).astype(np.float64)
        for label, rate in damaged.items()
    }
    floors(populations["real"], populations["5 % mutated"], rng)
    standard_errors(populations, rng)
    seconds(drawn, populations["real"], context)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
