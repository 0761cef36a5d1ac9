"""Measure the metrics on real promoters: ``python -m dnabench_metrics.calibration --data DIR``.

DIR holds FASTA files of promoters, 256 bp around the start site at index 205, whose records name their species
(``species=hs``); of the promoters that the encoder was trained on, `mixed` are those that it has not seen. Prints the
tables of the README in Markdown, on one thread.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from dnabench import SequenceSet, UserError
from dnabench_metrics.ae.train import Recipe, read_corpus, split
from dnabench_metrics.calibration.accuracy import floors, seconds, standard_errors
from dnabench_metrics.calibration.bench import Bench
from dnabench_metrics.calibration.populations import LENGTH
from dnabench_metrics.calibration.sights import what_they_see


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        side: sequences a side in what the metrics see.
        draws: pairs of real sets that a floor is measured on.
        fitted: promoters, at most, that stand-ins are fitted on, which are training sequences too.
        pool: promoters that floors by sample size and replicates are drawn from.
        floors: sequences a side there.
        replicates: draws for a standard error, and of how many sequences they are.
        timed: sequences a side.
    """

    side: int = 2000
    draws: int = 10
    fitted: int = 5000
    pool: int = 20_000
    floors: tuple[int, ...] = (500, 1000, 2000, 5000, 10_000)
    replicates: int = 60
    replicated: tuple[int, ...] = (500, 2000)
    timed: tuple[int, ...] = (2000, 10_000)


def main(arguments: list[str] | None = None, sizes: Sizes = Sizes()) -> None:
    """Read the promoters and print every table."""
    parser = argparse.ArgumentParser(description="Measure the metrics on real promoters; tables in Markdown.")
    parser.add_argument(
        "--data", type=Path, required=True, help="directory of FASTA files with species= in the headers"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    corpus = read_corpus(options.data)
    if corpus.length != LENGTH:
        raise UserError(f"{options.data}: sequences of {corpus.length} bp; promoters of {LENGTH} bp are needed")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1), warnings.catch_warnings():
            # That few sequences are few is what floors by sample size are about.
            warnings.filterwarnings("ignore", message="fred: .* are under ten times", category=UserWarning)
            _print(corpus, sizes, options.seed)
    finally:
        torch.set_num_threads(threads)


def _print(corpus: SequenceSet, sizes: Sizes, seed: int) -> None:
    rng = np.random.default_rng(seed)
    human = np.flatnonzero(np.asarray(corpus.labels.get("species", default=np.full(len(corpus), ""))) == "hs")
    held_out, _ = split(len(corpus), Recipe())
    for label, rows in (("hs", human), ("mixed", held_out)):
        what_they_see(label, corpus.take(rows), n=sizes.side, draws=sizes.draws, fitted=sizes.fitted, rng=rng)
    order = rng.permutation(len(corpus))
    pool, train = corpus.take(order[: sizes.pool]), corpus.take(order[-sizes.fitted :])
    bench = Bench(train)
    floors(bench, pool, sizes=sizes.floors, draws=sizes.draws, rate=0.03, rng=rng)
    standard_errors(bench, pool, sizes=sizes.replicated, replicates=sizes.replicates, rates=(0.05, 0.2), rng=rng)
    seconds(bench, pool, sizes=sizes.timed)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
