"""What each metric tells from real DNA: every stand-in against a reference, beside real against real."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import t

from dnabench import MetricSpec, SequenceSet, UserError
from dnabench_metrics.calibration.bench import Bench
from dnabench_metrics.calibration.populations import stand_ins
from dnabench_metrics.calibration.tables import decimals, show, title


class Band(NamedTuple):
    """Where a further value between two real sets lies with a probability of 95 %.

    Attributes:
        mean: of the values that it is made from.
        sd: their standard deviation.
        margin: half the width of the band.
    """

    mean: float
    sd: float
    margin: float

    def height(self, value: float) -> float:
        """How far from the mean, in margins: above 1 and below -1 the value is outside."""
        difference = value - self.mean
        # Without a spread, such as that of real sets without repeats, rounding alone must not be outside.
        return float(difference / max(self.margin, 1e-9))


def band(values: np.ndarray) -> Band:
    """The prediction interval of Student's t for one more value: shape ``(draws,)``, at least 2."""
    n, sd = len(values), float(values.std(ddof=1))
    return Band(float(values.mean()), sd, float(t.ppf(0.975, n - 1) * sd * np.sqrt(1 + 1 / n)))


def floor(bench: Bench, metric: str, pool: SequenceSet, *, n: int, draws: int, rng: np.random.Generator) -> Band:
    """The metric between random parts of the pool of ``n`` sequences each, disjoint in each of the ``draws``."""
    values = []
    for _ in range(draws):
        order = rng.permutation(len(pool))
        halves = pool.take(order[:n]), pool.take(order[n : 2 * n])
        values.append(bench.score(metric, generated=halves[0], reference=halves[1]).value)
    return band(np.array(values))


def families(metrics: dict[str, MetricSpec]) -> dict[str, list[str]]:
    """Title -> the metrics of a table."""
    titles: dict[str, list[str]] = {
        "on embeddings": [],
        "on sequences": [],
        "motifs": [],
        "against training sequences": [],
    }
    for name, record in metrics.items():
        if record.needs_train:
            family = "against training sequences"
        elif record.embedder:
            family = "on embeddings"
        else:
            family = "motifs" if name.startswith("motif") else "on sequences"
        titles[family].append(name)
    return {family: names for family, names in titles.items() if names}


def what_they_see(
    label: str, corpus: SequenceSet, *, n: int, draws: int, fitted: int, rng: np.random.Generator
) -> None:
    """Print, for each family of metrics, every stand-in against ``n`` promoters of ``corpus``.

    At most ``fitted`` promoters are what stand-ins are fitted on, and training sequences; the reference and what
    stand-ins are made of have none of them. Raises UserError where the corpus has not enough.
    """
    if len(corpus) < 3 * n:
        raise UserError(f"{len(corpus)} sequences in {label}; {3 * n} are needed")
    order = rng.permutation(len(corpus))
    train, pool = np.split(corpus.codes[order], [min(fitted, len(corpus) - 2 * n)])
    real, reference = pool[:n], SequenceSet(pool[n : 2 * n])
    generated = {name: SequenceSet(codes) for name, codes in stand_ins(real, train, rng).items()}
    bench = Bench(SequenceSet(train))
    for family, metrics in families(bench.metrics).items():
        floors = {metric: floor(bench, metric, SequenceSet(pool), n=n, draws=draws, rng=rng) for metric in metrics}
        title(f"`{label}`, {n:,} a side, {family}:", "generated", *(f"`{metric}`" for metric in metrics))
        shown = [f"{f.mean:.{decimals(f.sd)}f} ± {f.sd:.{decimals(f.sd)}f}" for f in floors.values()]
        show(f"held-out real, mean ± sd of {draws} pairs", *shown)
        for name, sequences in generated.items():
            values = {m: bench.score(m, generated=sequences, reference=reference).value for m in metrics}
            show(name, *(cell(values[m], floors[m], bench.metrics[m].direction) for m in metrics))


def cell(value: float, floor: Band, direction: str) -> str:
    """The value, bold where it is worse than the band, and in italics where it is better than real DNA."""
    text = f"{value:.{decimals(floor.sd)}f}"
    height = floor.height(value) * (1 if direction == "lower" else -1)
    if height > 1:
        return f"**{text}**"
    return f"*{text}*" if height < -1 else text
