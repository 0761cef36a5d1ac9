"""Maps of the embeddings that feature metrics compare: principal components, and neighbourhoods by t-SNE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dnabench.report.material import spread
from dnabench.report.plots import Figure, Panel, Section, Series

if TYPE_CHECKING:
    from dnabench.report.collect import Run
    from dnabench.report.material import Embedded

#: Points of all sets together, and of each at most: t-SNE takes a second or two for these.
MOST_POINTS, MOST_OF_EACH = 1500, 250
PERPLEXITY, ITERATIONS = 30, 500


def build(run: Run) -> Section | None:
    """The section, a figure for each embedder; None without embeddings, which is then said."""
    leaders: dict[tuple[str, str], str] = {}
    for metric in run.plan.metrics:
        if metric.embedder:
            leaders.setdefault((metric.embedder, str(metric.embedder_options)), metric.label)
    figures: list[Figure] = []
    for (embedder, _), label in leaders.items():
        embedded = run.material.embedded(label)
        if embedded is None:
            continue
        maps = _maps(embedded)
        if maps is not None:
            figures.append(_figure(run, embedder, f"latent-{len(figures)}", embedded, *maps))
    if leaders and not figures:
        run.left_out.append("maps of embeddings: they are not in this store any more (--store names another)")
    if not figures:
        return None
    return Section(
        id="latent",
        title="Maps of the embeddings",
        text=[
            f"Each point is a sequence, up to {MOST_OF_EACH} of each set and {MOST_POINTS:,} in all, of seed "
            f"{run.material.seed}. First the two principal components of the real embeddings, onto which all are "
            f"projected; then t-SNE (perplexity {PERPLEXITY}, begun at the principal components) of all sets together, "
            "which keeps neighbours and no distances. A good generator covers the real points and goes nowhere else."
        ],
        figures=figures,
    )


def _maps(embedded: Embedded) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]] | None:
    """Rows of each set that are drawn; and of these the coordinates, float64, shape ``(n, 4)``. None for too few.

    The set of real ones is called ``""``.
    """
    sets = {"": embedded.real, **embedded.generated}
    most = min(MOST_OF_EACH, (MOST_POINTS - MOST_OF_EACH) // len(sets))
    rows = {name: spread(len(vectors), most if name else MOST_OF_EACH) for name, vectors in sets.items()}
    points = np.concatenate([sets[name][chosen] for name, chosen in rows.items()]).astype(float)
    real = embedded.real.astype(float)
    if len(points) < 3 * PERPLEXITY or real.shape[0] < 3 or real.shape[1] < 2:
        return None
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    centre, width = real.mean(0), real.std(0).mean() or 1.0
    points = (points - centre) / width
    axes = np.linalg.svd((real - centre) / width, full_matrices=False)[2][:2]
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]  # else a library chooses the sign
    projected = points @ axes.T
    with threadpool_limits(1):
        begin = projected / (projected[:, 0].std() or 1.0) * 1e-4
        near = TSNE(
            perplexity=PERPLEXITY, init=begin, learning_rate="auto", max_iter=ITERATIONS, random_state=0, n_jobs=1
        ).fit_transform(points)
    placed = np.hstack([projected, near])
    ends = np.cumsum([len(chosen) for chosen in rows.values()])[:-1]
    return rows, dict(zip(rows, np.split(placed, ends), strict=True))


def _figure(
    run: Run, embedder: str, name: str, embedded: Embedded, rows: dict[str, np.ndarray], placed: dict[str, np.ndarray]
) -> Figure:
    real, generated = run.material.real, run.material.generated
    groups = None if real is None or len(real) != len(embedded.real) else run.material.groups(real)
    known = [] if groups is None else sorted(set(groups))
    choices = {}
    for generator in [g for g in run.generators if g in embedded.generated]:
        sample = generated.get(generator)
        labels = None if sample is None else run.material.groups(sample)
        if labels is not None and len(labels) != len(embedded.generated[generator]):
            labels = None
        panels = []
        for title, columns in (("principal components", slice(0, 2)), ("t-SNE", slice(2, 4))):
            series = _points("real", "real", placed[""][:, columns], rows[""], groups, known)
            series += _points(
                generator, run.kind(generator), placed[generator][:, columns], rows[generator], labels, known
            )
            panels.append(Panel(title=title, x_title="", y_title="", series=series, bare=True))
        choices[generator] = panels
    says = f"Embeddings by {embedder} of real sequences and of those of the chosen generator, in two maps."
    return Figure(id=name, title=f"Embedder {embedder}", says=says, choices=choices, chooses="generator")


def _points(
    name: str, role: str, at: np.ndarray, rows: np.ndarray, labels: np.ndarray | None, known: list[str]
) -> list[Series]:
    """The points of a set, in a series for each label where these are known."""
    if len(known) < 2:
        return [_series(name, role, at, 0)]
    if labels is None:  # in a colour that no label has
        return [_series(name, "other", at, 0)]
    found = labels[rows]
    return [
        _series(f"{name}: {label}", role, at[found == label], number)
        for number, label in enumerate(known, start=1)
        if (found == label).any()
    ]


def _series(name: str, role: str, at: np.ndarray, colour: int) -> Series:
    span = float(np.ptp(at, axis=0).max()) if len(at) else 1.0
    digits = max(0, 3 - int(np.floor(np.log10(span or 1.0))))
    x, y = (np.round(at[:, axis].astype(float), digits).tolist() for axis in (0, 1))
    return Series(
        name=name,
        role=role,  # type: ignore[arg-type]
        shape="points",
        x=x,
        y=y,
        colour=colour,
        faint=role == "real",
    )
