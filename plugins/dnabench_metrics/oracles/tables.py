"""The tables of `oracle` for plots: spreads by track or assay, means along the sequence, means by track."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from dnabench_metrics.oracles.agreement import Distances

#: Tracks whose spread and whose means along the sequence are told; of more, those that differ most.
MOST_TRACKS = 24
#: Tracks whose means are told; of more as many, evenly spread from the nearest to the farthest.
MOST_MEANS = 400
#: Assays whose spread is told; of more, those with the most tracks.
MOST_ASSAYS = 24
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: The order of the columns is that of the convention: what names a row stands before the axes, and nothing else does.
_COLUMNS = ["view", "quantity", "track", "assay", "quantile", "position", "tracks", "ks", "generated", "reference"]


class Tables:
    """Both sides' predictions, told by ``view``.

    Args:
        generated: predictions, float32, shape ``(n, tracks)``.
        reference: the same, shape ``(m, tracks)``.
        distances: of both.
        tracks: their names.
        quantity: what the predictions are, with their unit.
    """

    def __init__(
        self,
        *,
        generated: np.ndarray,
        reference: np.ndarray,
        distances: Distances,
        tracks: Sequence[str],
        quantity: str,
    ) -> None:
        self._sides = {"generated": generated, "reference": reference}
        self._ks = distances.by_track
        self._tracks = np.asarray(tracks, object)
        self._quantity = quantity
        farthest = np.argsort(-self._ks, kind="stable")
        #: Indices of the tracks of which more than a mean is told, ascending.
        self.shown = np.sort(farthest[:MOST_TRACKS])
        self._farthest = farthest

    def by_track(self) -> pd.DataFrame:
        """The spread of the predictions on each track that is shown."""
        sides = {side: _spread(values[:, self.shown]) for side, values in self._sides.items()}
        title = "Predictions for single sequences by track"
        if len(self.shown) < len(self._tracks):
            title += f": the {len(self.shown)} of {len(self._tracks):,} that differ most"
        return self._table(
            title,
            track=np.repeat(self._tracks[self.shown], len(QUANTILES)),
            ks=np.repeat(self._ks[self.shown], len(QUANTILES)),
            quantile=np.tile(QUANTILES, len(self.shown)),
            **sides,
        )

    def by_assay(self, assays: Sequence[str]) -> pd.DataFrame:
        """The spread of the predictions on all tracks of an assay together, and the mean distance on them."""
        names, which, counts = np.unique(np.asarray(assays, str), return_inverse=True, return_counts=True)
        chosen = np.argsort(-counts, kind="stable")[:MOST_ASSAYS]
        rows: list[dict[str, object]] = []
        for assay in chosen:
            columns = np.flatnonzero(which == assay)
            spreads = {side: _spread(values[:, columns].reshape(-1, 1)) for side, values in self._sides.items()}
            rows += [
                {
                    "assay": f"{names[assay]} ({counts[assay]:,})",
                    "tracks": counts[assay],
                    "quantile": quantile,
                    "ks": self._ks[columns].mean(),
                    **{side: spread[place] for side, spread in spreads.items()},
                }
                for place, quantile in enumerate(QUANTILES)
            ]
        title = "Predictions for single sequences by assay (number of tracks)"
        if len(chosen) < len(names):
            title += f": the {len(chosen)} of {len(names):,} with the most tracks"
        return self._table(title, **pd.DataFrame(rows).to_dict("list"))

    def along(self, *, generated: np.ndarray, reference: np.ndarray, centres: np.ndarray, window: int) -> pd.DataFrame:
        """Mean predictions of windows on each track that is shown.

        Args:
            generated: predictions of windows, float32, shape ``(sequences, windows, tracks)``.
            reference: the same, of as many sequences.
            centres: the base in the middle of each window, from 0 on.
            window: bp of each.
        """
        title = f"Mean predictions along the sequence ({window} bp windows, {len(generated)} sequences a side)"
        means = [values.mean(0, dtype=np.float64)[:, self.shown].T.ravel() for values in (generated, reference)]
        return self._table(
            title,
            track=np.repeat(self._tracks[self.shown], len(centres)),
            position=np.tile(centres, len(self.shown)),
            generated=means[0],
            reference=means[1],
        )

    def means(self, *, generated: np.ndarray, reference: np.ndarray) -> pd.DataFrame:
        """The profiles of mean predictions, shape ``(tracks,)``, and the distance on each track."""
        tracks = len(self._tracks)
        chosen = np.arange(tracks)
        title = "Mean predictions by track"
        if tracks > MOST_MEANS:
            places = np.linspace(0, tracks - 1, MOST_MEANS).round().astype(int)
            chosen = np.sort(self._farthest[places])
            title += f": {MOST_MEANS} of {tracks:,}, evenly spread from the nearest to the farthest"
        return self._table(
            title,
            track=self._tracks[chosen],
            ks=self._ks[chosen],
            generated=generated[chosen],
            reference=reference[chosen],
        )

    def _table(self, view: str, **columns: object) -> pd.DataFrame:
        return pd.DataFrame({"view": view, "quantity": self._quantity, **columns})


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All views in one table, in the order of the columns of the convention."""
    whole = pd.concat(tables, ignore_index=True)
    return whole[[column for column in _COLUMNS if column in whole]]


def _spread(values: np.ndarray) -> np.ndarray:
    """The quantiles of every column, column by column: float64, shape ``(columns * 5,)``."""
    return np.quantile(values.astype(np.float64), QUANTILES, axis=0).T.ravel()
