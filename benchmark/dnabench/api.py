"""dnabench from Python: what the command line does, on sequences at hand, answered with DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from dnabench import suites
from dnabench.data.formats import stem
from dnabench.errors import UserError
from dnabench.leaderboard.facts import COLUMNS
from dnabench.numerics import choose_device
from dnabench.planning.metrics import check_settings, names_of, plan_metrics
from dnabench.plugins import load_catalog
from dnabench.sample_scores import score_samples
from dnabench.sequences import SequenceSet
from dnabench.store import Store, default_root

if TYPE_CHECKING:
    from dnabench.planning.metrics import Settings

Sequences: TypeAlias = SequenceSet | np.ndarray | str | Path
"""Sequences, their uint8 codes (n, length), or a file of them."""


@dataclass(frozen=True)
class Scores:
    """What :func:`score` found.

    Attributes:
        results: the columns of ``results.csv``, a row for each sample and metric and one for each part of a score, and
            ``flags``: ``at floor``, ``blind``.
    """

    results: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """The values alone: a row for each sample, a column for each metric, parts left out; NaN for what failed."""
        whole = self.results[~self.results["metric"].str.contains(".", regex=False)]
        shape = {"index": whole["generator"].unique(), "columns": whole["metric"].unique()}
        return whole.pivot(index="generator", columns="metric", values="value").reindex(**shape)


def score(
    samples: Sequences | Mapping[str, Sequences],
    reference: Sequences,
    *,
    train: Sequences | None = None,
    metrics: str | Iterable[str] | None = None,
    options: Settings | None = None,
    device: str = "auto",
    store: str | Path | None = None,
) -> Scores:
    """Score generated sequences against real ones, as ``dnabench score`` does.

    A metric that raises is no error here: its row has the status ``failed``, and why.

    Args:
        samples: one sample, which is called after its file or else ``sample``, or several by name.
        reference: real sequences; every one is used.
        train: what the generator was trained on, for metrics that ask and for the floor.
        metrics: ``NAME`` or ``NAME@EMBEDDER`` each; those of the default suite where none are given.
        options: by plugin and option, such as ``{"fred": {"encoder": "fit"}}``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        store: the directory of finished work; by default that of the command line.

    Raises:
        UserError: an unknown name or option, a fault in a file, lengths that differ, too few sequences for a metric.
    """
    catalog, settings = load_catalog(), options or {}
    chosen_device = choose_device(device)
    names = [metrics] if isinstance(metrics, str) else list(metrics or suites.load(suites.DEFAULT).metrics)
    chosen = plan_metrics(catalog, names, settings, chosen_device)
    check_settings(catalog, settings, names_of(chosen))
    named = samples if isinstance(samples, Mapping) else {_name(samples, "sample"): samples}
    if not named:
        raise UserError("there are no samples to score")
    for name in named:
        if not isinstance(name, str):
            raise UserError(f"the name {name!r} of a sample is no text")
    rows = score_samples(
        catalog,
        {name: _sequences(sample, name) for name, sample in named.items()},
        chosen,
        real=_sequences(reference, "reference"),
        training=None if train is None else _sequences(train, "train"),
        dataset=_name(reference, "reference"),
        device=chosen_device,
        store=Store.open(Path(store) if store else default_root()),
    )
    return Scores(pd.DataFrame(rows, columns=[*COLUMNS, "flags"]))


def _name(sequences: Sequences, otherwise: str) -> str:
    return stem(Path(sequences)) if isinstance(sequences, (str, Path)) else otherwise


def _sequences(given: Any, what: str) -> SequenceSet:
    if isinstance(given, SequenceSet):
        return given
    if isinstance(given, (str, Path)):
        return SequenceSet.from_fasta(given)
    try:
        return SequenceSet(np.asarray(given))
    except (TypeError, ValueError) as error:
        raise UserError(f"{what}: {error}") from None
