"""How sure the distances of embeddings are: floors by sample size, and standard errors beside spreads; and seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from dnabench import Context, MetricSpec, Score, SequenceSet
from dnabench_metrics.calibration.bench import Bench, construct
from dnabench_metrics.calibration.tables import decimals, show, title
from dnabench_metrics.distances.frechet import frechet_estimate
from dnabench_metrics.distances.mmd import rbf_estimate
from dnabench_metrics.distances.swd import squared_swd_estimate, unit_directions
from dnabench_metrics.features import Z95, Estimate
from dnabench_metrics.records.distances import MMDOptions, SWDOptions
from dnabench_metrics.stand_ins import mutated

#: Label -> metric, and what of its score is shown.
DISTANCES: dict[str, tuple[str, Callable[[Score], float]]] = {
    "`fred`": ("fred", lambda score: score.value),
    "`fred.debiased`": ("fred", lambda score: score.parts["debiased"].value),
    "`swd`": ("swd", lambda score: score.value),
    "`mmd`": ("mmd", lambda score: score.value),
}
Estimator = Callable[[np.ndarray, np.ndarray], Estimate]


def floors(
    bench: Bench, pool: SequenceSet, *, sizes: Sequence[int], draws: int, rate: float, rng: np.random.Generator
) -> None:
    """Random disjoint parts of the pool, and parts of it with substitutions in place of one, by sample size."""
    damaged = SequenceSet(mutated(pool.codes, rate, rng))
    sizes = [n for n in sizes if 2 * n <= len(pool)]
    values: dict[tuple[str, str], list[list[float]]] = {}
    for n in sizes:
        for _ in range(draws):
            order = rng.permutation(len(pool))
            for source, generated in (("real", pool), (f"{100 * rate:.0f} % substituted", damaged)):
                sides = {"generated": generated.take(order[:n]), "reference": pool.take(order[n : 2 * n])}
                scores = {metric: bench.score(metric, **sides) for metric, _ in DISTANCES.values()}
                for label, (metric, of) in DISTANCES.items():
                    row = values.setdefault((label, source), [[] for _ in sizes])
                    row[sizes.index(n)].append(of(scores[metric]))
    title(f"Mean ± sd over {draws} draws, by the number a side:", "", *(f"{n:,}" for n in sizes))
    for (label, source), row in sorted(values.items(), key=lambda item: list(DISTANCES).index(item[0][0])):
        show(f"{label}, {source}", *(_mean_and_sd(drawn) for drawn in row))


def _mean_and_sd(values: list[float]) -> str:
    sd = float(np.std(values, ddof=1))
    return f"{np.mean(values):.{decimals(sd)}f} ± {sd:.{decimals(sd)}f}"


def standard_errors(
    bench: Bench,
    pool: SequenceSet,
    *,
    sizes: Sequence[int],
    replicates: int,
    rates: Sequence[float],
    rng: np.random.Generator,
) -> None:
    """Mean standard error over the spread of replicates, and how many intervals hold the replicates' mean."""
    directions = unit_directions(SWDOptions().projections, 64, seed=SWDOptions().seed)
    estimators: dict[str, Estimator] = {
        "`fred`": lambda x, y: Estimate(*frechet_estimate(generated=x, reference=y)[:2]),
        "`swd`²": lambda x, y: squared_swd_estimate(generated=x, reference=y, directions=directions),
        "`mmd`": lambda x, y: rbf_estimate(generated=x, reference=y, bandwidths=MMDOptions().bandwidths),
    }
    title(
        f"Standard error over spread, and coverage, of {replicates} replicates drawn with replacement:",
        *("generated", "n", "m", *estimators),
    )
    real = bench.embed("ae", pool).astype(np.float64)
    for rate in (0, *rates):
        changed = SequenceSet(mutated(pool.codes, rate, rng))
        population = bench.embed("ae", changed).astype(np.float64)
        for n in sizes:
            m = n * 4 // 5
            runs: dict[str, list[Estimate]] = {metric: [] for metric in estimators}
            for _ in range(replicates):
                x, y = population[rng.integers(len(pool), size=n)], real[rng.integers(len(pool), size=m)]
                for metric, estimate in estimators.items():
                    runs[metric].append(estimate(x, y))
            label = f"{100 * rate:.0f} % substituted" if rate else "real"
            show(label, f"{n:,}", f"{m:,}", *(_honesty(estimates) for estimates in runs.values()))


def _honesty(estimates: list[Estimate]) -> str:
    values, errors = np.array(estimates).T
    covered = (np.abs(values - values.mean()) <= Z95 * errors).mean()
    return f"{errors.mean() / values.std(ddof=1):.2f}, {100 * covered:.0f} %"


def seconds(bench: Bench, pool: SequenceSet, *, sizes: Sequence[int]) -> None:
    """The best of two runs of every metric on its own; where it works on embeddings, these are there already."""
    sizes = [n for n in sizes if 2 * n <= len(pool)]
    title("Seconds of processor time, one thread, 256 bp:", "", *(f"{n:,} a side" for n in sizes))
    embedder = construct(bench.embedders["ae"])
    context = Context(length=pool.length, scratch=Path())
    parts = [pool.take(np.arange(2 * n)) for n in sizes]
    show("embedding both sides with `ae`", *(_best(lambda p=p: embedder.embed(p, context=context)) for p in parts))  # type: ignore[misc]
    for name, record in bench.metrics.items():
        show(f"`{name}`", *(_best(lambda p=p, record=record: _score_once(bench, record, p)) for p in parts))  # type: ignore[misc]


def _score_once(bench: Bench, record: MetricSpec, both: SequenceSet) -> None:
    """A score that remembers nothing but embeddings."""
    n = len(both) // 2
    context = Context(
        length=both.length, scratch=Path(), train=bench.train, embedder=record.embedder, embed_with=bench.embed
    )
    halves = both.take(np.arange(n)), both.take(np.arange(n, 2 * n))
    bench.made[record.name].score(generated=halves[0], reference=halves[1], context=context)


def _best(task: Callable[[], object]) -> str:
    times = []
    for _ in range(2):
        start = time.process_time()
        task()
        times.append(time.process_time() - start)
    return f"{min(times):.2g}"
